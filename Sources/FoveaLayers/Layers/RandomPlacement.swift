import FoveaGraph

/// Moves images up or down and left or right while training, each by distances of its own. The identity in inference.
///
/// `y[i, j] = x[i - height · v, j - width · h]` with `v` drawn from `heightFactor` and `h` from `widthFactor`.
///
/// - Input and output: `[batch, height, width, channels]`.
/// - Throws: `ShapeError` when built, for a factor that is not from -1 to 1, and a fill value that is not finite.
public final class RandomTranslation: SpatialLayer {
    public static let typeName = "RandomTranslation"
    public let name: String?
    /// In parts of the height; a positive number moves an image down.
    public let heightFactor: RandomFactor
    /// In parts of the width; a positive number moves an image to the right.
    public let widthFactor: RandomFactor
    public var fillMode: FillMode { settings.fillMode }
    public var interpolation: Interpolation { settings.interpolation }
    public var fillValue: Double { settings.fillValue }
    public var dataFormat: DataFormat { settings.dataFormat }
    private let settings: ResamplingSettings

    /// - Parameters:
    ///   - heightFactor: in parts of the height; `0.2` is `[-0.2, 0.2]`, and positive numbers move images down.
    ///   - widthFactor: in parts of the width; `0.2` is `[-0.2, 0.2]`, and positive numbers move images to the right.
    ///   - fillMode: what is shown where the image does not reach.
    ///   - interpolation: how pixels between pixels come about.
    ///   - fillValue: the value for `.constant`.
    ///   - dataFormat: where the channels are.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public convenience init(
        heightFactor: RandomFactor, widthFactor: RandomFactor, fillMode: FillMode = .reflect,
        interpolation: Interpolation = .bilinear, fillValue: Double = 0,
        dataFormat: DataFormat = .channelsLast, name: String? = nil
    ) {
        self.init(
            heightFactor, widthFactor,
            ResamplingSettings(fillMode, interpolation, fillValue, dataFormat), name)
    }

    private init(
        _ heightFactor: RandomFactor, _ widthFactor: RandomFactor, _ settings: ResamplingSettings,
        _ name: String?
    ) {
        self.heightFactor = heightFactor
        self.widthFactor = widthFactor
        self.settings = settings
        self.name = name
    }

    public func build(images: Shape, in scope: inout BuildScope) throws(ShapeError) {
        try check(heightFactor, "heightFactor", in: -1...1, images)
        try check(widthFactor, "widthFactor", in: -1...1, images)
        try settings.check(self, images)
    }

    public func call(images: Tensor) throws(ShapeError) -> Tensor {
        var y = images
        if !heightFactor.isZero { y = try translated(y, axis: 1, by: heightFactor.drawn(for: images)) }
        if !widthFactor.isZero { y = try translated(y, axis: 2, by: widthFactor.drawn(for: images)) }
        return try .select(.isTraining, y, images)
    }

    /// - Parameter factors: in parts of the axis, `[batch, 1]`.
    func translated(_ images: Tensor, axis: Int, by factors: Tensor) throws(ShapeError) -> Tensor {
        let count = images.shape[axis]
        return try settings.resampled(
            images, axis: axis, at: .indices(count).reshaped(to: [1, count]) - factors * Float(count))
    }

    public var configuration: Configuration {
        settings.configuration.with([
            "height_factor": heightFactor.configuration, "width_factor": widthFactor.configuration,
        ])
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            try configuration.factor("height_factor"), try configuration.factor("width_factor"),
            try ResamplingSettings(&configuration), name)
    }
}

/// Makes what images show larger or smaller around their middle while training, each by factors of its own. The identity in
/// inference.
///
/// A height zoomed by `z = 1 + v`, with `v` drawn from `heightFactor`, is `y[i] = x[z · i + (1 - z) · (height - 1) / 2]`: positive
/// numbers show more of the image, smaller.
///
/// - Input and output: `[batch, height, width, channels]`.
/// - Throws: `ShapeError` when built, for a factor that is not more than -1 and at most 1, and a fill value that is not finite.
public final class RandomZoom: SpatialLayer {
    public static let typeName = "RandomZoom"
    public let name: String?
    public let heightFactor: RandomFactor
    /// Nil where width and height are zoomed alike.
    public let widthFactor: RandomFactor?
    public var fillMode: FillMode { settings.fillMode }
    public var interpolation: Interpolation { settings.interpolation }
    public var fillValue: Double { settings.fillValue }
    public var dataFormat: DataFormat { settings.dataFormat }
    private let settings: ResamplingSettings

    /// - Parameters:
    ///   - heightFactor: `0.2` is `[-0.2, 0.2]`; positive numbers make what is shown smaller.
    ///   - widthFactor: the same for the width, which is zoomed like the height when nil.
    ///   - fillMode: what is shown where the image does not reach.
    ///   - interpolation: how pixels between pixels come about.
    ///   - fillValue: the value for `.constant`.
    ///   - dataFormat: where the channels are.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public convenience init(
        heightFactor: RandomFactor, widthFactor: RandomFactor? = nil, fillMode: FillMode = .reflect,
        interpolation: Interpolation = .bilinear, fillValue: Double = 0,
        dataFormat: DataFormat = .channelsLast, name: String? = nil
    ) {
        self.init(
            heightFactor, widthFactor,
            ResamplingSettings(fillMode, interpolation, fillValue, dataFormat), name)
    }

    private init(
        _ heightFactor: RandomFactor, _ widthFactor: RandomFactor?, _ settings: ResamplingSettings,
        _ name: String?
    ) {
        self.heightFactor = heightFactor
        self.widthFactor = widthFactor
        self.settings = settings
        self.name = name
    }

    public func build(images: Shape, in scope: inout BuildScope) throws(ShapeError) {
        let range = (-1.0).nextUp...1
        try check(heightFactor, "heightFactor", in: range, images)
        if let widthFactor { try check(widthFactor, "widthFactor", in: range, images) }
        try settings.check(self, images)
    }

    public func call(images: Tensor) throws(ShapeError) -> Tensor {
        let height = try heightFactor.drawn(for: images)
        let width = try widthFactor?.drawn(for: images) ?? height
        let y = try zoomed(zoomed(images, axis: 1, by: height), axis: 2, by: width)
        return try .select(.isTraining, y, images)
    }

    /// - Parameter factors: `[batch, 1]`; 0 changes nothing.
    func zoomed(_ images: Tensor, axis: Int, by factors: Tensor) throws(ShapeError) -> Tensor {
        let count = images.shape[axis]
        let middle = Float(count - 1) / 2
        let distances = try Tensor.indices(count).reshaped(to: [1, count]) - middle
        return try settings.resampled(images, axis: axis, at: distances * (factors + 1) + middle)
    }

    public var configuration: Configuration {
        settings.configuration.with([
            "height_factor": heightFactor.configuration,
            "width_factor": widthFactor?.configuration ?? .null,
        ])
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            try configuration.factor("height_factor"), try configuration.optionalFactor("width_factor"),
            try ResamplingSettings(&configuration), name)
    }
}

/// How pixels are looked up that lie between pixels or beyond the border.
struct ResamplingSettings: Hashable, Sendable {
    let fillMode: FillMode
    let interpolation: Interpolation
    let fillValue: Double
    let dataFormat: DataFormat

    init(
        _ fillMode: FillMode, _ interpolation: Interpolation, _ fillValue: Double, _ dataFormat: DataFormat
    ) {
        self.fillMode = fillMode
        self.interpolation = interpolation
        self.fillValue = fillValue
        self.dataFormat = dataFormat
    }

    func check(_ layer: any Layer, _ shape: Shape) throws(ShapeError) {
        guard Float(fillValue).isFinite else {
            throw layer.error("fillValue must be finite, not \(fillValue)", shape)
        }
    }

    /// Checks that every pixel can be looked up by its row and column.
    func checkPlaces(_ layer: any Layer, _ images: Shape) throws(ShapeError) {
        // Places are float32 numbers, and pixels are picked by int32 ones.
        let (height, width) = (images[1], images[2])
        guard max(height, width) <= 1 << 24, height * width <= Int(Int32.max) else {
            throw layer.error("takes images of at most 2³¹ - 1 pixels and 2²⁴ rows and columns", images)
        }
    }

    func resampled(_ images: Tensor, atRows rows: Tensor, columns: Tensor) throws(ShapeError) -> Tensor {
        try images.resampled(
            atRows: rows, columns: columns, fillMode: fillMode, fillValue: fillValue,
            interpolation: interpolation)
    }

    func resampled(_ images: Tensor, axis: Int, at places: Tensor) throws(ShapeError) -> Tensor {
        try images.resampled(
            axis: axis, at: places, fillMode: fillMode, fillValue: fillValue, interpolation: interpolation)
    }

    var configuration: Configuration {
        dataFormat.configuration.with([
            "fill_mode": .string(fillMode.rawValue), "interpolation": .string(interpolation.rawValue),
            "fill_value": .number(fillValue),
        ])
    }

    init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
        self.init(
            try reader.choice("fill_mode"), try reader.choice("interpolation"),
            try reader.number("fill_value"), try DataFormat(&reader))
    }
}
