import FoveaGraph

/// 2-D convolution: `y = activation(x ⊛ kernel + bias)`, where each output pixel sums the products of a
/// filter with the pixels under it (the filter is not flipped).
///
/// - Input: `[batch, height, width, channels]`.
/// - Output: `[batch, height', width', filters]`; `height'` and `width'` follow from `padding`.
/// - Parameters: `kernel` `[kernel height, kernel width, channels / groups, filters]`, `bias` `[filters]`.
public final class Conv2D: Layer {
    public static let typeName = "Conv2D"
    public let name: String?
    public let filters: Int
    public let groups: Int
    public let activation: ActivationFunction
    public let kernel: Parameter
    /// Nil without bias.
    public let bias: Parameter?
    /// Kept for the configuration, also without bias.
    private let biasInitializer: Initializer
    private let window: WindowArguments

    public var kernelSize: Size2D { window.window }
    public var strides: Size2D { window.strides }
    public var dilationRate: Size2D { window.dilations }
    public var padding: Padding { window.padding }
    public var ownParameters: [Parameter] { [kernel] + (bias.map { [$0] } ?? []) }

    /// - Parameters:
    ///   - filters: how many features are computed for each pixel.
    ///   - kernelSize: height and width of a filter, in pixels.
    ///   - strides: steps from one window to the next.
    ///   - padding: what is done at the border.
    ///   - dilationRate: distance between the pixels that a filter sees; with more than 1, strides must be 1.
    ///   - groups: into how many independent parts channels and filters are divided.
    ///   - activation: applied to the result.
    ///   - useBias: whether a number per filter is added.
    ///   - kernelInitializer: first values of the kernel.
    ///   - biasInitializer: first values of the bias.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(
        filters: Int, kernelSize: Size2D, strides: Size2D = 1, padding: Padding = .valid,
        dilationRate: Size2D = 1,
        groups: Int = 1, activation: ActivationFunction = .linear, useBias: Bool = true,
        kernelInitializer: Initializer = .glorotUniform, biasInitializer: Initializer = .zeros,
        name: String? = nil
    ) {
        self.filters = filters
        self.groups = groups
        self.activation = activation
        self.name = name
        self.biasInitializer = biasInitializer
        kernel = Parameter("kernel", initializer: kernelInitializer)
        bias = useBias ? Parameter("bias", initializer: biasInitializer) : nil
        window = WindowArguments(
            window: kernelSize, strides: strides, dilations: dilationRate, padding: padding)
    }

    public func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {
        _ = try path(over: input)
        guard filters > 0 else { throw error("filters must be positive, not \(filters)", input) }
        guard strides == 1 || dilationRate == 1 else {
            throw error(
                "strides \(strides) and dilationRate \(dilationRate) cannot both exceed 1; set one to 1",
                input)
        }
        let channels = input.channels
        guard groups > 0, channels % groups == 0, filters % groups == 0 else {
            throw error(
                "groups must be positive and divide both the \(channels) channels and the \(filters) "
                    + "filters, not \(groups)", input)
        }
        try kernel.declare(
            shape: [kernelSize.height, kernelSize.width, channels / groups, filters], in: &scope)
        try bias?.declare(shape: [filters], in: &scope)
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        let path = try path(over: x.shape)
        let convolution = Convolution(
            strides: strides, dilations: dilationRate, padding: path.padding, groups: groups)
        var y = try x.convolved(with: kernel.tensor, convolution)
        if let bias { y = try y + bias.tensor }
        return try activation(y)
    }

    private func path(over images: Shape) throws(ShapeError) -> SlidingWindow {
        try window.path(over: images, layer: Self.typeName, name: "kernelSize")
    }

    public var configuration: Configuration {
        [
            "filters": .integer(filters), "kernel_size": .size(kernelSize), "strides": .size(strides),
            "padding": .string(padding.rawValue), "dilation_rate": .size(dilationRate),
            "groups": .integer(groups),
            "activation": .string(activation.rawValue), "use_bias": .bool(bias != nil),
            "kernel_initializer": kernel.initializer.configuration,
            "bias_initializer": biasInitializer.configuration,
        ]
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            filters: try configuration.integer("filters"), kernelSize: try configuration.size("kernel_size"),
            strides: try configuration.size("strides"), padding: try configuration.choice("padding"),
            dilationRate: try configuration.size("dilation_rate"),
            groups: try configuration.integer("groups"),
            activation: try configuration.choice("activation"), useBias: try configuration.bool("use_bias"),
            kernelInitializer: try configuration.initializer("kernel_initializer"),
            biasInitializer: try configuration.initializer("bias_initializer"), name: name)
    }
}
