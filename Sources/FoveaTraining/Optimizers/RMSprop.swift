import FoveaGraph

/// Steps divided by a running root mean square of the gradient.
///
/// `v ← ρ·v + (1 - ρ)·g²` and `d = η·g / √(v + ε)`. With `centered`, `a ← ρ·a + (1 - ρ)·g` and `v - a²` stands for `v`
/// under the root, an estimate of the gradient's variance. Without momentum `w ← w - d`; with momentum μ
/// `m ← μ·m + d` and `w ← w - m`. These are the forms of Keras: ε is inside the root.
///
/// Tieleman and Hinton 2012, "Neural networks for machine learning", lecture 6.5; the centered form and the place of ε
/// after Graves 2013, "Generating sequences with recurrent neural networks", arXiv:1308.0850, equations 38–41.
public struct RMSprop: Optimizer {
    public static let name = "rmsprop"

    public var learningRate: Double
    /// ρ, how much of the mean square is kept at each step, in `0...1`.
    public var rho: Double
    /// μ, in `0...1`; 0 keeps no momentum.
    public var momentum: Double
    /// ε, positive.
    public var epsilon: Double
    /// Whether the mean gradient is subtracted.
    public var centered: Bool
    public var weightDecay: Double?

    public init() { self.init(learningRate: 0.001) }

    public init(
        learningRate: Double = 0.001, rho: Double = 0.9, momentum: Double = 0, epsilon: Double = 1e-7,
        centered: Bool = false, weightDecay: Double? = nil
    ) {
        self.learningRate = learningRate
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered
        self.weightDecay = weightDecay
    }

    public var slots: [OptimizerSlot] {
        ["velocity"] + (momentum == 0 ? [] : ["momentum"]) + (centered ? ["average_gradient"] : [])
    }

    public func step(_ inputs: OptimizerInputs) throws -> OptimizerOutputs {
        let g = inputs.gradient
        let v = try inputs.slots[0] * Float(rho) + g * g * Float(1 - rho)
        var slots = [v]
        var variance = v
        var average: Tensor?
        if centered, let old = inputs.slots.last {
            let a = try old * Float(rho) + g * Float(1 - rho)
            variance = try v - a * a
            average = a
        }
        var move = try inputs.learningRate * g / (variance + Float(epsilon)).squareRoot()
        if momentum != 0 {
            move = try inputs.slots[1] * Float(momentum) + move
            slots.append(move)
        }
        return OptimizerOutputs(value: try inputs.value - move, slots: slots + (average.map { [$0] } ?? []))
    }

    public func checkSettings() throws {
        try checkCommonSettings()
        try check("rho", rho, in: 0...1, "a number in 0...1")
        try check("momentum", momentum, in: 0...1, "a number in 0...1")
        try checkEpsilon(epsilon)
    }
}

extension Optimizer where Self == RMSprop {
    /// RMSprop with Keras's defaults.
    public static func rmsprop(
        learningRate: Double = 0.001, rho: Double = 0.9, momentum: Double = 0, epsilon: Double = 1e-7,
        centered: Bool = false, weightDecay: Double? = nil
    ) -> RMSprop {
        RMSprop(
            learningRate: learningRate, rho: rho, momentum: momentum, epsilon: epsilon, centered: centered,
            weightDecay: weightDecay)
    }
}
