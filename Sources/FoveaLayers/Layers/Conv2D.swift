import FoveaGraph

/// 2-D convolution: `y = activation(x ⊛ kernel + bias)`, where each output pixel sums the products of a filter
/// with the pixels under it (the filter is not flipped):
/// `(x ⊛ k)[i, j, o] = Σ_{r, s, c} x[i·stride + r·dilation - padding, …, c] · k[r, s, c, o]`. LeCun et al. 1989,
/// "Backpropagation applied to handwritten zip code recognition".
///
/// - Input: `[batch, height, width, channels]`.
/// - Output: `[batch, height', width', filters]`; `height'` and `width'` follow from `padding`.
/// - Parameters: `kernel` `[kernel height, kernel width, channels / groups, filters]`, `bias` `[filters]`.
/// - Errors: `ShapeError` when built, for sizes that are not positive or exceed 65,536, for strides and dilations
///   that both exceed 1, for groups that do not divide channels and filters, and when no window fits the image.
public final class Conv2D: ConvolutionLayer {
    public static let typeName = "Conv2D"
    public let name: String?
    public let filters: Int
    public let groups: Int
    public let dataFormat: DataFormat
    let window: WindowArguments
    let arguments: KernelArguments

    public var ownParameters: [Parameter] { arguments.parameters }
    public var kernel: Parameter { arguments.kernel }
    /// Nil without bias.
    public var bias: Parameter? { arguments.bias }
    public var activation: ActivationFunction { arguments.activation }
    public var kernelSize: Size2D { window.window }
    public var strides: Size2D { window.strides }
    public var dilationRate: Size2D { window.dilations }
    public var padding: Padding { window.padding }

    /// - Parameters:
    ///   - filters: how many features are computed for each pixel.
    ///   - kernelSize: height and width of a filter, in pixels.
    ///   - strides: steps from one window to the next.
    ///   - padding: what is done at the border.
    ///   - dataFormat: where the channels are.
    ///   - dilationRate: distance between the pixels that a filter sees; with more than 1, strides must be 1.
    ///   - groups: into how many independent parts channels and filters are divided.
    ///   - activation: applied to the result.
    ///   - useBias: whether a number per filter is added.
    ///   - kernelInitializer: first values of the kernel.
    ///   - biasInitializer: first values of the bias.
    ///   - kernelRegularizer: a penalty of the kernel, added to the loss.
    ///   - biasRegularizer: a penalty of the bias, added to the loss.
    ///   - activityRegularizer: a penalty of the output, added to the loss as the mean over the batch's examples.
    ///   - kernelConstraint: a rule that the kernel keeps to after each step of training.
    ///   - biasConstraint: a rule that the bias keeps to.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public convenience init(
        filters: Int, kernelSize: Size2D, strides: Size2D = 1, padding: Padding = .valid,
        dataFormat: DataFormat = .channelsLast, dilationRate: Size2D = 1, groups: Int = 1,
        activation: ActivationFunction = .linear,
        useBias: Bool = true, kernelInitializer: Initializer = .glorotUniform,
        biasInitializer: Initializer = .zeros, kernelRegularizer: Regularizer? = nil,
        biasRegularizer: Regularizer? = nil, activityRegularizer: Regularizer? = nil,
        kernelConstraint: Constraint? = nil, biasConstraint: Constraint? = nil, name: String? = nil
    ) {
        self.init(
            filters: filters, groups: groups,
            window: WindowArguments(
                kernelSize: kernelSize, strides: strides, dilationRate: dilationRate, padding: padding),
            dataFormat: dataFormat,
            arguments: KernelArguments(
                activation: activation, useBias: useBias, kernelInitializer: kernelInitializer,
                biasInitializer: biasInitializer, kernelRegularizer: kernelRegularizer,
                biasRegularizer: biasRegularizer, activityRegularizer: activityRegularizer,
                kernelConstraint: kernelConstraint, biasConstraint: biasConstraint), name: name)
    }

    init(
        filters: Int, groups: Int, window: WindowArguments, dataFormat: DataFormat,
        arguments: KernelArguments,
        name: String?
    ) {
        self.filters = filters
        self.groups = groups
        self.window = window
        self.dataFormat = dataFormat
        self.arguments = arguments
        self.name = name
    }

    public var configuration: Configuration { settings }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        try self.init(name: name, settings: &configuration)
    }
}
