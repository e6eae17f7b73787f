import FoveaGraph

/// Steps from running means of the gradient and of its square.
///
/// At step `t`: `m ← m + (1 - β₁)(g - m)`, `v ← v + (1 - β₂)(g² - v)`, `α = η·√(1 - β₂ᵗ) / (1 - β₁ᵗ)` and
/// `w ← w - α·m / (√v + ε)`. With `amsgrad`, the largest `v` so far stands for `v` in the last formula.
///
/// This is Keras's convention, the "efficient" one at the end of section 2 of the paper: ε (there ε̂) is added outside
/// the root and to a `v` that is not corrected for its start at 0. PyTorch and the paper's algorithm 1 correct `v`
/// first, so their ε counts more in the first steps; and their default is 1e-8.
///
/// Kingma and Ba 2014, "Adam: a method for stochastic optimization", arXiv:1412.6980; AMSGrad: Reddi, Kale and Kumar
/// 2018, "On the convergence of Adam and beyond", arXiv:1904.09237.
public struct Adam: Optimizer {
    public static let name = "adam"

    public var learningRate: Double
    /// β₁, how much of the mean gradient is kept at each step, in `0..<1`.
    public var beta1: Double
    /// β₂, how much of the mean square is kept at each step, in `0..<1`.
    public var beta2: Double
    /// ε, positive.
    public var epsilon: Double
    /// Whether steps are divided by the largest mean square so far.
    public var amsgrad: Bool
    public var weightDecay: Double?

    public init() { self.init(learningRate: 0.001) }

    public init(
        learningRate: Double = 0.001, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-7,
        amsgrad: Bool = false, weightDecay: Double? = nil
    ) {
        self.learningRate = learningRate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.amsgrad = amsgrad
        self.weightDecay = weightDecay
    }

    public var slots: [OptimizerSlot] { ["momentum", "velocity"] + (amsgrad ? ["velocity_hat"] : []) }

    public func step(_ inputs: OptimizerInputs) throws -> OptimizerOutputs {
        let (g, t) = (inputs.gradient, inputs.iteration)
        let (oldM, oldV) = (inputs.slots[0], inputs.slots[1])
        let m = try oldM + (g - oldM) * Float(1 - beta1)
        let v = try oldV + (g * g - oldV) * Float(1 - beta2)
        let largest = amsgrad ? try Tensor.maximum(inputs.slots[2], v) : v

        let secondCorrection = try (1 - Tensor.constant(Float(beta2)).raised(to: t)).squareRoot()
        let firstCorrection = try 1 - Tensor.constant(Float(beta1)).raised(to: t)
        let alpha = try inputs.learningRate * secondCorrection / firstCorrection
        let value = try inputs.value - alpha * m / (largest.squareRoot() + Float(epsilon))
        return OptimizerOutputs(value: value, slots: amsgrad ? [m, v, largest] : [m, v])
    }

    public func checkSettings() throws {
        try checkCommonSettings()
        try checkMoments(beta1: beta1, beta2: beta2, epsilon: epsilon)
    }
}

extension Optimizer where Self == Adam {
    /// Adam with Keras's defaults.
    public static func adam(
        learningRate: Double = 0.001, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-7,
        amsgrad: Bool = false, weightDecay: Double? = nil
    ) -> Adam {
        Adam(
            learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon, amsgrad: amsgrad,
            weightDecay: weightDecay)
    }
}
