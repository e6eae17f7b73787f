import FoveaGraph

/// Steps as large as recent steps were, in proportion to the gradient over its running root mean square.
///
/// `v ← ρ·v + (1 - ρ)·g²`, `d = √(s + ε) / √(v + ε) · g`, `s ← ρ·s + (1 - ρ)·d²` and `w ← w - η·d`.
///
/// The formula is the paper's, which has no η, so its η is 1. The defaults are Keras's: with a learning rate of 0.001
/// steps are a thousandth of the paper's. PyTorch's are 1, a ρ of 0.9 and an ε of 1e-6.
///
/// Zeiler 2012, "ADADELTA: an adaptive learning rate method", arXiv:1212.5701.
public struct Adadelta: Optimizer {
    public static let name = "adadelta"

    public var learningRate: Double
    /// ρ, how much of the mean squares is kept at each step, in `0...1`.
    public var rho: Double
    /// ε, positive.
    public var epsilon: Double
    public var weightDecay: Double?

    public init() { self.init(learningRate: 0.001) }

    public init(
        learningRate: Double = 0.001, rho: Double = 0.95, epsilon: Double = 1e-7, weightDecay: Double? = nil
    ) {
        self.learningRate = learningRate
        self.rho = rho
        self.epsilon = epsilon
        self.weightDecay = weightDecay
    }

    public var slots: [OptimizerSlot] { ["accumulated_grad", "accumulated_delta_var"] }

    public func step(_ inputs: OptimizerInputs) throws -> OptimizerOutputs {
        let (g, oldS) = (inputs.gradient, inputs.slots[1])
        let v = try inputs.slots[0] * Float(rho) + g * g * Float(1 - rho)
        let d = try (oldS + Float(epsilon)).squareRoot() * g / (v + Float(epsilon)).squareRoot()
        let s = try oldS * Float(rho) + d * d * Float(1 - rho)
        return OptimizerOutputs(value: try inputs.value - inputs.learningRate * d, slots: [v, s])
    }

    public func checkSettings() throws {
        try checkCommonSettings()
        try check("rho", rho, in: 0...1, "a number in 0...1")
        try checkEpsilon(epsilon)
    }
}

extension Optimizer where Self == Adadelta {
    /// Adadelta with Keras's defaults.
    public static func adadelta(
        learningRate: Double = 0.001, rho: Double = 0.95, epsilon: Double = 1e-7, weightDecay: Double? = nil
    ) -> Adadelta {
        Adadelta(learningRate: learningRate, rho: rho, epsilon: epsilon, weightDecay: weightDecay)
    }
}
