import FoveaGraph

/// Adam's steps, made as long for each variable as the variable itself, for training with large batches.
///
/// With Adam's corrected means `m̂ = m / (1 - β₁ᵗ)` and `v̂ = v / (1 - β₂ᵗ)`: `u = m̂ / (√v̂ + ε)` and
/// `w ← w - η·u·‖w‖ / ‖u‖`, where a norm of 0 makes the factor 1. This is Keras's form: weight decay is decoupled as for every
/// optimizer, while the paper adds it to u.
///
/// You et al. 2019, "Large batch optimization for deep learning: training BERT in 76 minutes", arXiv:1904.00962,
/// algorithm 2.
public struct Lamb: Optimizer {
    public static let name = "lamb"

    public var learningRate: Double
    /// β₁, how much of the mean gradient is kept at each step, in `0..<1`.
    public var beta1: Double
    /// β₂, how much of the mean square is kept at each step, in `0..<1`.
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

    public var slots: [OptimizerSlot] { ["momentum", "velocity"] }

    public func step(_ inputs: OptimizerInputs) throws -> OptimizerOutputs {
        let (g, t) = (inputs.gradient, inputs.iteration)
        let m = try inputs.slots[0] + (g - inputs.slots[0]) * Float(1 - beta1)
        let v = try inputs.slots[1] + (g * g - inputs.slots[1]) * Float(1 - beta2)
        let firstMean = try m / (1 - Tensor.constant(Float(beta1)).raised(to: t))
        let secondMean = try v / (1 - Tensor.constant(Float(beta2)).raised(to: t))
        let update = try firstMean / (secondMean.squareRoot() + Float(epsilon))
        let (ofValue, ofUpdate) = (try norm(inputs.value), try norm(update))
        let hasBoth = try Tensor.minimum(ofValue, ofUpdate).greater(0)
        let ratio = try Tensor.select(hasBoth, ofValue / ofUpdate, .constant(1))
        return OptimizerOutputs(
            value: try inputs.value - ratio * inputs.learningRate * update, slots: [m, v])
    }

    private func norm(_ x: Tensor) throws -> Tensor { try (x * x).sum().squareRoot() }

    public func checkSettings() throws {
        try checkCommonSettings()
        try checkMoments(beta1: beta1, beta2: beta2, epsilon: epsilon)
    }
}

extension Optimizer where Self == Lamb {
    /// LAMB with Keras's defaults.
    public static func lamb(
        learningRate: Double = 0.001, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-7,
        weightDecay: Double? = nil
    ) -> Lamb {
        Lamb(
            learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon,
            weightDecay: weightDecay)
    }
}
