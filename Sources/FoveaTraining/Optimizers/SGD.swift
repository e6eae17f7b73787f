import FoveaGraph

/// Stochastic gradient descent, plain or with momentum.
///
/// Without momentum: `w ← w - η·g`. With momentum μ: `m ← μ·m - η·g`, then `w ← w + m`, or with `nesterov`
/// `w ← w + μ·m - η·g`. These are the forms of Keras, where the learning rate η is inside the momentum, so changing it
/// does not change steps already under way.
///
/// Polyak 1964, "Some methods of speeding up the convergence of iteration methods"; Nesterov's form after Sutskever et
/// al. 2013, "On the importance of initialization and momentum in deep learning".
public struct SGD: Optimizer {
    public static let name = "sgd"

    public var learningRate: Double
    /// μ, in `0...1`; 0 keeps no momentum.
    public var momentum: Double
    /// Whether the gradient counts once more ahead of the momentum.
    public var nesterov: Bool
    public var weightDecay: Double?

    public init() { self.init(learningRate: 0.01) }

    public init(
        learningRate: Double = 0.01, momentum: Double = 0, nesterov: Bool = false, weightDecay: Double? = nil
    ) {
        self.learningRate = learningRate
        self.momentum = momentum
        self.nesterov = nesterov
        self.weightDecay = weightDecay
    }

    public var slots: [OptimizerSlot] { momentum == 0 ? [] : ["momentum"] }

    public func step(_ inputs: OptimizerInputs) throws -> OptimizerOutputs {
        let move = try inputs.learningRate * inputs.gradient
        guard momentum != 0 else { return OptimizerOutputs(value: try inputs.value - move) }
        let m = try inputs.slots[0] * Float(momentum) - move
        let value = nesterov ? try inputs.value + m * Float(momentum) - move : try inputs.value + m
        return OptimizerOutputs(value: value, slots: [m])
    }

    public func checkSettings() throws {
        try checkCommonSettings()
        try check("momentum", momentum, in: 0...1, "a number in 0...1")
    }
}

extension Optimizer where Self == SGD {
    /// Stochastic gradient descent with Keras's defaults.
    public static func sgd(
        learningRate: Double = 0.01, momentum: Double = 0, nesterov: Bool = false, weightDecay: Double? = nil
    ) -> SGD {
        SGD(learningRate: learningRate, momentum: momentum, nesterov: nesterov, weightDecay: weightDecay)
    }
}
