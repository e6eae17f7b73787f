import FoveaGraph

/// Transposed 2-D convolution, which spreads each pixel over a window of a larger image: the gradient of a
/// convolution with respect to its images, `y = activation(kernel ⊛ᵀ x + bias)` with
/// `(k ⊛ᵀ x)[p, q, o] = Σ x[i, j, c] · k[r, s, o, c]` over all `p = i·stride + r·dilation - padding` and likewise
/// `q`. Dumoulin and Visin 2016, arXiv:1603.07285; Zeiler et al. 2010, "Deconvolutional networks".
///
/// With `reach = dilation·(kernel size - 1) + 1`, an image of `size` pixels gives
///
/// - `.valid`: `(size - 1)·stride + max(reach, stride)` pixels; with output padding `(size - 1)·stride + reach`
///   and that many;
/// - `.same`: `size·stride` pixels; with output padding `(size - 1)·stride + reach mod 2` and that many. What the
///   windows reach beyond them is cut off, the odd row or column at the end.
///
/// - Input: `[batch, height, width, channels]`.
/// - Output: `[batch, height', width', filters]`.
/// - Parameters: `kernel` `[kernel height, kernel width, filters, channels]`, `bias` `[filters]`.
/// - Errors: `ShapeError` when built, for sizes that are not positive or exceed 65,536, for strides and dilations
///   that both exceed 1, for output padding that is negative or not smaller than the strides, and when no pixel is
///   left.
public typealias Conv2DTranspose = TransposedConvolutionLayer<TwoAxes>

/// Transposed 1-D convolution, which spreads each step over a window of a longer sequence: `Conv2DTranspose` of images of
/// height 1.
///
/// - Input: `[batch, steps, channels]`.
/// - Output: `[batch, steps', filters]`; `steps'` as the height of `Conv2DTranspose`.
/// - Parameters: `kernel` `[kernel size, filters, channels]`, `bias` `[filters]`.
/// - Errors: `ShapeError` when built, as `Conv2DTranspose`.
public typealias Conv1DTranspose = TransposedConvolutionLayer<OneAxis>

/// Filters that spread pixels or steps: `Conv2DTranspose` or `Conv1DTranspose`.
public final class TransposedConvolutionLayer<Axes: SpatialAxes>: SpatialLayer {
    public static var typeName: String { "Conv\(Axes.count)DTranspose" }
    public static var spatialAxes: Int { Axes.count }
    public let name: String?
    public let filters: Int
    /// Nil for the sizes that `padding` gives.
    public let outputPadding: Axes.Size?
    public let dataFormat: DataFormat
    private let window: WindowArguments<Axes, Padding>
    private let arguments: KernelArguments

    public var kernel: Parameter { arguments.kernel }
    /// Nil without bias.
    public var bias: Parameter? { arguments.bias }
    public var activation: ActivationFunction { arguments.activation }
    public var kernelSize: Axes.Size { window.window }
    public var strides: Axes.Size { window.strides }
    public var dilationRate: Axes.Size { window.dilations }
    public var padding: Padding { window.padding }
    public var ownParameters: [Parameter] { arguments.parameters }

    /// - Parameters:
    ///   - filters: how many features are computed for each pixel or step.
    ///   - kernelSize: height and width of a filter in pixels, or its length in steps.
    ///   - strides: how many pixels or steps of the output lie between the windows of neighbours.
    ///   - padding: what is done at the border.
    ///   - outputPadding: rows and columns, or steps, of the output beyond the smallest possible, fewer than the stride;
    ///     chosen by `padding` when nil.
    ///   - dataFormat: where the channels are.
    ///   - dilationRate: distance between the pixels that a filter reaches; with more than 1, strides must be 1.
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
        filters: Int, kernelSize: Axes.Size, strides: Axes.Size = 1, padding: Padding = .valid,
        outputPadding: Axes.Size? = nil, dataFormat: DataFormat = .channelsLast,
        dilationRate: Axes.Size = 1,
        activation: ActivationFunction = .linear,
        useBias: Bool = true, kernelInitializer: Initializer = .glorotUniform,
        biasInitializer: Initializer = .zeros, kernelRegularizer: Regularizer? = nil,
        biasRegularizer: Regularizer? = nil, activityRegularizer: Regularizer? = nil,
        kernelConstraint: Constraint? = nil, biasConstraint: Constraint? = nil, name: String? = nil
    ) {
        self.init(
            filters: filters, outputPadding: outputPadding,
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
        filters: Int, outputPadding: Axes.Size?, window: WindowArguments<Axes, Padding>,
        dataFormat: DataFormat, arguments: KernelArguments, name: String?
    ) {
        self.filters = filters
        self.outputPadding = outputPadding
        self.window = window
        self.dataFormat = dataFormat
        self.arguments = arguments
        self.name = name
    }

    public func build(images: Shape, in scope: inout BuildScope) throws(ShapeError) {
        _ = try inverse(of: images.imageSize)
        guard filters > 0 else { throw error("filters must be positive, not \(filters)") }
        try arguments.declare(
            kernel: Axes.kernelShape(kernelSize, filters, images.channels), bias: filters, in: &scope)
    }

    public func call(images: Tensor) throws(ShapeError) -> Tensor {
        let inverse = try inverse(of: images.shape.imageSize)
        return try arguments.finish(
            Tensor(.convolutionInputGradient(inverse), [Axes.imageKernel(kernel.tensor), images]))
    }

    /// The convolution that would make images of the given size from this layer's output, backwards.
    private func inverse(of size: Size2D) throws(ShapeError) -> ConvolutionInputGradient {
        try window.check(layer: Self.typeName)
        try window.checkDilatedStrides(layer: Self.typeName)
        let (reach, steps, dilations) = (
            Axes.imageSize(kernelSize), Axes.imageSize(strides), Axes.imageSize(dilationRate)
        )
        let more = outputPadding.map { Axes.imageSize($0, height: 0) }
        let rows = try output(size.height, reach.height, steps.height, dilations.height, more?.height)
        let columns = try output(size.width, reach.width, steps.width, dilations.width, more?.width)
        let padding = Padding2D(
            top: rows.cut / 2, bottom: rows.cut - rows.cut / 2, left: columns.cut / 2,
            right: columns.cut - columns.cut / 2)
        return ConvolutionInputGradient(
            convolution: Convolution(strides: steps, dilations: dilations, padding: padding),
            inputSize: Size2D(rows.size, columns.size))
    }

    /// The output's size along one axis, and how much of what the windows reach is cut off.
    private func output(
        _ size: Int, _ window: Int, _ stride: Int, _ dilation: Int, _ outputPadding: Int?
    ) throws(ShapeError) -> (size: Int, cut: Int) {
        let reach = (window - 1) * dilation + 1
        let least = padding == .valid ? reach : reach % 2
        let all = padding == .valid ? max(reach, stride) : stride
        if let outputPadding, !(0..<stride).contains(outputPadding) {
            throw error(
                "outputPadding must be from 0 to \(stride - 1), less than the stride, not \(outputPadding)")
        }
        let result = (size - 1) * stride + (outputPadding.map { least + $0 } ?? all)
        guard result > 0 else { throw error("no pixel is left; increase outputPadding") }
        return (result, max(0, (size - 1) * stride + reach - result))
    }

    public var configuration: Configuration {
        arguments.configuration.with(window.configuration).with(dataFormat.configuration)
            .with([
                "filters": .integer(filters),
                "output_padding": outputPadding.map { Axes.configuration($0) } ?? .null,
            ])
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            filters: try configuration.integer("filters"),
            outputPadding: try configuration.optionalSize("output_padding", along: Axes.self),
            window: try WindowArguments(.kernelSize, &configuration),
            dataFormat: try DataFormat(&configuration), arguments: try KernelArguments(&configuration),
            name: name)
    }
}
