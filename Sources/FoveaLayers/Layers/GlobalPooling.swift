import FoveaGraph

/// The largest pixel of each channel over the whole image: `y[c] = max x[i, j, c]`. Equal largest pixels share the
/// gradient.
///
/// - Input: `[batch, height, width, channels]`.
/// - Output: `[batch, channels]`, or `[batch, 1, 1, channels]` when dimensions are kept.
/// - Errors: `ShapeError` when built, for anything but images.
public typealias GlobalMaxPooling2D = GlobalPooling2D<MaximumPooling>

/// The mean of each channel over the whole image: `y[c] = Σ x[i, j, c] / (height · width)`. Lin et al. 2013,
/// arXiv:1312.4400.
///
/// - Input: `[batch, height, width, channels]`.
/// - Output: `[batch, channels]`, or `[batch, 1, 1, channels]` when dimensions are kept.
/// - Errors: `ShapeError` when built, for anything but images.
public typealias GlobalAveragePooling2D = GlobalPooling2D<MeanPooling>

/// The largest step of each channel over the whole sequence: `y[c] = max x[t, c]`. Equal largest steps share the
/// gradient.
///
/// - Input: `[batch, steps, channels]`.
/// - Output: `[batch, channels]`, or `[batch, 1, channels]` when dimensions are kept.
/// - Errors: `ShapeError` when built, for anything but sequences.
public typealias GlobalMaxPooling1D = GlobalPooling1D<MaximumPooling>

/// The mean of each channel over the whole sequence: `y[c] = Σ x[t, c] / steps`.
///
/// - Input: `[batch, steps, channels]`.
/// - Output: `[batch, channels]`, or `[batch, 1, channels]` when dimensions are kept.
/// - Errors: `ShapeError` when built, for anything but sequences.
public typealias GlobalAveragePooling1D = GlobalPooling1D<MeanPooling>

/// `GlobalMaxPooling2D`, `GlobalAveragePooling2D` or another kind of pooling of images.
public typealias GlobalPooling2D<Kind: PoolingKind> = GlobalPooling<TwoAxes, Kind>

/// `GlobalMaxPooling1D`, `GlobalAveragePooling1D` or another kind of pooling of sequences.
public typealias GlobalPooling1D<Kind: PoolingKind> = GlobalPooling<OneAxis, Kind>

/// All pixels of an image, or all steps of a sequence, made one.
public final class GlobalPooling<Axes: SpatialAxes, Kind: PoolingKind>: SpatialLayer {
    public static var typeName: String { "Global\(Kind.name)Pooling\(Axes.count)D" }
    public static var spatialAxes: Int { Axes.count }
    public let name: String?
    public let dataFormat: DataFormat
    public let keepDims: Bool

    /// - Parameters:
    ///   - dataFormat: where the channels are.
    ///   - keepDims: whether height and width, or the steps' axis, stay, as 1.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(dataFormat: DataFormat = .channelsLast, keepDims: Bool = false, name: String? = nil) {
        self.dataFormat = dataFormat
        self.keepDims = keepDims
        self.name = name
    }

    public func build(images: Shape, in scope: inout BuildScope) {}

    public func call(images: Tensor) throws(ShapeError) -> Tensor {
        let y = try Kind.poolAll(images)
        return keepDims ? y : try y.reshaped(to: [y.shape[0], y.shape.channels])
    }

    public var configuration: Configuration {
        dataFormat.configuration.with(["keepdims": .bool(keepDims)])
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            dataFormat: try DataFormat(&configuration), keepDims: try configuration.bool("keepdims"),
            name: name)
    }
}
