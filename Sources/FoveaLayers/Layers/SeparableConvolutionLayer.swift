import FoveaGraph

/// Separable 2-D convolution: a depthwise convolution, whose filters see one channel each, and a convolution of
/// single pixels that mixes the channels: `y = activation((x ⊛ depthwise kernel) · pointwise kernel + bias)`.
/// Chollet 2016, arXiv:1610.02357.
///
/// - Input: `[batch, height, width, channels]`.
/// - Output: `[batch, height', width', filters]`; `height'` and `width'` follow from `padding`.
/// - Parameters: `depthwise_kernel` `[kernel height, kernel width, channels, depthMultiplier]`, `pointwise_kernel`
///   `[1, 1, channels · depthMultiplier, filters]`, `bias` `[filters]`.
/// - Errors: `ShapeError` when built, for sizes that are not positive or exceed 65,536, for filters or a
///   multiplier that are not positive, and when no window fits the image.
public typealias SeparableConv2D = SeparableConvolutionLayer<TwoAxes>

/// Separable 1-D convolution over sequences: a depthwise convolution, and one of single steps that mixes the channels:
/// `SeparableConv2D` of images of height 1.
///
/// - Input: `[batch, steps, channels]`.
/// - Output: `[batch, steps', filters]`; `steps'` follows from `padding`.
/// - Parameters: `depthwise_kernel` `[kernel size, channels, depthMultiplier]`, `pointwise_kernel`
///   `[1, channels · depthMultiplier, filters]`, `bias` `[filters]`.
/// - Errors: `ShapeError` when built, as `SeparableConv2D`.
public typealias SeparableConv1D = SeparableConvolutionLayer<OneAxis>

/// Depthwise filters and a mixture of the channels: `SeparableConv2D` or `SeparableConv1D`.
public final class SeparableConvolutionLayer<Axes: SpatialAxes>: SpatialLayer {
    public static var typeName: String { "SeparableConv\(Axes.count)D" }
    public static var spatialAxes: Int { Axes.count }
    public let name: String?
    public let filters: Int
    public let dataFormat: DataFormat
    public let depthwiseKernel: Parameter
    private let depthwise: DepthwiseArguments<Axes>
    private let arguments: KernelArguments

    public var pointwiseKernel: Parameter { arguments.kernel }
    /// Nil without bias.
    public var bias: Parameter? { arguments.bias }
    public var activation: ActivationFunction { arguments.activation }
    public var kernelSize: Axes.Size { depthwise.window.window }
    public var strides: Axes.Size { depthwise.window.strides }
    public var dilationRate: Axes.Size { depthwise.window.dilations }
    public var padding: Padding { depthwise.window.padding }
    public var depthMultiplier: Int { depthwise.multiplier }
    public var ownParameters: [Parameter] { [depthwiseKernel] + arguments.parameters }

    /// - Parameters:
    ///   - filters: how many features are computed for each pixel or step.
    ///   - kernelSize: height and width of a depthwise filter in pixels, or its length in steps.
    ///   - strides: pixels or steps from one window to the next.
    ///   - padding: what is done at the border.
    ///   - dataFormat: where the channels are.
    ///   - dilationRate: distance between the pixels that a depthwise filter sees.
    ///   - depthMultiplier: how many depthwise filters each channel has.
    ///   - activation: applied to the result.
    ///   - useBias: whether a number per filter is added.
    ///   - depthwiseInitializer: first values of the depthwise kernel.
    ///   - pointwiseInitializer: first values of the pointwise kernel.
    ///   - biasInitializer: first values of the bias.
    ///   - depthwiseRegularizer: a penalty of the depthwise kernel, added to the loss.
    ///   - pointwiseRegularizer: a penalty of the pointwise kernel, added to the loss.
    ///   - biasRegularizer: a penalty of the bias, added to the loss.
    ///   - activityRegularizer: a penalty of the output, added to the loss as the mean over the batch's examples.
    ///   - depthwiseConstraint: a rule that the depthwise kernel keeps to after each step of training.
    ///   - pointwiseConstraint: a rule that the pointwise kernel keeps to.
    ///   - biasConstraint: a rule that the bias keeps to.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public convenience init(
        filters: Int, kernelSize: Axes.Size, strides: Axes.Size = 1, padding: Padding = .valid,
        dataFormat: DataFormat = .channelsLast, dilationRate: Axes.Size = 1, depthMultiplier: Int = 1,
        activation: ActivationFunction = .linear, useBias: Bool = true,
        depthwiseInitializer: Initializer = .glorotUniform,
        pointwiseInitializer: Initializer = .glorotUniform, biasInitializer: Initializer = .zeros,
        depthwiseRegularizer: Regularizer? = nil, pointwiseRegularizer: Regularizer? = nil,
        biasRegularizer: Regularizer? = nil, activityRegularizer: Regularizer? = nil,
        depthwiseConstraint: Constraint? = nil, pointwiseConstraint: Constraint? = nil,
        biasConstraint: Constraint? = nil, name: String? = nil
    ) {
        self.init(
            filters: filters,
            depthwise: DepthwiseArguments(
                multiplier: depthMultiplier,
                window: WindowArguments(
                    kernelSize: kernelSize, strides: strides, dilationRate: dilationRate, padding: padding)),
            dataFormat: dataFormat,
            depthwiseKernel: Parameter(
                "depthwise_kernel", initializer: depthwiseInitializer, regularizer: depthwiseRegularizer,
                constraint: depthwiseConstraint),
            arguments: KernelArguments(
                kernelName: "pointwise_kernel", kernelKey: "pointwise", activation: activation,
                useBias: useBias, kernelInitializer: pointwiseInitializer, biasInitializer: biasInitializer,
                kernelRegularizer: pointwiseRegularizer, biasRegularizer: biasRegularizer,
                activityRegularizer: activityRegularizer, kernelConstraint: pointwiseConstraint,
                biasConstraint: biasConstraint), name: name)
    }

    private init(
        filters: Int, depthwise: DepthwiseArguments<Axes>, dataFormat: DataFormat,
        depthwiseKernel: Parameter, arguments: KernelArguments, name: String?
    ) {
        self.filters = filters
        self.depthwise = depthwise
        self.dataFormat = dataFormat
        self.depthwiseKernel = depthwiseKernel
        self.arguments = arguments
        self.name = name
    }

    public func build(images: Shape, in scope: inout BuildScope) throws(ShapeError) {
        let channels = try depthwise.check(images: images, layer: Self.typeName)
        guard filters > 0 else { throw error("filters must be positive, not \(filters)") }
        try depthwiseKernel.declare(shape: depthwise.kernelShape(channels: images.channels), in: &scope)
        try arguments.declare(kernel: Axes.kernelShape(1, channels, filters), bias: filters, in: &scope)
    }

    public func call(images: Tensor) throws(ShapeError) -> Tensor {
        let features = try depthwise.convolved(
            images, with: depthwiseKernel.tensor, layer: Self.typeName)
        return try arguments.finish(features.convolved(with: Axes.imageKernel(pointwiseKernel.tensor)))
    }

    public var configuration: Configuration {
        arguments.configuration.with(depthwiseKernel.settings("depthwise")).with(depthwise.configuration)
            .with(dataFormat.configuration).with(["filters": .integer(filters)])
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            filters: try configuration.integer("filters"), depthwise: try DepthwiseArguments(&configuration),
            dataFormat: try DataFormat(&configuration),
            depthwiseKernel: try Parameter("depthwise_kernel", key: "depthwise", &configuration),
            arguments: try KernelArguments(
                kernelName: "pointwise_kernel", kernelKey: "pointwise", &configuration), name: name)
    }
}
