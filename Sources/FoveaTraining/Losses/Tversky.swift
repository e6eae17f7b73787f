import FoveaGraph

/// `1 - Σ t p / (Σ t p + α Σ t (1 - p) + β Σ (1 - t) p + ε)` with `ε = 1e-7`, the sums taken over all of an example's
/// outputs. With α = β = ½ it is the `Dice` loss.
///
/// Targets and predictions: as for `Dice`. α weighs what is missed and β what is found where nothing is, as Keras computes
/// it; Salehi, Erdogmus and Gholipour 2017, "Tversky loss function for image segmentation", arXiv:1706.05721, and Keras's
/// description have them the other way round.
public struct Tversky: Loss {
    public static let name = "tversky"

    /// α, not negative.
    public var alpha: Double
    /// β, not negative.
    public var beta: Double

    public init(alpha: Double = 0.5, beta: Double = 0.5) {
        self.alpha = alpha
        self.beta = beta
    }

    public init() { self = .tversky() }

    public var targetKind: TargetKind { .probabilities }
    public var outputKind: OutputKind { .probabilities }

    /// - Throws: `ShapeError` when targets do not fit the predictions, `TrainingError` for an α or β that is negative.
    public func callAsFunction(targets: Tensor, predictions: Tensor) throws -> Tensor {
        try check("alpha", alpha, in: 0..., "0 or a positive number")
        try check("beta", beta, in: 0..., "0 or a positive number")
        let t = try targets.aligned(with: predictions, for: name)
        let found = try (t * predictions).sumPerExample()
        let missed = try (t * (1 - predictions)).sumPerExample() * Float(alpha)
        let wrong = try ((1 - t) * predictions).sumPerExample() * Float(beta)
        return try 1 - found / (found + missed + wrong + probabilityEpsilon)
    }
}

extension Loss where Self == Tversky {
    /// How little predicted and true regions overlap, where what is missed and what is wrong weigh differently.
    public static func tversky(alpha: Double = 0.5, beta: Double = 0.5) -> Tversky {
        Tversky(alpha: alpha, beta: beta)
    }
}
