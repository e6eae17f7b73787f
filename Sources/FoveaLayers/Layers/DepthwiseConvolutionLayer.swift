import FoveaGraph

/// Depthwise 2-D convolution: each channel is convolved with `depthMultiplier` filters of its own, and channels
/// are not mixed: `y[…, c·depthMultiplier + m] = activation(x[…, c] ⊛ kernel[…, c, m] + bias)`. Howard et al.
/// 2017, arXiv:1704.04861.
///
/// - Input: `[batch, height, width, channels]`.
/// - Output: `[batch, height', width', channels · depthMultiplier]`; `height'` and `width'` follow from `padding`.
/// - Parameters: `kernel` `[kernel height, kernel width, channels, depthMultiplier]`, `bias`
///   `[channels · depthMultiplier]`.
/// - Errors: `ShapeError` when built, for sizes that are not positive or exceed 65,536, for a multiplier that is
///   not positive, and when no window fits the image.
public typealias DepthwiseConv2D = DepthwiseConvolutionLayer<TwoAxes>

/// Depthwise 1-D convolution: each channel of a sequence is convolved with `depthMultiplier` filters of its own:
/// `DepthwiseConv2D` of images of height 1.
///
/// - Input: `[batch, steps, channels]`.
/// - Output: `[batch, steps', channels · depthMultiplier]`; `steps'` follows from `padding`.
/// - Parameters: `kernel` `[kernel size, channels, depthMultiplier]`, `bias` `[channels · depthMultiplier]`.
/// - Errors: `ShapeError` when built, as `DepthwiseConv2D`.
public typealias DepthwiseConv1D = DepthwiseConvolutionLayer<OneAxis>

/// Filters that see one channel each: `DepthwiseConv2D` or `DepthwiseConv1D`.
public final class DepthwiseConvolutionLayer<Axes: SpatialAxes>: SpatialLayer {
    public static var typeName: String { "DepthwiseConv\(Axes.count)D" }
    public static var spatialAxes: Int { Axes.count }
    public let name: String?
    public let dataFormat: DataFormat
    private let depthwise: DepthwiseArguments<Axes>
    private let arguments: KernelArguments

    public var kernel: Parameter { arguments.kernel }
    /// Nil without bias.
    public var bias: Parameter? { arguments.bias }
    public var activation: ActivationFunction { arguments.activation }
    public var kernelSize: Axes.Size { depthwise.window.window }
    public var strides: Axes.Size { depthwise.window.strides }
    public var dilationRate: Axes.Size { depthwise.window.dilations }
    public var padding: Padding { depthwise.window.padding }
    public var depthMultiplier: Int { depthwise.multiplier }
    public var ownParameters: [Parameter] { arguments.parameters }

    /// - Parameters:
    ///   - kernelSize: height and width of a filter in pixels, or its length in steps.
    ///   - strides: pixels or steps from one window to the next.
    ///   - padding: what is done at the border.
    ///   - depthMultiplier: how many filters each channel has.
    ///   - dataFormat: where the channels are.
    ///   - dilationRate: distance between the pixels that a filter sees.
    ///   - activation: applied to the result.
    ///   - useBias: whether a number per output channel is added.
    ///   - depthwiseInitializer: first values of the kernel.
    ///   - biasInitializer: first values of the bias.
    ///   - depthwiseRegularizer: a penalty of the kernel, added to the loss.
    ///   - biasRegularizer: a penalty of the bias, added to the loss.
    ///   - activityRegularizer: a penalty of the output, added to the loss as the mean over the batch's examples.
    ///   - depthwiseConstraint: a rule that the kernel keeps to after each step of training.
    ///   - biasConstraint: a rule that the bias keeps to.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public convenience init(
        kernelSize: Axes.Size, strides: Axes.Size = 1, padding: Padding = .valid, depthMultiplier: Int = 1,
        dataFormat: DataFormat = .channelsLast, dilationRate: Axes.Size = 1,
        activation: ActivationFunction = .linear,
        useBias: Bool = true, depthwiseInitializer: Initializer = .glorotUniform,
        biasInitializer: Initializer = .zeros, depthwiseRegularizer: Regularizer? = nil,
        biasRegularizer: Regularizer? = nil, activityRegularizer: Regularizer? = nil,
        depthwiseConstraint: Constraint? = nil, biasConstraint: Constraint? = nil, name: String? = nil
    ) {
        self.init(
            depthwise: DepthwiseArguments(
                multiplier: depthMultiplier,
                window: WindowArguments(
                    kernelSize: kernelSize, strides: strides, dilationRate: dilationRate, padding: padding)),
            dataFormat: dataFormat,
            arguments: KernelArguments(
                kernelKey: "depthwise", activation: activation, useBias: useBias,
                kernelInitializer: depthwiseInitializer, biasInitializer: biasInitializer,
                kernelRegularizer: depthwiseRegularizer, biasRegularizer: biasRegularizer,
                activityRegularizer: activityRegularizer, kernelConstraint: depthwiseConstraint,
                biasConstraint: biasConstraint), name: name)
    }

    private init(
        depthwise: DepthwiseArguments<Axes>, dataFormat: DataFormat, arguments: KernelArguments,
        name: String?
    ) {
        self.depthwise = depthwise
        self.dataFormat = dataFormat
        self.arguments = arguments
        self.name = name
    }

    public func build(images: Shape, in scope: inout BuildScope) throws(ShapeError) {
        let channels = try depthwise.check(images: images, layer: Self.typeName)
        try arguments.declare(
            kernel: depthwise.kernelShape(channels: images.channels), bias: channels, in: &scope)
    }

    public func call(images: Tensor) throws(ShapeError) -> Tensor {
        try arguments.finish(depthwise.convolved(images, with: kernel.tensor, layer: Self.typeName))
    }

    public var configuration: Configuration {
        arguments.configuration.with(depthwise.configuration).with(dataFormat.configuration)
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            depthwise: try DepthwiseArguments(&configuration), dataFormat: try DataFormat(&configuration),
            arguments: try KernelArguments(kernelKey: "depthwise", &configuration), name: name)
    }
}
