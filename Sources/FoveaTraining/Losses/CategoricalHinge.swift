import FoveaGraph

/// `max(1 + max((1 - t) p) - Σ t p, 0)` with the largest and the sum taken over the classes.
///
/// Targets: one-hot rows, `[batch, classes]`. Predictions: any numbers of that shape. The largest wrong output is at
/// least 0, because the right class counts as 0 there, as in Keras; in Crammer and Singer 2001, "On the algorithmic
/// implementation of multiclass kernel-based vector machines", and PyTorch's `MultiMarginLoss` it is not.
public struct CategoricalHinge: Loss {
    public static let name = "categorical_hinge"

    public init() {}

    public var targetKind: TargetKind { .classProbabilities }

    public func callAsFunction(targets: Tensor, predictions: Tensor) throws -> Tensor {
        let t = try targets.aligned(with: predictions.rows(for: name), for: name)
        let right = try (t * predictions).sum(axes: [-1])
        let wrong = try ((1 - t) * predictions).max(axes: [-1])
        return try Tensor.maximum(wrong - right + 1, 0).meanPerExample()
    }
}

extension Loss where Self == CategoricalHinge {
    /// How far the right class is from being ahead of the others by 1.
    public static var categoricalHinge: CategoricalHinge { CategoricalHinge() }
}
