import FoveaGraph

/// What a pooling layer makes of the pixels it pools.
public protocol PoolingKind: Sendable {
    /// What it is called in the names of layers, as `Max` in `MaxPooling2D`.
    static var name: String { get }

    /// The pixels under each window of images `[batch, height, width, channels]` pooled.
    static func pool(_ images: Tensor, _ window: SlidingWindow) throws(ShapeError) -> Tensor

    /// All pixels of each image pooled, to `[batch, 1, 1, channels]`.
    static func poolAll(_ images: Tensor) throws(ShapeError) -> Tensor
}

/// The largest of them. What padding adds never wins, and the gradient goes to the first largest pixel of a
/// window; over whole images, equal largest pixels share it.
public enum MaximumPooling: PoolingKind {
    public static let name = "Max"

    public static func pool(_ images: Tensor, _ window: SlidingWindow) throws(ShapeError) -> Tensor {
        try images.maxPooled(window)
    }

    public static func poolAll(_ images: Tensor) throws(ShapeError) -> Tensor {
        try images.max(axes: [1, 2], keepDims: true)
    }
}

/// Their mean. What padding adds is not counted.
public enum MeanPooling: PoolingKind {
    public static let name = "Average"

    public static func pool(_ images: Tensor, _ window: SlidingWindow) throws(ShapeError) -> Tensor {
        try images.averagePooled(window)
    }

    public static func poolAll(_ images: Tensor) throws(ShapeError) -> Tensor {
        try images.mean(axes: [1, 2], keepDims: true)
    }
}

/// The largest pixel under a moving window, channel by channel: `y[i, j, c] = max x[i·stride + r - padding, …, c]`
/// over the window's `r` and `s`. Padding never wins. Ranzato et al. 2007, "Unsupervised learning of invariant
/// feature hierarchies with applications to object recognition".
///
/// - Input: `[batch, height, width, channels]`.
/// - Output: `[batch, height', width', channels]`; `height'` and `width'` follow from `padding`.
/// - Errors: `ShapeError` when built, for sizes that are not positive or exceed 65,536, and when no window fits
///   the image.
public typealias MaxPooling2D = Pooling2D<MaximumPooling>

/// The mean under a moving window, channel by channel: `y[i, j, c] = mean x[i·stride + r - padding, …, c]` over
/// the window's `r` and `s`. Padding is not counted. LeCun et al. 1998, "Gradient-based learning applied to
/// document recognition".
///
/// - Input: `[batch, height, width, channels]`.
/// - Output: `[batch, height', width', channels]`; `height'` and `width'` follow from `padding`.
/// - Errors: `ShapeError` when built, for sizes that are not positive or exceed 65,536, and when no window fits
///   the image.
public typealias AveragePooling2D = Pooling2D<MeanPooling>

/// The largest step under a moving window over sequences, channel by channel: `MaxPooling2D` of images of height
/// 1.
///
/// - Input: `[batch, steps, channels]`.
/// - Output: `[batch, steps', channels]`; `steps'` follows from `padding`.
/// - Errors: `ShapeError` when built, as `MaxPooling2D`.
public typealias MaxPooling1D = Pooling1D<MaximumPooling>

/// The mean under a moving window over sequences, channel by channel: `AveragePooling2D` of images of height 1.
///
/// - Input: `[batch, steps, channels]`.
/// - Output: `[batch, steps', channels]`; `steps'` follows from `padding`.
/// - Errors: `ShapeError` when built, as `AveragePooling2D`.
public typealias AveragePooling1D = Pooling1D<MeanPooling>

/// `MaxPooling2D`, `AveragePooling2D` or another kind of pooling over images.
public typealias Pooling2D<Kind: PoolingKind> = Pooling<TwoAxes, Kind>

/// `MaxPooling1D`, `AveragePooling1D` or another kind of pooling over sequences.
public typealias Pooling1D<Kind: PoolingKind> = Pooling<OneAxis, Kind>

/// A window that moves over images or sequences and makes one pixel or step of those under it.
public final class Pooling<Axes: SpatialAxes, Kind: PoolingKind>: SpatialLayer {
    public static var typeName: String { "\(Kind.name)Pooling\(Axes.count)D" }
    public static var spatialAxes: Int { Axes.count }
    public let name: String?
    public let dataFormat: DataFormat
    private let window: WindowArguments<Axes, Padding>

    public var poolSize: Axes.Size { window.window }
    public var strides: Axes.Size { window.strides }
    public var padding: Padding { window.padding }

    /// - Parameters:
    ///   - poolSize: height and width of the window in pixels, or its length in steps.
    ///   - strides: pixels or steps from one window to the next; `poolSize` when nil, so that windows do not overlap.
    ///   - padding: what is done at the border.
    ///   - dataFormat: where the channels are.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public convenience init(
        poolSize: Axes.Size = 2, strides: Axes.Size? = nil, padding: Padding = .valid,
        dataFormat: DataFormat = .channelsLast, name: String? = nil
    ) {
        self.init(
            window: WindowArguments(poolSize: poolSize, strides: strides, padding: padding),
            dataFormat: dataFormat, name: name)
    }

    private init(window: WindowArguments<Axes, Padding>, dataFormat: DataFormat, name: String?) {
        self.window = window
        self.dataFormat = dataFormat
        self.name = name
    }

    public func build(images: Shape, in scope: inout BuildScope) {}

    public func call(images: Tensor) throws(ShapeError) -> Tensor {
        try Kind.pool(images, window.path(over: images.shape.imageSize, layer: Self.typeName))
    }

    public var configuration: Configuration { window.configuration.with(dataFormat.configuration) }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            window: try WindowArguments(.poolSize, &configuration),
            dataFormat: try DataFormat(&configuration), name: name)
    }
}
