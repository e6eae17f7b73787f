import FoveaGraph
import FoveaPictures

/// Several images as one picture: row by row, with a line between them, small ones enlarged.
enum PictureGrid {
    /// The length of a side that images are enlarged to if they are smaller.
    private static let usualSide = 32
    private static let pixelLimit = 1 << 20

    /// - Parameters:
    ///   - images: `[count, height, width, channels]`, of which as many are shown as fit into a million pixels.
    ///   - isScaled: whether the least number of all becomes black and the greatest white; else uint8 stays and 0…1 becomes black
    ///     to white.
    /// - Returns: nil when images have other than 1 or 3 channels, or no pixels.
    static func picture(_ images: TensorValue, isScaled: Bool) throws -> Picture? {
        guard images.shape.rank == 4 else { return nil }
        let (height, width, channels) = (images.shape[1], images.shape[2], images.shape[3])
        guard channels == 1 || channels == 3, images.shape.elementCount > 0 else { return nil }
        let scale = max(1, usualSide / max(height, width))
        let tile = (height: height * scale + 1, width: width * scale + 1)
        let count = min(images.shape[0], 64, max(1, pixelLimit / (tile.height * tile.width)))
        let columns = Int(Double(count).squareRoot().rounded(.up))
        let rows = (count + columns - 1) / columns
        let samples = samples(images, isScaled: isScaled)
        let size = (height: rows * tile.height - 1, width: columns * tile.width - 1)
        var pixels = [UInt8](repeating: 255, count: size.height * size.width * channels)
        for i in 0..<count {
            let (top, left) = (i / columns * tile.height, i % columns * tile.width)
            for y in 0..<height * scale {
                for x in 0..<width * scale {
                    let source = ((i * height + y / scale) * width + x / scale) * channels
                    let target = ((top + y) * size.width + left + x) * channels
                    for c in 0..<channels { pixels[target + c] = samples[source + c] }
                }
            }
        }
        return try Picture(height: size.height, width: size.width, channels: channels, pixels: pixels)
    }

    private static func samples(_ images: TensorValue, isScaled: Bool) -> [UInt8] {
        if !isScaled, case .uint8(let samples) = images.storage { return samples }
        let numbers = images.floats
        let finite = isScaled ? numbers.filter(\.isFinite) : []
        let (least, greatest) = (finite.min() ?? 0, finite.max() ?? 1)
        // Of the halves, because the range itself may be more than a number can be.
        let range = max(greatest / 2 - least / 2, .leastNormalMagnitude)
        return numbers.map {
            let part = ($0 / 2 - least / 2) / range * 255
            // Not a number is not greater than 0.
            return part > 0 ? UInt8(min(part.rounded(), 255)) : 0
        }
    }
}
