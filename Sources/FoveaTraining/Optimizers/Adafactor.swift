import FoveaGraph

/// Steps from mean squares of the gradient that are kept for rows and columns only, which takes little memory.
///
/// At step t: `β = 1 - tᵈ` with the decay d, `ρ = min(η, 1 / √t)` and `α = max(ε₂, rms(w))·ρ`. Of a variable with two or more
/// axes, `r ← β·r + (1 - β)·mean(g² + ε₁)` is kept over the last axis and `c` likewise over the one before it, and
/// `v = r·c / mean(r)`; of others v itself. With `u = g / √v`: `w ← w - α·u / max(1, rms(u) / clip)`.
///
/// This is Keras's form. It bounds the learning rate by 1 / √t in any case, so its `relative_step` makes no difference and
/// there is none here.
///
/// Shazeer and Stern 2018, "Adafactor: adaptive learning rates with sublinear memory cost", arXiv:1804.04235, algorithm 6.
public struct Adafactor: Optimizer {
    public static let name = "adafactor"

    public var learningRate: Double
    /// d, the exponent with which the mean squares come to be kept longer, negative.
    public var beta2Decay: Double
    /// ε₁, which keeps squares of gradients off 0, positive.
    public var epsilon1: Double
    /// ε₂, the least size that a variable is taken to have, not negative.
    public var epsilon2: Double
    /// The largest root mean square of a step, in units of α, positive.
    public var clipThreshold: Double
    public var weightDecay: Double?

    public init() { self.init(learningRate: 0.001) }

    public init(
        learningRate: Double = 0.001, beta2Decay: Double = -0.8, epsilon1: Double = 1e-30,
        epsilon2: Double = 1e-3, clipThreshold: Double = 1, weightDecay: Double? = nil
    ) {
        self.learningRate = learningRate
        self.beta2Decay = beta2Decay
        self.epsilon1 = epsilon1
        self.epsilon2 = epsilon2
        self.clipThreshold = clipThreshold
        self.weightDecay = weightDecay
    }

    /// Of rows, of columns and of elements; what a variable does not need is a single number.
    public var slots: [OptimizerSlot] { ["row_mean_square", "column_mean_square", "velocity"] }

    public func slotShapes(for variable: Shape) -> [Shape] {
        guard variable.rank > 1 else { return [.scalar, .scalar, variable] }
        let extents = variable.dimensions
        return [Shape(Array(extents.dropLast())), Shape(extents.dropLast(2) + extents.suffix(1)), .scalar]
    }

    public func step(_ inputs: OptimizerInputs) throws -> OptimizerOutputs {
        let (g, t, w) = (inputs.gradient, inputs.iteration, inputs.value)
        let rate = try Tensor.minimum(inputs.learningRate, 1 / t.squareRoot())
        let alpha = try Tensor.maximum(rootMeanSquare(w), Float(epsilon2)) * rate
        let square = try g * g + Float(epsilon1)
        let forgotten = try t.raised(to: Float(beta2Decay))
        func moved(_ slot: Tensor, _ mean: Tensor) throws -> Tensor {
            try (1 - forgotten) * slot + forgotten * mean
        }

        var slots = inputs.slots
        let root: Tensor
        if w.shape.rank > 1 {
            let (rows, columns) = (
                try moved(slots[0], square.mean(axes: [-1])), try moved(slots[1], square.mean(axes: [-2]))
            )
            (slots[0], slots[1]) = (rows, columns)
            let ofRows = try (rows / rows.mean(axes: [-1], keepDims: true)).squareRoot()
            let extents = w.shape.dimensions
            root =
                try ofRows.reshaped(to: Shape(extents.dropLast() + [1]))
                * columns.squareRoot().reshaped(to: Shape(extents.dropLast(2) + [1] + extents.suffix(1)))
        } else {
            slots[2] = try moved(slots[2], square)
            root = try slots[2].squareRoot()
        }
        let update = try g / root
        let excess = try Tensor.maximum(rootMeanSquare(update) / Float(clipThreshold), 1)
        return OptimizerOutputs(value: try w - alpha / excess * update, slots: slots)
    }

    private func rootMeanSquare(_ x: Tensor) throws -> Tensor { try (x * x).mean().squareRoot() }

    public func checkSettings() throws {
        try checkCommonSettings()
        try check("beta2Decay", beta2Decay, in: ..<0, "a negative number, such as -0.8")
        // In float32 as in the graph, where it must not vanish.
        try check(
            "epsilon1", epsilon1, in: Double(Float.leastNormalMagnitude)...,
            "a positive number, such as 1e-30")
        try check("epsilon2", epsilon2, in: 0..., "a number that is not negative, such as 0.001")
        try check(
            "clipThreshold", clipThreshold, in: Double.leastNonzeroMagnitude...,
            "a positive number, such as 1")
    }
}

extension Optimizer where Self == Adafactor {
    /// Adafactor with Keras's defaults.
    public static func adafactor(
        learningRate: Double = 0.001, beta2Decay: Double = -0.8, epsilon1: Double = 1e-30,
        epsilon2: Double = 1e-3, clipThreshold: Double = 1, weightDecay: Double? = nil
    ) -> Adafactor {
        Adafactor(
            learningRate: learningRate, beta2Decay: beta2Decay, epsilon1: epsilon1, epsilon2: epsilon2,
            clipThreshold: clipThreshold, weightDecay: weightDecay)
    }
}
