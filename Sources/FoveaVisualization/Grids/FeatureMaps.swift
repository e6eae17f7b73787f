import FoveaGraph
import FoveaPictures

extension Figure {
    /// The channels of an activation as one grid of small grey or coloured images per figure, as many figures as it takes.
    ///
    /// Each channel is standardized to mean 128 and standard deviation 64 and clipped to 0...255, and 16 stand beside each other: the
    /// grid of F. Chollet's "Deep Learning with Python" (2017), section 5.4.1. Channels that are constant, or have a number that is
    /// not finite, are even and grey.
    ///
    /// - Parameters:
    ///   - activation: `[height, width, channels]`, or a batch of one `[1, height, width, channels]`.
    ///   - perRow: how many channels stand beside each other.
    ///   - perFigure: how many channels a figure has at most; others go to the next one.
    ///   - colorMap: which colours stand for 0 to 255.
    ///   - title: what stands above, as the layer's name; of several figures with the numbers of their channels.
    ///   - theme: which colours there are.
    /// - Returns: a figure for each `perFigure` channels.
    /// - Throws: `VisualizationError` for another shape, and when `perRow` or `perFigure` is not positive.
    public static func featureMaps(
        _ activation: TensorValue, perRow: Int = 16, perFigure: Int = 512, colorMap: ColorMap = .viridis,
        title: String = "", theme: Theme = .light
    ) throws(VisualizationError) -> [Figure] {
        var dimensions = activation.shape.dimensions
        if dimensions.count == 4, dimensions[0] == 1 { dimensions.removeFirst() }
        guard dimensions.count == 3, dimensions.allSatisfy({ $0 > 0 }) else {
            throw VisualizationError(
                .wrongShape,
                "an activation of shape \(activation.shape) has no feature maps; expected [height, width, channels]"
            )
        }
        guard perRow > 0, perFigure > 0 else {
            throw VisualizationError(
                .invalidArgument,
                "\(perRow) feature maps beside each other and \(perFigure) in a figure; both must be positive"
            )
        }
        let maps = FeatureMaps(
            height: dimensions[0], width: dimensions[1], channels: dimensions[2], numbers: activation.floats)
        var figures: [Figure] = []
        for first in stride(from: 0, to: maps.channels, by: perFigure) {
            let range = first..<min(first + perFigure, maps.channels)
            let numbers =
                maps.channels > perFigure ? "channels \(range.lowerBound)–\(range.upperBound - 1)" : ""
            let heading = [title, numbers].filter { !$0.isEmpty }.joined(separator: ", ")
            figures.append(try maps.figure(range, perRow: perRow, colorMap, heading, theme))
        }
        return figures
    }
}

/// The channels of an image, side by side.
private struct FeatureMaps {
    let height: Int
    let width: Int
    let channels: Int
    let numbers: [Float]

    /// One channel as samples of mean 128 and standard deviation 64.
    private func samples(_ channel: Int) -> [UInt8] {
        let count = Double(height * width)
        var (sum, squares) = (0.0, 0.0)
        for index in stride(from: channel, to: numbers.count, by: channels) { sum += Double(numbers[index]) }
        let mean = sum / count
        for index in stride(from: channel, to: numbers.count, by: channels) {
            let difference = Double(numbers[index]) - mean
            squares += difference * difference
        }
        let deviation = (squares / count).squareRoot()
        // Rounding errors of a constant are no pattern.
        guard deviation.isFinite, deviation > mean.magnitude * 1e-6 else {
            return [UInt8](repeating: 128, count: height * width)
        }
        let scale = 64 / deviation
        return stride(from: channel, to: numbers.count, by: channels).map { index in
            UInt8(max(0, min(255, (Double(numbers[index]) - mean) * scale + 128)))
        }
    }

    func figure(
        _ range: Range<Int>, perRow: Int, _ colorMap: ColorMap, _ title: String, _ theme: Figure.Theme
    ) throws(VisualizationError) -> Figure {
        let columns = min(perRow, range.count)
        let rows = (range.count + columns - 1) / columns
        // A line between maps, in the colour of the background, as far as there is one.
        let (pitchDown, pitchAcross) = (height + 1, width + 1)
        let (sheetHeight, sheetWidth) = (rows * pitchDown - 1, columns * pitchAcross - 1)
        guard max(sheetHeight, sheetWidth) <= 32_767,
            sheetHeight * sheetWidth <= Picture.greatestPixelCount
        else {
            throw VisualizationError(
                .tooLarge,
                "\(range.count) feature maps of \(height)×\(width) fill \(sheetHeight)×\(sheetWidth) pixels, more than a picture "
                    + "has; show fewer in a figure (perFigure)")
        }
        let background = theme.background
        let gap = [background.red, background.green, background.blue].map { UInt8(($0 * 255).rounded()) }
        var pixels = [UInt8](repeating: 0, count: 3 * sheetHeight * sheetWidth)
        for index in stride(from: 0, to: pixels.count, by: 3) {
            (pixels[index], pixels[index + 1], pixels[index + 2]) = (gap[0], gap[1], gap[2])
        }
        let table = colorMap.samples
        for (place, channel) in range.enumerated() {
            let (row, column) = place.quotientAndRemainder(dividingBy: columns)
            let samples = samples(channel)
            for y in 0..<height {
                var target = 3 * ((row * pitchDown + y) * sheetWidth + column * pitchAcross)
                for x in 0..<width {
                    let color = 3 * Int(samples[y * width + x])
                    (pixels[target], pixels[target + 1], pixels[target + 2]) = (
                        table[color], table[color + 1], table[color + 2]
                    )
                    target += 3
                }
            }
        }
        return Figure.sheet(
            SheetImage(height: sheetHeight, width: sheetWidth, pixels: pixels), title: title, theme: theme)
    }
}

/// Pixels of red, green and blue, as they are.
struct SheetImage: FigureData {
    let height: Int
    let width: Int
    let pixels: [UInt8]

    var figureNumbers: FigureNumbers { FigureNumbers([height, width, 3], bytes: pixels) }
}

extension Figure {
    /// One image that fills a figure, with a size at which its pixels are seen: at least one dot for each where that is no giant.
    static func sheet(_ image: SheetImage, title: String, theme: Theme) -> Figure {
        let panel = imagePanel(image, title: "", nil)
        let longest = Double(max(image.height, image.width))
        let scale = max(1, (1_000 / longest).rounded(.down))
        let (width, height) = (Double(image.width) * scale / 100, Double(image.height) * scale / 100)
        let shrink = min(1, 40 / max(width, height))
        return Figure(
            [panel], title: title,
            size: (
                max(1, width * shrink) + 0.17, max(0.5, height * shrink) + 0.17 + (title.isEmpty ? 0 : 0.3)
            ),
            theme: theme)
    }
}
