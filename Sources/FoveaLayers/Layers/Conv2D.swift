import FoveaGraph

/// 2-D convolution: `y = activation(x ⊛ kernel + bias)`, where each output pixel sums the products of a
/// filter with the pixels under it (the filter is not flipped).
///
/// - Input: `[batch, height, width, channels]`.
/// - Output: `[batch, height', width', filters]`; `height'` and `width'` follow from `padding`.
/// - Parameters: `kernel` `[kernel height, kernel width, channels / groups, filters]`, `bias` `[filters]`.
public final class Conv2D: UnaryLayer {
    public static let typeName = "Conv2D"
    public let name: String?
    public let filters: Int
    public let groups: Int
    private let arguments: KernelArguments
    private let window: WindowArguments

    public var kernel: Parameter { arguments.kernel }
    /// Nil without bias.
    public var bias: Parameter? { arguments.bias }
    public var activation: ActivationFunction { arguments.activation }
    public var kernelSize: Size2D { window.window }
    public var strides: Size2D { window.strides }
    public var dilationRate: Size2D { window.dilations }
    public var padding: Padding { window.padding }
    public var ownParameters: [Parameter] { arguments.parameters }

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
    ///   - kernelRegularizer: a penalty of the kernel, added to the loss.
    ///   - biasRegularizer: a penalty of the bias, added to the loss.
    ///   - activityRegularizer: a penalty of the output, added to the loss.
    ///   - kernelConstraint: a rule that the kernel keeps to after each step of training.
    ///   - biasConstraint: a rule that the bias keeps to.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public convenience init(
        filters: Int, kernelSize: Size2D, strides: Size2D = 1, padding: Padding = .valid,
        dilationRate: Size2D = 1, groups: Int = 1, activation: ActivationFunction = .linear,
        useBias: Bool = true, kernelInitializer: Initializer = .glorotUniform,
        biasInitializer: Initializer = .zeros, kernelRegularizer: Regularizer? = nil,
        biasRegularizer: Regularizer? = nil, activityRegularizer: Regularizer? = nil,
        kernelConstraint: Constraint? = nil, biasConstraint: Constraint? = nil, name: String? = nil
    ) {
        self.init(
            filters: filters, groups: groups,
            window: WindowArguments(
                window: kernelSize, strides: strides, dilations: dilationRate, padding: padding),
            arguments: KernelArguments(
                activation: activation, useBias: useBias, kernelInitializer: kernelInitializer,
                biasInitializer: biasInitializer, kernelRegularizer: kernelRegularizer,
                biasRegularizer: biasRegularizer, activityRegularizer: activityRegularizer,
                kernelConstraint: kernelConstraint, biasConstraint: biasConstraint), name: name)
    }

    private init(
        filters: Int, groups: Int, window: WindowArguments, arguments: KernelArguments, name: String?
    ) {
        self.filters = filters
        self.groups = groups
        self.window = window
        self.arguments = arguments
        self.name = name
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
        try arguments.declare(
            kernel: [kernelSize.height, kernelSize.width, channels / groups, filters], bias: filters,
            in: &scope)
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        let path = try path(over: x.shape)
        let convolution = Convolution(
            strides: strides, dilations: dilationRate, padding: path.padding, groups: groups)
        return try arguments.finish(x.convolved(with: kernel.tensor, convolution))
    }

    private func path(over images: Shape) throws(ShapeError) -> SlidingWindow {
        try window.path(over: images, layer: Self.typeName, name: "kernelSize")
    }

    public var configuration: Configuration {
        arguments.configuration.with([
            "filters": .integer(filters), "kernel_size": .size(kernelSize), "strides": .size(strides),
            "padding": .string(padding.rawValue), "dilation_rate": .size(dilationRate),
            "groups": .integer(groups),
        ])
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            filters: try configuration.integer("filters"), groups: try configuration.integer("groups"),
            window: WindowArguments(
                window: try configuration.size("kernel_size"), strides: try configuration.size("strides"),
                dilations: try configuration.size("dilation_rate"),
                padding: try configuration.choice("padding")),
            arguments: try KernelArguments(&configuration), name: name)
    }
}
