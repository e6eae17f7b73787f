import FoveaGraph

/// A linear map of the last axis: `y = activation(x · kernel + bias)`.
///
/// - Input: `[batch, …, features]`.
/// - Output: `[batch, …, units]`.
/// - Parameters: `kernel` `[features, units]`, `bias` `[units]`.
public final class Dense: Layer {
    public static let typeName = "Dense"
    public let name: String?
    public let units: Int
    public let activation: ActivationFunction
    public let kernel: Parameter
    /// Nil without bias.
    public let bias: Parameter?
    /// Kept for the configuration, also without bias.
    private let biasInitializer: Initializer

    public var ownParameters: [Parameter] { [kernel] + (bias.map { [$0] } ?? []) }

    /// - Parameters:
    ///   - units: the size of the output's last axis.
    ///   - activation: applied to the result.
    ///   - useBias: whether a number per unit is added.
    ///   - kernelInitializer: first values of the kernel.
    ///   - biasInitializer: first values of the bias.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(
        units: Int, activation: ActivationFunction = .linear, useBias: Bool = true,
        kernelInitializer: Initializer = .glorotUniform, biasInitializer: Initializer = .zeros,
        name: String? = nil
    ) {
        self.units = units
        self.activation = activation
        self.name = name
        self.biasInitializer = biasInitializer
        kernel = Parameter("kernel", initializer: kernelInitializer)
        bias = useBias ? Parameter("bias", initializer: biasInitializer) : nil
    }

    public func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {
        guard units > 0 else { throw error("units must be positive, not \(units)", input) }
        guard input.rank >= 2, input.channels > 0 else {
            throw error("it works on the last axis of [batch, …, features], whose size must be fixed", input)
        }
        try kernel.declare(shape: [input.channels, units], in: &scope)
        try bias?.declare(shape: [units], in: &scope)
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        var y = try Tensor.matmul(x, kernel.tensor)
        if let bias { y = try y + bias.tensor }
        return try activation(y)
    }

    public var configuration: Configuration {
        [
            "units": .integer(units), "activation": .string(activation.rawValue),
            "use_bias": .bool(bias != nil),
            "kernel_initializer": kernel.initializer.configuration,
            "bias_initializer": biasInitializer.configuration,
        ]
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            units: try configuration.integer("units"), activation: try configuration.choice("activation"),
            useBias: try configuration.bool("use_bias"),
            kernelInitializer: try configuration.initializer("kernel_initializer"),
            biasInitializer: try configuration.initializer("bias_initializer"), name: name)
    }
}
