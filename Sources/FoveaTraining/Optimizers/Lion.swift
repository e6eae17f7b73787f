import FoveaGraph

/// Steps of one size in every direction, whose signs are those of a running mean of the gradient.
///
/// `w ← w - η·sign(β₁·m + (1 - β₁)·g)`, then `m ← β₂·m + (1 - β₂)·g`. Steps are larger than those of Adam: a learning rate 3
/// to 10 times smaller fits, and a weight decay so much larger.
///
/// Chen et al. 2023, "Symbolic discovery of optimization algorithms", arXiv:2302.06675, algorithm 2.
public struct Lion: Optimizer {
    public static let name = "lion"

    public var learningRate: Double
    /// β₁, how much of the mean gradient counts in a step, in `0...1`.
    public var beta1: Double
    /// β₂, how much of the mean gradient is kept at each step, in `0...1`.
    public var beta2: Double
    public var weightDecay: Double?

    public init() { self.init(learningRate: 0.001) }

    public init(
        learningRate: Double = 0.001, beta1: Double = 0.9, beta2: Double = 0.99, weightDecay: Double? = nil
    ) {
        self.learningRate = learningRate
        self.beta1 = beta1
        self.beta2 = beta2
        self.weightDecay = weightDecay
    }

    public var slots: [OptimizerSlot] { ["momentum"] }

    public func step(_ inputs: OptimizerInputs) throws -> OptimizerOutputs {
        let (g, m) = (inputs.gradient, inputs.slots[0])
        let direction = try (m * Float(beta1) + g * Float(1 - beta1)).unary(.sign)
        return OptimizerOutputs(
            value: try inputs.value - inputs.learningRate * direction,
            slots: [try m * Float(beta2) + g * Float(1 - beta2)])
    }

    public func checkSettings() throws {
        try checkCommonSettings()
        try check("beta1", beta1, in: 0...1, "a number in 0...1")
        try check("beta2", beta2, in: 0...1, "a number in 0...1")
    }
}

extension Optimizer where Self == Lion {
    /// Lion with Keras's defaults.
    public static func lion(
        learningRate: Double = 0.001, beta1: Double = 0.9, beta2: Double = 0.99, weightDecay: Double? = nil
    ) -> Lion {
        Lion(learningRate: learningRate, beta1: beta1, beta2: beta2, weightDecay: weightDecay)
    }
}
