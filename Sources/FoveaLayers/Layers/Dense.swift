import FoveaGraph

/// A linear map of the last axis: `y = activation(x · kernel + bias)`.
///
/// - Input: `[batch, …, features]`.
/// - Output: `[batch, …, units]`.
/// - Parameters: `kernel` `[features, units]`, `bias` `[units]`.
public final class Dense: UnaryLayer {
    public static let typeName = "Dense"
    public let name: String?
    public let units: Int
    private let arguments: KernelArguments

    public var kernel: Parameter { arguments.kernel }
    /// Nil without bias.
    public var bias: Parameter? { arguments.bias }
    public var activation: ActivationFunction { arguments.activation }
    public var ownParameters: [Parameter] { arguments.parameters }

    /// - Parameters:
    ///   - units: the size of the output's last axis.
    ///   - activation: applied to the result.
    ///   - useBias: whether a number per unit is added.
    ///   - kernelInitializer: first values of the kernel.
    ///   - biasInitializer: first values of the bias.
    ///   - kernelRegularizer: a penalty of the kernel, added to the loss.
    ///   - biasRegularizer: a penalty of the bias, added to the loss.
    ///   - activityRegularizer: a penalty of the output, added to the loss as the mean over the batch's examples.
    ///   - kernelConstraint: a rule that the kernel keeps to after each step of training.
    ///   - biasConstraint: a rule that the bias keeps to.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public convenience init(
        units: Int, activation: ActivationFunction = .linear, useBias: Bool = true,
        kernelInitializer: Initializer = .glorotUniform, biasInitializer: Initializer = .zeros,
        kernelRegularizer: Regularizer? = nil, biasRegularizer: Regularizer? = nil,
        activityRegularizer: Regularizer? = nil, kernelConstraint: Constraint? = nil,
        biasConstraint: Constraint? = nil, name: String? = nil
    ) {
        self.init(
            units: units,
            arguments: KernelArguments(
                activation: activation, useBias: useBias, kernelInitializer: kernelInitializer,
                biasInitializer: biasInitializer, kernelRegularizer: kernelRegularizer,
                biasRegularizer: biasRegularizer, activityRegularizer: activityRegularizer,
                kernelConstraint: kernelConstraint, biasConstraint: biasConstraint), name: name)
    }

    private init(units: Int, arguments: KernelArguments, name: String?) {
        self.units = units
        self.arguments = arguments
        self.name = name
    }

    public func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {
        guard units > 0 else { throw error("units must be positive, not \(units)", input) }
        guard input.rank >= 2, input.channels > 0 else {
            throw error("it works on the last axis of [batch, …, features], whose size must be fixed", input)
        }
        try arguments.declare(kernel: [input.channels, units], bias: units, in: &scope)
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        try arguments.finish(.matmul(x, kernel.tensor))
    }

    public var configuration: Configuration { arguments.configuration.with(["units": .integer(units)]) }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            units: try configuration.integer("units"), arguments: try KernelArguments(&configuration),
            name: name)
    }
}
