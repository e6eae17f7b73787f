import FoveaGraph

/// Steps divided by the root of the sum of all squared gradients so far: elements that seldom change keep large steps.
///
/// `a ← a + g²` and `w ← w - η·g / √(a + ε)`, with `a = initialAccumulatorValue` at first.
///
/// These are Keras's form, with ε inside the root, and defaults. PyTorch adds ε outside the root, starts `a` at 0 and has
/// a learning rate of 0.01.
///
/// Duchi, Hazan and Singer 2011, "Adaptive subgradient methods for online learning and stochastic optimization", JMLR 12.
public struct Adagrad: Optimizer {
    public static let name = "adagrad"

    public var learningRate: Double
    /// What the sum of squares is at first, not negative.
    public var initialAccumulatorValue: Double
    /// ε, positive.
    public var epsilon: Double
    public var weightDecay: Double?

    public init() { self.init(learningRate: 0.001) }

    public init(
        learningRate: Double = 0.001, initialAccumulatorValue: Double = 0.1, epsilon: Double = 1e-7,
        weightDecay: Double? = nil
    ) {
        self.learningRate = learningRate
        self.initialAccumulatorValue = initialAccumulatorValue
        self.epsilon = epsilon
        self.weightDecay = weightDecay
    }

    public var slots: [OptimizerSlot] {
        [OptimizerSlot("accumulator", initialValue: Float(initialAccumulatorValue))]
    }

    public func step(_ inputs: OptimizerInputs) throws -> OptimizerOutputs {
        let g = inputs.gradient
        let sum = try inputs.slots[0] + g * g
        let value = try inputs.value - inputs.learningRate * g / (sum + Float(epsilon)).squareRoot()
        return OptimizerOutputs(value: value, slots: [sum])
    }

    public func checkSettings() throws {
        try checkCommonSettings()
        try check(
            "initialAccumulatorValue", initialAccumulatorValue, in: 0...,
            "a number that is not negative, such as 0.1")
        try checkEpsilon(epsilon)
    }
}

extension Optimizer where Self == Adagrad {
    /// Adagrad with Keras's defaults.
    public static func adagrad(
        learningRate: Double = 0.001, initialAccumulatorValue: Double = 0.1, epsilon: Double = 1e-7,
        weightDecay: Double? = nil
    ) -> Adagrad {
        Adagrad(
            learningRate: learningRate, initialAccumulatorValue: initialAccumulatorValue, epsilon: epsilon,
            weightDecay: weightDecay)
    }
}
