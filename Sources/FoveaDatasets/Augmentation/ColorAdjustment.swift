/// An image whose pixels change in place: torchvision's `ColorJitter`, Keras's channel shift, and rectangles of one
/// value. Results are kept from 0 to the image's white.
struct ColorAdjustment {
    private let original: FloatImage
    private var pixels: [Float]

    init(_ image: FloatImage) {
        original = image
        pixels = image.pixels
    }

    var image: FloatImage { original.with(pixels) }

    private var white: Float { original.white }

    /// `x + amount`, kept between the smallest and the largest pixel of the image.
    mutating func shift(by amount: Float) {
        guard let low = pixels.min(), let high = pixels.max() else { return }
        change { min(max($0 + amount, low), high) }
    }

    /// `x · factor`
    mutating func changeBrightness(_ factor: Float) {
        let white = white
        change { min(max($0 * factor, 0), white) }
    }

    /// `mean + (x - mean) · factor` with the mean grey of the image.
    mutating func changeContrast(_ factor: Float) throws(DatasetError) {
        var sum = 0.0
        if try isGray("contrast") {
            for pixel in pixels { sum += Double(pixel) }
        } else {
            pixels.withUnsafeBufferPointer { pixels in
                for start in stride(from: 0, to: pixels.count, by: 3) {
                    sum += Double(gray(pixels[start], pixels[start + 1], pixels[start + 2]))
                }
            }
        }
        let rest = Float(sum / Double(original.height * original.width)) * (1 - factor)
        let white = white
        change { min(max($0 * factor + rest, 0), white) }
    }

    /// `grey + (x - grey) · factor` with the grey of each pixel.
    mutating func changeSaturation(_ factor: Float) throws(DatasetError) {
        let white = white
        if try isGray("saturation") { return }
        changeColors { red, green, blue in
            let rest = gray(red, green, blue) * (1 - factor)
            return (
                min(max(red * factor + rest, 0), white), min(max(green * factor + rest, 0), white),
                min(max(blue * factor + rest, 0), white)
            )
        }
    }

    /// Hue, saturation and value, with the hue moved along its circle.
    mutating func changeHue(_ part: Float) throws(DatasetError) {
        if try isGray("hue") { return }
        changeColors { red, green, blue in
            let value = max(red, green, blue)
            let range = value - min(red, green, blue)
            // Grey has no hue.
            guard range > 0 else { return (red, green, blue) }
            // In sixths of the circle, red at 0, green at 2 and blue at 4.
            let hue =
                if value == red {
                    (green - blue) / range
                } else if value == green {
                    2 + (blue - red) / range
                } else {
                    4 + (red - green) / range
                }
            let moved = hue + 6 * part
            let place = moved < 0 ? moved + 6 : moved >= 6 ? moved - 6 : moved
            /// The part of a colour that lies `sixths` after red: full up to one sixth beside it, none two sixths away.
            func channel(_ sixths: Float) -> Float {
                let distance = abs(place - sixths)
                return value - range * min(max(min(distance, 6 - distance) - 1, 0), 1)
            }
            return (channel(0), channel(2), channel(4))
        }
    }

    /// One value for all channels in a region, as far as it lies inside the image.
    mutating func fill(_ region: Augmentation.Region, with value: Float) {
        let channels = original.channels
        let rows = (region.top..<region.top + region.height).clamped(to: 0..<original.height)
        let columns = (region.left..<region.left + region.width).clamped(to: 0..<original.width)
        for row in rows {
            let start = row * original.width
            for index in ((start + columns.lowerBound) * channels)..<((start + columns.upperBound) * channels)
            {
                pixels[index] = value
            }
        }
    }

    private func isGray(_ what: String) throws(DatasetError) -> Bool {
        switch original.channels {
        case 1: return true
        case 3: return false
        default:
            throw DatasetError(
                .wrongShape,
                "\(what) can be changed in images of one channel (grey) or three (red, green, blue), not of "
                    + "\(original.channels)")
        }
    }

    private mutating func change(_ body: (Float) -> Float) {
        pixels.withUnsafeMutableBufferPointer { pixels in
            for index in pixels.indices { pixels[index] = body(pixels[index]) }
        }
    }

    private mutating func changeColors(_ body: (Float, Float, Float) -> (Float, Float, Float)) {
        pixels.withUnsafeMutableBufferPointer { pixels in
            for start in stride(from: 0, to: pixels.count - 2, by: 3) {
                (pixels[start], pixels[start + 1], pixels[start + 2]) = body(
                    pixels[start], pixels[start + 1], pixels[start + 2])
            }
        }
    }
}

/// How bright a colour looks (ITU-R BT.601).
private func gray(_ red: Float, _ green: Float, _ blue: Float) -> Float {
    0.2989 * red + 0.587 * green + 0.114 * blue
}
