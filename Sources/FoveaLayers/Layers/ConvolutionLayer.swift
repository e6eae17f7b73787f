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
public typealias Conv2D = ConvolutionLayer<TwoAxes>

/// 1-D convolution over sequences: `y = activation(x ⊛ kernel + bias)`, where each output step sums the products
/// of a filter with the steps under it (the filter is not flipped):
/// `(x ⊛ k)[t, o] = Σ_{s, c} x[t·stride + s·dilation - padding, c] · k[s, c, o]`. Waibel et al. 1989, "Phoneme
/// recognition using time-delay neural networks".
///
/// - Input: `[batch, steps, channels]`.
/// - Output: `[batch, steps', filters]`; `steps'` follows from `padding`.
/// - Parameters: `kernel` `[kernel size, channels / groups, filters]`, `bias` `[filters]`.
/// - Errors: `ShapeError` when built, as `Conv2D`; it speaks of a sequence as an image of height 1.
public typealias Conv1D = ConvolutionLayer<OneAxis>

/// Filters that move over images or sequences: `Conv2D` or `Conv1D`.
public final class ConvolutionLayer<Axes: SpatialAxes>: SpatialLayer {
    public static var typeName: String { "Conv\(Axes.count)D" }
    public static var spatialAxes: Int { Axes.count }
    public let name: String?
    public let filters: Int
    public let groups: Int
    public let dataFormat: DataFormat
    private let window: WindowArguments<Axes, Axes.ConvolutionPadding>
    private let arguments: KernelArguments

    public var ownParameters: [Parameter] { arguments.parameters }
    public var kernel: Parameter { arguments.kernel }
    /// Nil without bias.
    public var bias: Parameter? { arguments.bias }
    public var activation: ActivationFunction { arguments.activation }
    public var kernelSize: Axes.Size { window.window }
    public var strides: Axes.Size { window.strides }
    public var dilationRate: Axes.Size { window.dilations }
    public var padding: Axes.ConvolutionPadding { window.padding }

    /// - Parameters:
    ///   - filters: how many features are computed for each pixel or step.
    ///   - kernelSize: height and width of a filter in pixels, or its length in steps.
    ///   - strides: pixels or steps from one window to the next.
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
        filters: Int, kernelSize: Axes.Size, strides: Axes.Size = 1,
        padding: Axes.ConvolutionPadding = .valid,
        dataFormat: DataFormat = .channelsLast, dilationRate: Axes.Size = 1, groups: Int = 1,
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

    private init(
        filters: Int, groups: Int, window: WindowArguments<Axes, Axes.ConvolutionPadding>,
        dataFormat: DataFormat, arguments: KernelArguments, name: String?
    ) {
        self.filters = filters
        self.groups = groups
        self.window = window
        self.dataFormat = dataFormat
        self.arguments = arguments
        self.name = name
    }

    public func build(images: Shape, in scope: inout BuildScope) throws(ShapeError) {
        _ = try window.path(over: images.imageSize, layer: Self.typeName)
        try window.checkDilatedStrides(layer: Self.typeName)
        guard filters > 0 else { throw error("filters must be positive, not \(filters)") }
        guard groups > 0, images.channels % groups == 0, filters % groups == 0 else {
            throw error(
                "groups must be positive and divide both the \(images.channels) channels and the \(filters) "
                    + "filters, not \(groups)")
        }
        try arguments.declare(
            kernel: Axes.kernelShape(kernelSize, images.channels / groups, filters), bias: filters, in: &scope
        )
    }

    public func call(images: Tensor) throws(ShapeError) -> Tensor {
        let path = try window.path(over: images.shape.imageSize, layer: Self.typeName)
        return try arguments.finish(
            images.convolved(with: Axes.imageKernel(kernel.tensor), Convolution(path, groups: groups)))
    }

    public var configuration: Configuration {
        arguments.configuration.with(window.configuration).with(dataFormat.configuration)
            .with(["filters": .integer(filters), "groups": .integer(groups)])
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            filters: try configuration.integer("filters"), groups: try configuration.integer("groups"),
            window: try WindowArguments(.kernelSize, &configuration),
            dataFormat: try DataFormat(&configuration), arguments: try KernelArguments(&configuration),
            name: name)
    }
}

extension Convolution {
    /// The convolution whose window takes the given path.
    init(_ path: SlidingWindow, groups: Int = 1) {
        self.init(
            strides: path.strides, dilations: path.dilations, padding: path.padding, groups: groups)
    }
}
