import FoveaGraph

/// 1-D convolution over sequences: `y = activation(x ⊛ kernel + bias)`, where each output step sums the products
/// of a filter with the steps under it (the filter is not flipped):
/// `(x ⊛ k)[t, o] = Σ_{s, c} x[t·stride + s·dilation - padding, c] · k[s, c, o]`. Waibel et al. 1989, "Phoneme
/// recognition using time-delay neural networks".
///
/// - Input: `[batch, steps, channels]`.
/// - Output: `[batch, steps', filters]`; `steps'` follows from `padding`.
/// - Parameters: `kernel` `[kernel size, channels / groups, filters]`, `bias` `[filters]`.
/// - Errors: `ShapeError` when built, as `Conv2D`; it speaks of a sequence as an image of height 1.
public final class Conv1D: ConvolutionLayer {
    public static let typeName = "Conv1D"
    public static let spatialAxes = 1
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
    public var kernelSize: Int { window.window.width }
    public var strides: Int { window.strides.width }
    public var dilationRate: Int { window.dilations.width }
    public var padding: Padding1D { window.padding1D }

    /// - Parameters:
    ///   - filters: how many features are computed for each step.
    ///   - kernelSize: the length of a filter, in steps.
    ///   - strides: steps from one window to the next.
    ///   - padding: what is done at the ends.
    ///   - dataFormat: where the channels are.
    ///   - dilationRate: distance between the steps that a filter sees; with more than 1, strides must be 1.
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
        filters: Int, kernelSize: Int, strides: Int = 1, padding: Padding1D = .valid,
        dataFormat: DataFormat = .channelsLast, dilationRate: Int = 1, groups: Int = 1,
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
