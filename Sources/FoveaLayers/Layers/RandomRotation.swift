import FoveaGraph

/// Turns images around their middle while training, each by an angle of its own. The identity in inference.
///
/// `y[i, j] = x[cᵢ + sin θ · (j - cⱼ) + cos θ · (i - cᵢ), cⱼ + cos θ · (j - cⱼ) - sin θ · (i - cᵢ)]` with `θ = 2π · f`, `f` drawn
/// from `factor` and `cᵢ = (height - 1) / 2`, `cⱼ = (width - 1) / 2`: a positive angle turns what is shown counter-clockwise.
///
/// - Input and output: `[batch, height, width, channels]`.
/// - Throws: `ShapeError` when built, for a factor that is not from -1 to 1, a fill value that is not finite, and an image
///   whose pixels are too many to be numbered.
public final class RandomRotation: SpatialLayer {
    public static let typeName = "RandomRotation"
    public let name: String?
    /// In parts of a full turn; a positive number turns counter-clockwise.
    public let factor: RandomFactor
    public var fillMode: FillMode { settings.fillMode }
    public var interpolation: Interpolation { settings.interpolation }
    public var fillValue: Double { settings.fillValue }
    public var dataFormat: DataFormat { settings.dataFormat }
    private let settings: ResamplingSettings

    /// - Parameters:
    ///   - factor: in parts of a full turn, as Keras counts; `0.1` is `[-0.1, 0.1]`, 36 degrees to either side.
    ///   - fillMode: what is shown where the image does not reach.
    ///   - interpolation: how pixels between pixels come about.
    ///   - fillValue: the value for `.constant`.
    ///   - dataFormat: where the channels are.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public convenience init(
        factor: RandomFactor, fillMode: FillMode = .reflect, interpolation: Interpolation = .bilinear,
        fillValue: Double = 0, dataFormat: DataFormat = .channelsLast, name: String? = nil
    ) {
        self.init(factor, ResamplingSettings(fillMode, interpolation, fillValue, dataFormat), name)
    }

    private init(_ factor: RandomFactor, _ settings: ResamplingSettings, _ name: String?) {
        self.factor = factor
        self.settings = settings
        self.name = name
    }

    public func build(images: Shape, in scope: inout BuildScope) throws(ShapeError) {
        try check(factor, "factor", in: -1...1, images)
        try settings.check(self, images)
        try settings.checkPlaces(self, images)
    }

    public func call(images: Tensor) throws(ShapeError) -> Tensor {
        try .select(.isTraining, turned(images, by: factor.drawn(for: images, rank: 3)), images)
    }

    /// - Parameter factors: in parts of a full turn, `[batch, 1, 1]`.
    func turned(_ images: Tensor, by factors: Tensor) throws(ShapeError) -> Tensor {
        let (height, width) = (images.shape[1], images.shape[2])
        let middle = (row: Float(height - 1) / 2, column: Float(width - 1) / 2)
        let angles = try factors * (2 * .pi)
        let (sine, cosine) = (try angles.unary(.sin), try angles.unary(.cos))
        let rows = try Tensor.indices(height).reshaped(to: [1, height, 1]) - middle.row
        let columns = try Tensor.indices(width).reshaped(to: [1, 1, width]) - middle.column
        return try settings.resampled(
            images, atRows: sine * columns + cosine * rows + middle.row,
            columns: cosine * columns - sine * rows + middle.column)
    }

    public var configuration: Configuration { settings.configuration.with(["factor": factor.configuration]) }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(try configuration.factor("factor"), try ResamplingSettings(&configuration), name)
    }
}
