import FoveaGraph

/// Adam with Nesterov's momentum, which grows during the first steps.
///
/// At step `t`, with `μₜ = β₁·(1 - 0.5·0.96ᵗ)` and `Uₜ = μ₁·…·μₜ`: `m ← m + (1 - β₁)(g - m)`,
/// `v ← v + (1 - β₂)(g² - v)`, `m̂ = μₜ₊₁·m / (1 - Uₜ₊₁) + (1 - μₜ)·g / (1 - Uₜ)`, `v̂ = v / (1 - β₂ᵗ)` and
/// `w ← w - η·m̂ / (√v̂ + ε)`.
///
/// This is Keras's schedule of the momentum with Keras's defaults. PyTorch lets it grow 250 times as slowly, with
/// `0.96^(0.004·t)`, as the paper suggests, and has a learning rate of 0.002 and an ε of 1e-8.
///
/// Dozat 2016, "Incorporating Nesterov momentum into Adam", ICLR workshop.
public struct Nadam: Optimizer {
    public static let name = "nadam"

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

    /// Uₜ.
    public var scalars: [OptimizerSlot] { [OptimizerSlot("u_product", initialValue: 1)] }

    public func nextScalars(_ scalars: [Tensor], iteration: Tensor) throws -> [Tensor] {
        [try scalars[0] * momentum(at: iteration)]
    }

    public func step(_ inputs: OptimizerInputs) throws -> OptimizerOutputs {
        let (g, t, product) = (inputs.gradient, inputs.iteration, inputs.scalars[0])
        let (oldM, oldV) = (inputs.slots[0], inputs.slots[1])
        let m = try oldM + (g - oldM) * Float(1 - beta1)
        let v = try oldV + (g * g - oldV) * Float(1 - beta2)

        let (now, next) = (try momentum(at: t), try momentum(at: t + 1))
        let ofMean = try next / (1 - product * next)
        let ofGradient = try (1 - now) / (1 - product)
        let mHat = try m * ofMean + g * ofGradient
        let vHat = try v / (1 - Tensor.constant(Float(beta2)).raised(to: t))
        let value = try inputs.value - inputs.learningRate * mHat / (vHat.squareRoot() + Float(epsilon))
        return OptimizerOutputs(value: value, slots: [m, v])
    }

    /// μₜ.
    private func momentum(at t: Tensor) throws -> Tensor {
        try (1 - Tensor.constant(0.96).raised(to: t) * 0.5) * Float(beta1)
    }

    public func checkSettings() throws {
        try checkCommonSettings()
        try checkMoments(beta1: beta1, beta2: beta2, epsilon: epsilon)
    }
}

extension Optimizer where Self == Nadam {
    /// Nadam with Keras's defaults.
    public static func nadam(
        learningRate: Double = 0.001, beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-7,
        weightDecay: Double? = nil
    ) -> Nadam {
        Nadam(
            learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon, weightDecay: weightDecay
        )
    }
}
