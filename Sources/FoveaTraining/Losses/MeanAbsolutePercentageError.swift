import FoveaGraph

/// `100 |p - t| / max(|t|, ε)` with `ε = 1e-7`, averaged over an example's outputs. Targets: numbers of the predictions'
/// shape, other than 0.
///
/// Keras's definition; its gradient with respect to a prediction that equals its target is 0.
public struct MeanAbsolutePercentageError: Loss {
    public static let name = "mean_absolute_percentage_error"

    public init() {}

    public func callAsFunction(targets: Tensor, predictions: Tensor) throws -> Tensor {
        let t = try targets.aligned(with: predictions, for: name)
        let share = try (predictions - t).unary(.abs) / Tensor.maximum(t.unary(.abs), 1e-7)
        return try share.meanPerExample() * 100
    }
}

extension Loss where Self == MeanAbsolutePercentageError {
    /// The mean of the error's share of the target, in per cent.
    public static var meanAbsolutePercentageError: MeanAbsolutePercentageError { .init() }
}
