import FoveaPictures

extension Mark {
    /// An image: numbers as colours, or pixels as they are. Rows go from top to bottom; the middle of the first pixel is at 0, 0, as
    /// in matplotlib's `imshow`.
    ///
    /// - Parameters:
    ///   - image: `[height, width]` or `[height, width, 1]`, of which the colour map makes colours, NaN being a hole; or
    ///     `[height, width, 3]` or `[height, width, 4]`, red, green, blue and alpha: from 0 to 255 where they are bytes (uint8
    ///     tensors, pictures), else from 0 to 1, what is outside being clamped.
    ///   - colorMap: which colours stand for numbers; grey for pictures and `[height, width, 1]`, else viridis, when nil.
    ///   - limits: the numbers of the first and the last colour; when nil 0 to 255 for bytes of grey pictures, else from the smallest to the
    ///     largest.
    ///   - isSmooth: whether pixels that are enlarged run into each other; otherwise they are squares.
    ///   - opacity: from 0 to 1, such as for a heat map over a picture.
    ///   - x: from where to where it goes on the x axis; a unit for each pixel when nil.
    ///   - y: likewise on the y axis, the first row at the lower number.
    /// - Throws: nothing; when the figure is written `VisualizationError` for other shapes, and numbers that are all NaN.
    public static func image(
        _ image: any FigureData, colorMap: ColorMap? = nil, limits: ClosedRange<Double>? = nil,
        isSmooth: Bool = false, opacity: Double = 1, x: ClosedRange<Double>? = nil,
        y: ClosedRange<Double>? = nil
    ) -> Mark {
        Mark(
            ImageMark(
                image: ImageNumbers(image.figureNumbers, colorMap: colorMap, limits: limits),
                isSmooth: isSmooth, opacity: opacity, xRange: x, yRange: y))
    }
}

/// An image before it has colours.
struct ImageNumbers: Sendable {
    let data: FigureNumbers
    let map: ColorMap
    let chosenLimits: ClosedRange<Double>?

    init(_ data: FigureNumbers, colorMap: ColorMap?, limits: ClosedRange<Double>?) {
        self.data = data
        map = colorMap ?? (data.extents.count == 3 ? .gray : .viridis)
        chosenLimits = limits
    }

    var height: Int { data.extents.first ?? 0 }
    var width: Int { data.extents.dropFirst().first ?? 0 }
    var channels: Int { data.extents.count == 3 ? data.extents[2] : 1 }
    /// Whether colours stand for numbers.
    var isScalar: Bool { channels == 1 }

    func check(_ panel: String) throws(VisualizationError) {
        if let problem = data.problem {
            throw VisualizationError(.wrongShape, "\(panel): an image: \(problem)")
        }
        guard data.extents.count == 2 || (data.extents.count == 3 && [1, 3, 4].contains(channels)) else {
            throw VisualizationError(
                .wrongShape,
                "\(panel): numbers of shape \(data.shapeText) are no image; expected [height, width] or "
                    + "[height, width, 1, 3 or 4]. Take one of a batch, or one channel of a feature map")
        }
        guard height > 0, width > 0 else {
            throw VisualizationError(.noData, "\(panel): an image of shape \(data.shapeText) has no pixels")
        }
        // Further than it would be drawn.
        guard max(height, width) <= 32_767 else {
            throw VisualizationError(
                .tooLarge,
                "\(panel): an image of \(height)×\(width) pixels; sides of at most 32,767 are drawn")
        }
        guard !isScalar || data.bytes != nil || data.numbers.contains(where: \.isFinite) else {
            throw VisualizationError(
                .noData, "\(panel): all numbers of an image of shape \(data.shapeText) are NaN or infinite")
        }
        if let limits = chosenLimits {
            guard limits.lowerBound.isFinite, limits.upperBound.isFinite else {
                throw VisualizationError(
                    .invalidArgument, "\(panel): the limits \(limits) of an image's colours must be finite")
            }
        }
    }

    /// The numbers of the first and the last colour.
    var limits: ClosedRange<Double> {
        if let chosenLimits { return chosenLimits }
        if data.bytes != nil, data.extents.count == 3 { return 0...255 }
        var (low, high) = (Double.infinity, -Double.infinity)
        for number in data.numbers where number.isFinite {
            low = min(low, number)
            high = max(high, number)
        }
        return low <= high ? low...high : 0...1
    }

    /// Red, green, blue and alpha of each pixel.
    func pixels(opacity: Double, missing: Figure.Color) -> RGBAImage {
        let cover = opacity > 0 ? min(opacity, 1) : 0
        let samples =
            isScalar
            ? mapped(alpha: UInt8(255 * cover), missing)
            : interleaved(data.bytes ?? data.numbers.map(Self.sample), cover)
        return RGBAImage(width: width, height: height, pixels: samples)
    }

    /// From 0...1 to 0...255.
    private static func sample(_ number: Double) -> UInt8 {
        number > 0 ? UInt8(min(number * 255, 255).rounded()) : 0
    }

    private func mapped(alpha: UInt8, _ missing: Figure.Color) -> [UInt8] {
        let (table, range) = (map.samples, limits)
        let hole = [missing.red, missing.green, missing.blue].map { UInt8(255 * $0) } + [alpha]
        let (low, scale) = (range.lowerBound / 2, 1 / (range.upperBound / 2 - range.lowerBound / 2))
        var pixels = [UInt8]()
        pixels.reserveCapacity(4 * width * height)
        for number in data.numbers {
            guard !number.isNaN else {
                pixels += hole
                continue
            }
            // Of numbers that are all the same the first colour.
            let index = 3 * ColorMap.index(of: scale.isFinite ? (number / 2 - low) * scale : 0)
            pixels.append(table[index])
            pixels.append(table[index + 1])
            pixels.append(table[index + 2])
            pixels.append(alpha)
        }
        return pixels
    }

    private func interleaved(_ samples: [UInt8], _ cover: Double) -> [UInt8] {
        let (count, channels) = (width * height, channels)
        let opaque = UInt8(255 * cover)
        return [UInt8](unsafeUninitializedCapacity: 4 * count) { target, initialized in
            initialized = 4 * count
            for index in 0..<count {
                for channel in 0..<3 { target[4 * index + channel] = samples[channels * index + channel] }
                target[4 * index + 3] =
                    channels == 4 ? UInt8(Double(samples[channels * index + 3]) * cover) : opaque
            }
        }
    }
}

private struct ImageMark: DrawnMark {
    let image: ImageNumbers
    let isSmooth: Bool
    let opacity: Double
    let xRange: ClosedRange<Double>?
    let yRange: ClosedRange<Double>?

    var isImage: Bool { true }
    var colors: ColorRange? { image.isScalar ? ColorRange(map: image.map, limits: image.limits) : nil }

    private var x: ClosedRange<Double> { xRange ?? -0.5...(Double(image.width) - 0.5) }
    private var y: ClosedRange<Double> { yRange ?? -0.5...(Double(image.height) - 0.5) }

    func check(_ panel: String, _ x: Panel.Scale, _ y: Panel.Scale) throws(VisualizationError) {
        try image.check(panel)
        guard x == .linear, y == .linear else {
            throw VisualizationError(
                .invalidArgument,
                "\(panel): an image needs linear axes; draw it in a panel of its own, or by lines")
        }
        guard self.x.lowerBound.isFinite, self.x.upperBound.isFinite, self.y.lowerBound.isFinite,
            self.y.upperBound.isFinite
        else {
            throw VisualizationError(
                .invalidArgument, "\(panel): an image from \(self.x) and \(self.y) has no place")
        }
    }

    func extents(_ x: Panel.Scale, _ y: Panel.Scale) -> (x: AxisExtent, y: AxisExtent) {
        func tight(_ range: ClosedRange<Double>) -> AxisExtent {
            var extent = AxisExtent([range.lowerBound, range.upperBound], .linear)
            extent.edges = [range.lowerBound, range.upperBound]
            return extent
        }
        return (tight(self.x), tight(self.y))
    }

    func draw(in area: PlotArea) {
        guard let box = area.box(x: x, y: y), box.width > 0, box.height > 0 else { return }
        // Far larger than the panel, it cannot be drawn as a whole.
        guard box.width < 1e5, box.height < 1e5 else { return }
        var pixels = image.pixels(opacity: opacity, missing: area.theme.missing)
        // Where numbers grow upwards, the first row is the lowest.
        if area.y.start > area.y.end { pixels = pixels.upsideDown }
        area.canvas.image(pixels, in: box, isSmooth: isSmooth)
    }
}
