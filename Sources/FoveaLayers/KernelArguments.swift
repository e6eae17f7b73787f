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

    /// - Parameters:
    ///   - kernelName: the kernel's name in weight files.
    ///   - kernelKey: what stands before `_initializer` among the settings.
    init(
        kernelName: String = "kernel", kernelKey: String = "kernel", activation: ActivationFunction,
        useBias: Bool,
        kernelInitializer: Initializer, biasInitializer: Initializer, kernelRegularizer: Regularizer?,
        biasRegularizer: Regularizer?, activityRegularizer: Regularizer?, kernelConstraint: Constraint?,
        biasConstraint: Constraint?
    ) {
        self.init(
            kernel: Parameter(
                kernelName, initializer: kernelInitializer, regularizer: kernelRegularizer,
                constraint: kernelConstraint),
            bias: Parameter(
                "bias", initializer: biasInitializer, regularizer: biasRegularizer, constraint: biasConstraint
            ),
            useBias: useBias, activation: activation, activityRegularizer: activityRegularizer,
            kernelKey: kernelKey)
    }

    private init(
        kernel: Parameter, bias: Parameter, useBias: Bool, activation: ActivationFunction,
        activityRegularizer: Regularizer?, kernelKey: String
    ) {
        self.kernel = kernel
        self.bias = useBias ? bias : nil
        self.activation = activation
        self.activityRegularizer = activityRegularizer
        self.kernelKey = kernelKey
        unusedBias = bias
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
        if let activityRegularizer { y = try y.adding(loss: activityRegularizer.ofActivity(y)) }
        return y
    }

    // MARK: Configuration

    var configuration: Configuration {
        var settings: Configuration = [
            "activation": .string(activation.rawValue), "use_bias": .bool(bias != nil),
        ]
        settings["activity_regularizer"] = activityRegularizer?.configuration
        return settings.with(kernel.settings(kernelKey)).with(unusedBias.settings("bias"))
    }

    init(
        kernelName: String = "kernel", kernelKey: String = "kernel", _ reader: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            kernel: try Parameter(kernelName, key: kernelKey, &reader),
            bias: try Parameter("bias", key: "bias", &reader), useBias: try reader.bool("use_bias"),
            activation: try reader.choice("activation"),
            activityRegularizer: try reader.regularizer("activity_regularizer"), kernelKey: kernelKey)
    }
}

extension Parameter {
    /// Initializer, regularizer and constraint under keys such as `kernel_initializer`, with `key` in front.
    func settings(_ key: String) -> Configuration {
        var settings: Configuration = ["\(key)_initializer": initializer.configuration]
        settings["\(key)_regularizer"] = regularizer?.configuration
        settings["\(key)_constraint"] = constraint?.configuration
        return settings
    }

    convenience init(
        _ name: String, key: String, _ reader: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            name, initializer: try reader.initializer("\(key)_initializer"),
            regularizer: try reader.regularizer("\(key)_regularizer"),
            constraint: try reader.constraint("\(key)_constraint"))
    }
}

extension Configuration {
    /// These settings with others; no key occurs in both.
    func with(_ others: Configuration) -> Configuration { merging(others) { $1 } }
}
