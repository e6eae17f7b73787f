import FoveaGraph

/// What layers with a kernel and a bias have in common: the two parameters, and what is done with the sum of products.
struct KernelArguments: Sendable {
    let activation: ActivationFunction
    let kernel: Parameter
    /// Nil without bias.
    let bias: Parameter?
    let activityRegularizer: Regularizer?
    /// Kept for the configuration, also without bias.
    private let unusedBias: Parameter
    /// What stands before `_initializer` among the settings.
    private let kernelKey: String

    init(
        kernelKey: String = "kernel", activation: ActivationFunction, useBias: Bool,
        kernelInitializer: Initializer, biasInitializer: Initializer, kernelRegularizer: Regularizer?,
        biasRegularizer: Regularizer?, activityRegularizer: Regularizer?, kernelConstraint: Constraint?,
        biasConstraint: Constraint?
    ) {
        self.activation = activation
        self.activityRegularizer = activityRegularizer
        self.kernelKey = kernelKey
        kernel = Parameter(
            "kernel", initializer: kernelInitializer, regularizer: kernelRegularizer,
            constraint: kernelConstraint)
        unusedBias = Parameter(
            "bias", initializer: biasInitializer, regularizer: biasRegularizer, constraint: biasConstraint)
        bias = useBias ? unusedBias : nil
    }

    var parameters: [Parameter] { [kernel] + (bias.map { [$0] } ?? []) }

    func declare(kernel shape: Shape, bias count: Int, in scope: inout BuildScope) throws(ShapeError) {
        try kernel.declare(shape: shape, in: &scope)
        try bias?.declare(shape: [count], in: &scope)
    }

    /// Bias, activation and the penalty of the result.
    func finish(_ sum: Tensor) throws(ShapeError) -> Tensor {
        var y = sum
        if let bias { y = try y + bias.tensor }
        y = try activation(y)
        if let activityRegularizer { y = try y.adding(loss: activityRegularizer(y)) }
        return y
    }

    // MARK: Configuration

    var configuration: Configuration {
        var settings: Configuration = [
            "activation": .string(activation.rawValue), "use_bias": .bool(bias != nil),
            "\(kernelKey)_initializer": kernel.initializer.configuration,
            "bias_initializer": unusedBias.initializer.configuration,
        ]
        settings["\(kernelKey)_regularizer"] = kernel.regularizer?.configuration
        settings["bias_regularizer"] = unusedBias.regularizer?.configuration
        settings["activity_regularizer"] = activityRegularizer?.configuration
        settings["\(kernelKey)_constraint"] = kernel.constraint?.configuration
        settings["bias_constraint"] = unusedBias.constraint?.configuration
        return settings
    }

    init(kernelKey: String = "kernel", _ reader: inout ConfigurationReader) throws(ConfigurationError) {
        self.init(
            kernelKey: kernelKey, activation: try reader.choice("activation"),
            useBias: try reader.bool("use_bias"),
            kernelInitializer: try reader.initializer("\(kernelKey)_initializer"),
            biasInitializer: try reader.initializer("bias_initializer"),
            kernelRegularizer: try reader.regularizer("\(kernelKey)_regularizer"),
            biasRegularizer: try reader.regularizer("bias_regularizer"),
            activityRegularizer: try reader.regularizer("activity_regularizer"),
            kernelConstraint: try reader.constraint("\(kernelKey)_constraint"),
            biasConstraint: try reader.constraint("bias_constraint"))
    }
}

extension Configuration {
    /// These settings with others; no key occurs in both.
    func with(_ others: Configuration) -> Configuration { merging(others) { $1 } }
}
