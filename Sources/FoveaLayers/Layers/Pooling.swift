import FoveaGraph

/// The largest value under a moving window, channel by channel.
///
/// - Input: `[batch, height, width, channels]`.
/// - Output: `[batch, height', width', channels]`; `height'` and `width'` follow from `padding`, which never
///   wins.
public final class MaxPooling2D: UnaryLayer {
    public static let typeName = "MaxPooling2D"
    public let name: String?
    private let window: WindowArguments

    public var poolSize: Size2D { window.window }
    public var strides: Size2D { window.strides }
    public var padding: Padding { window.padding }

    /// - Parameters:
    ///   - poolSize: height and width of the window, in pixels.
    ///   - strides: steps from one window to the next; `poolSize` when nil, so that windows do not overlap.
    ///   - padding: what is done at the border.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(poolSize: Size2D = 2, strides: Size2D? = nil, padding: Padding = .valid, name: String? = nil)
    {
        window = WindowArguments(window: poolSize, strides: strides ?? poolSize, padding: padding)
        self.name = name
    }

    public func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {
        _ = try window.path(over: input, layer: Self.typeName, name: "poolSize")
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        try x.maxPooled(window.path(over: x.shape, layer: Self.typeName, name: "poolSize"))
    }

    public var configuration: Configuration { window.poolingConfiguration }

    public init(name: String?, configuration: inout ConfigurationReader) throws(ConfigurationError) {
        window = try WindowArguments(pooling: &configuration)
        self.name = name
    }
}

/// The mean under a moving window, channel by channel. Padding is not counted.
///
/// - Input: `[batch, height, width, channels]`.
/// - Output: `[batch, height', width', channels]`; `height'` and `width'` follow from `padding`.
public final class AveragePooling2D: UnaryLayer {
    public static let typeName = "AveragePooling2D"
    public let name: String?
    private let window: WindowArguments

    public var poolSize: Size2D { window.window }
    public var strides: Size2D { window.strides }
    public var padding: Padding { window.padding }

    /// - Parameters:
    ///   - poolSize: height and width of the window, in pixels.
    ///   - strides: steps from one window to the next; `poolSize` when nil, so that windows do not overlap.
    ///   - padding: what is done at the border.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(poolSize: Size2D = 2, strides: Size2D? = nil, padding: Padding = .valid, name: String? = nil)
    {
        window = WindowArguments(window: poolSize, strides: strides ?? poolSize, padding: padding)
        self.name = name
    }

    public func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {
        _ = try window.path(over: input, layer: Self.typeName, name: "poolSize")
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        try x.averagePooled(window.path(over: x.shape, layer: Self.typeName, name: "poolSize"))
    }

    public var configuration: Configuration { window.poolingConfiguration }

    public init(name: String?, configuration: inout ConfigurationReader) throws(ConfigurationError) {
        window = try WindowArguments(pooling: &configuration)
        self.name = name
    }
}

extension WindowArguments {
    fileprivate var poolingConfiguration: Configuration {
        ["pool_size": .size(window), "strides": .size(strides), "padding": .string(padding.rawValue)]
    }

    fileprivate init(pooling configuration: inout ConfigurationReader) throws(ConfigurationError) {
        self.init(
            window: try configuration.size("pool_size"), strides: try configuration.size("strides"),
            padding: try configuration.choice("padding"))
    }
}

/// The mean of each channel over the whole image. Lin et al. 2013, arXiv:1312.4400.
///
/// - Input: `[batch, height, width, channels]`.
/// - Output: `[batch, channels]`, or `[batch, 1, 1, channels]` when dimensions are kept.
public final class GlobalAveragePooling2D: UnaryLayer {
    public static let typeName = "GlobalAveragePooling2D"
    public let name: String?
    public let keepDims: Bool

    /// - Parameters:
    ///   - keepDims: whether height and width stay, as 1.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(keepDims: Bool = false, name: String? = nil) {
        self.keepDims = keepDims
        self.name = name
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        guard x.shape.rank == 4 else {
            throw error("it works on images [batch, height, width, channels]; put it before Flatten", x.shape)
        }
        return try x.mean(axes: [1, 2], keepDims: keepDims)
    }

    public var configuration: Configuration { ["keepdims": .bool(keepDims)] }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(keepDims: try configuration.bool("keepdims"), name: name)
    }
}
