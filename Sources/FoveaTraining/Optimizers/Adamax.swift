import FoveaGraph

/// Adam with the largest recent gradient in place of the root mean square.
///
/// At step `t`: `m ← m + (1 - β₁)(g - m)`, `u ← max(β₂·u, |g|)` and `w ← w - η / (1 - β₁ᵗ) · m / (u + ε)`.
///
/// The defaults are Keras's, which adds ε to `u` as here. PyTorch adds it to `|g|`; the paper has no ε and a learning
/// rate of 0.002.
///
/// Kingma and Ba 2014, "Adam: a method for stochastic optimization", arXiv:1412.6980, section 7.1.
public struct Adamax: Optimizer {
    public static let name = "adamax"

    public var learningRate: Double
    /// β₁, how much of the mean gradient is kept at each step, in `0..<1`.
    public var beta1: Double
    /// β₂, how much of the largest magnitude is kept at each step, in `0..<1`.
    public var beta2: Double
    /// ε, positive.
    public var epsilon: Double
    public var weightDecay: Double?

    public init() { self.init(learningRate: 0.001) }

    public init(
        learningRate: Double = 0.001, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-7,
        weightDecay: Double? = nil
    ) {
        self.learningRate = learningRate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
    }

    public var slots: [OptimizerSlot] { ["momentum", "norm"] }

    public func step(_ inputs: OptimizerInputs) throws -> OptimizerOutputs {
        let (g, oldM) = (inputs.gradient, inputs.slots[0])
        let m = try oldM + (g - oldM) * Float(1 - beta1)
        let u = try Tensor.maximum(inputs.slots[1] * Float(beta2), g.unary(.abs))
        let correction = try 1 - Tensor.constant(Float(beta1)).raised(to: inputs.iteration)
        let value = try inputs.value - inputs.learningRate / correction * m / (u + Float(epsilon))
        return OptimizerOutputs(value: value, slots: [m, u])
    }

    public func checkSettings() throws {
        try checkCommonSettings()
        try checkMoments(beta1: beta1, beta2: beta2, epsilon: epsilon)
    }
}

extension Optimizer where Self == Adamax {
    /// Adamax with Keras's defaults.
    public static func adamax(
        learningRate: Double = 0.001, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-7,
        weightDecay: Double? = nil
    ) -> Adamax {
        Adamax(
            learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay
        )
    }
}
