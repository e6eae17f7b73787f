import FoveaGraph

/// `p - t log(p + ε)` with `ε = 1e-7`, averaged over an example's outputs: up to a constant, how unlikely the counts
/// `t` are under Poisson distributions with means `p`.
///
/// Targets: counts, of the predictions' shape. Predictions: positive. PyTorch's `PoissonNLLLoss` takes `log p` unless
/// told otherwise, and its ε is 1e-8.
public struct Poisson: Loss {
    public static let name = "poisson"

    public init() {}

    public func callAsFunction(targets: Tensor, predictions: Tensor) throws -> Tensor {
        let t = try targets.aligned(with: predictions, for: name)
        return try (predictions - t * (predictions + 1e-7).log()).meanPerExample()
    }
}

extension Loss where Self == Poisson {
    /// The loss of means of counts.
    public static var poisson: Poisson { Poisson() }
}
