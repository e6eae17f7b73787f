import FoveaGraph

/// Slants images while training, each by amounts of its own. The identity in inference.
///
/// `y[i, j] = x[i + v · j, j + h · i]` with `h` drawn from `xFactor` and `v` from `yFactor`, both with the other sign for half
/// of the images, as Keras does: the first row and the first column stay where they are.
///
/// - Input and output: `[batch, height, width, channels]`.
/// - Throws: `ShapeError` when built, for a factor that is not from -1 to 1, a fill value that is not finite, and an image
///   whose pixels are too many to be numbered.
public final class RandomShear: SpatialLayer {
    public static let typeName = "RandomShear"
    public let name: String?
    /// How many columns a row is moved against the one above it.
    public let xFactor: RandomFactor
    /// How many rows a column is moved against the one to its left.
    public let yFactor: RandomFactor
    public var fillMode: FillMode { settings.fillMode }
    public var interpolation: Interpolation { settings.interpolation }
    public var fillValue: Double { settings.fillValue }
    public var dataFormat: DataFormat { settings.dataFormat }
    private let settings: ResamplingSettings

    /// - Parameters:
    ///   - xFactor: pixels to the side for each pixel down; `0.2` is `[-0.2, 0.2]`.
    ///   - yFactor: pixels down for each pixel to the side; `0.2` is `[-0.2, 0.2]`.
    ///   - fillMode: what is shown where the image does not reach.
    ///   - interpolation: how pixels between pixels come about.
    ///   - fillValue: the value for `.constant`.
    ///   - dataFormat: where the channels are.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public convenience init(
        xFactor: RandomFactor = 0, yFactor: RandomFactor = 0, fillMode: FillMode = .reflect,
        interpolation: Interpolation = .bilinear, fillValue: Double = 0,
        dataFormat: DataFormat = .channelsLast, name: String? = nil
    ) {
        self.init(
            xFactor, yFactor, ResamplingSettings(fillMode, interpolation, fillValue, dataFormat), name)
    }

    private init(
        _ xFactor: RandomFactor, _ yFactor: RandomFactor, _ settings: ResamplingSettings, _ name: String?
    ) {
        self.xFactor = xFactor
        self.yFactor = yFactor
        self.settings = settings
        self.name = name
    }

    public func build(images: Shape, in scope: inout BuildScope) throws(ShapeError) {
        try check(xFactor, "xFactor", in: -1...1, images)
        try check(yFactor, "yFactor", in: -1...1, images)
        try settings.check(self, images)
        try settings.checkPlaces(self, images)
    }

    public func call(images: Tensor) throws(ShapeError) -> Tensor {
        let signs = try Tensor.randomSigns(for: images, rank: 3)
        let y = try sheared(
            images, x: xFactor.drawn(for: images, rank: 3) * signs,
            y: yFactor.drawn(for: images, rank: 3) * signs)
        return try .select(.isTraining, y, images)
    }

    /// - Parameters:
    ///   - x: columns for each row, `[batch, 1, 1]`.
    ///   - y: rows for each column, `[batch, 1, 1]`.
    func sheared(_ images: Tensor, x: Tensor, y: Tensor) throws(ShapeError) -> Tensor {
        let (height, width) = (images.shape[1], images.shape[2])
        let rows = try Tensor.indices(height).reshaped(to: [1, height, 1])
        let columns = try Tensor.indices(width).reshaped(to: [1, 1, width])
        return try settings.resampled(images, atRows: rows + y * columns, columns: columns + x * rows)
    }

    public var configuration: Configuration {
        settings.configuration.with([
            "x_factor": xFactor.configuration, "y_factor": yFactor.configuration,
        ])
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            try configuration.factor("x_factor"), try configuration.factor("y_factor"),
            try ResamplingSettings(&configuration), name)
    }
}
