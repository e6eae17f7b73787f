/// Samples as a file has them: 1 channel is grey, 2 are grey and alpha, 3 RGB, 4 RGB and alpha.
struct StoredPicture {
    let height: Int
    let width: Int
    let channels: Int
    let samples: [UInt8]

    /// Refuses sizes before memory for them is taken.
    static func check(height: Int, width: Int, greatestPixelCount: Int) throws(PictureError) {
        guard height > 0, width > 0 else { throw PictureError(.corrupt, "has no pixels") }
        guard max(height, width) <= Picture.greatestSide else {
            throw PictureError(
                .tooLarge,
                "has \(height)×\(width) pixels, but sides of at most \(Picture.greatestSide) are read")
        }
        guard height * width <= greatestPixelCount else {
            throw PictureError(
                .tooLarge, "has \(height)×\(width) pixels, but at most \(greatestPixelCount) are read")
        }
    }

    /// Without alpha, in 1 or 3 channels.
    ///
    /// - Parameters:
    ///   - channels: 1 or 3; nil for as many as there are without alpha.
    ///   - background: What shows through where alpha is less than 255; nil keeps the colours as they are.
    func picture(channels wanted: Int?, background: Picture.Color?) -> Picture {
        // A grey picture on a coloured background is one in colour.
        if channels == 2, wanted == 3, background != nil {
            return inColor().picture(channels: wanted, background: background)
        }
        let hasAlpha = channels == 2 || channels == 4
        let colors = hasAlpha ? channels - 1 : channels
        let opaque = hasAlpha ? withoutAlpha(channels: colors, background) : samples
        let picture = Picture(unchecked: height, width, colors, opaque)
        return switch wanted {
        case 1?: picture.grey()
        case 3?: picture.rgb()
        default: picture
        }
    }

    /// RGB and alpha of grey and alpha.
    private func inColor() -> StoredPicture {
        var colors: [UInt8] = []
        colors.reserveCapacity(2 * samples.count)
        for start in stride(from: 0, to: samples.count, by: 2) {
            for _ in 0..<3 { colors.append(samples[start]) }
            colors.append(samples[start + 1])
        }
        return StoredPicture(height: height, width: width, channels: 4, samples: colors)
    }

    /// `(alpha · color + (255 − alpha) · background) / 255`, rounded.
    private func withoutAlpha(channels colors: Int, _ background: Picture.Color?) -> [UInt8] {
        let behind = background.map { colors == 1 ? [$0.luma] : [$0.red, $0.green, $0.blue] }
        return [UInt8](unsafeUninitializedCapacity: height * width * colors) { target, count in
            count = height * width * colors
            samples.withUnsafeBufferPointer { source in
                for pixel in 0..<(height * width) {
                    let alpha = behind == nil ? 255 : Int(source[pixel * channels + colors])
                    for channel in 0..<colors {
                        let color = Int(source[pixel * channels + channel])
                        let other = behind.map { Int($0[channel]) } ?? 0
                        let sum = color * alpha + other * (255 - alpha)
                        target[pixel * colors + channel] = UInt8((sum + 127) / 255)
                    }
                }
            }
        }
    }
}
