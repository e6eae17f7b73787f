import FoveaGraph

/// Sets whole channels of an image to zero while training, and scales the others: `Dropout` for images whose neighbouring
/// pixels say much the same. Tompson et al. 2014, "Efficient object localization using convolutional networks",
/// arXiv:1411.4280.
///
/// - Input and output: `[batch, height, width, channels]`.
/// - Throws: `ShapeError` for other inputs and for a rate outside `0..<1`.
public typealias SpatialDropout2D = SpatialDropout<TwoAxes>

/// Sets whole channels of a sequence to zero while training, and scales the others: `SpatialDropout2D` of images of height 1.
///
/// - Input and output: `[batch, steps, channels]`.
/// - Throws: `ShapeError` for other inputs and for a rate outside `0..<1`.
public typealias SpatialDropout1D = SpatialDropout<OneAxis>

/// Sets whole channels to zero while training: `SpatialDropout2D` or `SpatialDropout1D`.
public final class SpatialDropout<Axes: SpatialAxes>: SpatialLayer {
    public static var typeName: String { "SpatialDropout\(Axes.count)D" }
    public static var spatialAxes: Int { Axes.count }
    public let name: String?
    public let rate: Double
    public let dataFormat: DataFormat

    /// - Parameters:
    ///   - rate: the part of the channels set to zero, from 0 up to but not including 1.
    ///   - dataFormat: where the channels are.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(rate: Double, dataFormat: DataFormat = .channelsLast, name: String? = nil) {
        self.rate = rate
        self.dataFormat = dataFormat
        self.name = name
    }

    public func build(images: Shape, in scope: inout BuildScope) throws(ShapeError) {
        try checkRate(rate, images)
    }

    public func call(images: Tensor) throws(ShapeError) -> Tensor {
        try images.dropped(rate: rate, noise: images.shape.reduced(over: [1, 2], keepDims: true))
    }

    public var configuration: Configuration { dataFormat.configuration.with(["rate": .number(rate)]) }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            rate: try configuration.number("rate"), dataFormat: try DataFormat(&configuration), name: name)
    }
}
