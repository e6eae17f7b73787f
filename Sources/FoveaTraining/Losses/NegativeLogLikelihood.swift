import FoveaGraph

/// `-x[label]` for predictions `x` that are logarithms of probabilities.
///
/// Targets: class numbers, as for `SparseCategoricalCrossentropy`. Predictions: `[batch, classes]`. This is PyTorch's
/// `NLLLoss`, which Keras lacks. Several places of one example are averaged, as with PyTorch's `mean`.
public struct NegativeLogLikelihood: Loss {
    public static let name = "negative_log_likelihood"

    public init() {}

    public var targetKind: TargetKind { .classNumbers() }
    public var outputKind: OutputKind { .logProbabilities }

    public func callAsFunction(targets: Tensor, predictions: Tensor) throws -> Tensor {
        let labels = try targets.labels(for: predictions, of: name)
        return try predictions.elements(at: labels).negated().meanPerExample()
    }
}

extension Loss where Self == NegativeLogLikelihood {
    /// The loss of logarithms of probabilities, for class numbers.
    public static var negativeLogLikelihood: NegativeLogLikelihood { NegativeLogLikelihood() }
}
