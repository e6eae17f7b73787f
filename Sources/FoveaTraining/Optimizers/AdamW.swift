import FoveaGraph

/// Adam with decoupled weight decay: every step first takes `w ← w - η·λ·w`, then Adam's step of the gradient alone.
///
/// It is `Adam` with `weightDecay` λ, 0.004 unless said, which is Keras's default; PyTorch's is 0.01. See `Adam` for the
/// formula of the step and the place of ε, where the conventions differ.
///
/// Loshchilov and Hutter 2017, "Decoupled weight decay regularization", arXiv:1711.05101. As in Keras and PyTorch, λ is
/// multiplied by the learning rate, not by the paper's separate schedule multiplier.
public struct AdamW: Optimizer {
    public static let name = "adamw"

    public var learningRate: Double
    /// λ, not negative. Nil, which a file may hold, is an error.
    public var weightDecay: Double?
    /// β₁, how much of the mean gradient is kept at each step, in `0..<1`.
    public var beta1: Double
    /// β₂, how much of the mean square is kept at each step, in `0..<1`.
    public var beta2: Double
    /// ε, positive.
    public var epsilon: Double
    /// Whether steps are divided by the largest mean square so far.
    public var amsgrad: Bool

    public init() { self.init(learningRate: 0.001) }

    public init(
        learningRate: Double = 0.001, weightDecay: Double = 0.004, beta1: Double = 0.9,
        beta2: Double = 0.999, epsilon: Double = 1e-7, amsgrad: Bool = false
    ) {
        self.learningRate = learningRate
        self.weightDecay = weightDecay
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.amsgrad = amsgrad
    }

    private var adam: Adam {
        Adam(learningRate: learningRate, beta1: beta1, beta2: beta2, epsilon: epsilon, amsgrad: amsgrad)
    }

    public var slots: [OptimizerSlot] { adam.slots }

    public func step(_ inputs: OptimizerInputs) throws -> OptimizerOutputs { try adam.step(inputs) }

    public func checkSettings() throws {
        try checkCommonSettings()
        try checkMoments(beta1: beta1, beta2: beta2, epsilon: epsilon)
        if weightDecay == nil {
            throw TrainingError.invalidArgument(
                "weightDecay of \(Self.name)", "nil", expected: "a number, such as 0.004; Adam can do without"
            )
        }
    }
}

extension Optimizer where Self == AdamW {
    /// AdamW with Keras's defaults.
    public static func adamW(
        learningRate: Double = 0.001, weightDecay: Double = 0.004, beta1: Double = 0.9,
        beta2: Double = 0.999, epsilon: Double = 1e-7, amsgrad: Bool = false
    ) -> AdamW {
        AdamW(
            learningRate: learningRate, weightDecay: weightDecay, beta1: beta1, beta2: beta2,
            epsilon: epsilon, amsgrad: amsgrad)
    }
}
