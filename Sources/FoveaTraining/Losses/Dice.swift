import FoveaGraph

/// `1 - 2 Σ t p / (Σ t + Σ p + ε)` with `ε = 1e-7`, the sums taken over all of an example's outputs: 0 where a predicted
/// region is the true one, 1 where they have nothing in common.
///
/// Targets: 0, 1 or a probability between, of the predictions' shape, such as masks `[batch, height, width, 1]` or one-hot
/// rows. Predictions: probabilities. One number per example is what Keras's `Dice` gives with all axes but the batch's;
/// without axes it takes the sums over the whole batch. Milletari, Navab and Ahmadi 2016, "V-Net", arXiv:1606.04797, whose
/// denominator has squares.
public struct Dice: Loss {
    public static let name = "dice"

    public init() {}

    public var targetKind: TargetKind { .probabilities }
    public var outputKind: OutputKind { .probabilities }

    public func callAsFunction(targets: Tensor, predictions: Tensor) throws -> Tensor {
        let t = try targets.aligned(with: predictions, for: name)
        let whole = try t.sumPerExample() + predictions.sumPerExample() + probabilityEpsilon
        return try 1 - (t * predictions).sumPerExample() * 2 / whole
    }
}

extension Loss where Self == Dice {
    /// How little predicted and true regions overlap.
    public static var dice: Dice { Dice() }
}
