import FoveaGraph

/// `Σ t log(t / p)` over the classes, both clipped to `[ε, 1]`.
///
/// Targets and predictions: probabilities, `[batch, classes]`. Those out of a softmax are clipped only where the target
/// is not above ε. Kullback and Leibler 1951, "On information and sufficiency". PyTorch's `KLDivLoss` takes `log p` instead
/// and does not clip.
public struct KLDivergence: Loss {
    public static let name = "kl_divergence"

    public init() {}

    public var targetKind: TargetKind { .classProbabilities }
    public var outputKind: OutputKind { .probabilities }

    public func callAsFunction(targets: Tensor, predictions: Tensor) throws -> Tensor {
        let t = try clippedAbove(targets.aligned(with: predictions.rows(for: name), for: name))
        var logarithms = try predictions.softmaxInput?.logSoftmax() ?? clippedAbove(predictions).log()
        // Predictions are clipped where targets are: an impossible class that does not occur adds nothing.
        let least = Tensor.filled(probabilityEpsilon, t.shape)
        logarithms = try .select(t.lessOrEqual(least), .maximum(logarithms, least.log()), logarithms)
        return try (t * (t.log() - logarithms)).sum(axes: [-1]).meanPerExample()
    }

    private func clippedAbove(_ p: Tensor) throws -> Tensor {
        try Tensor.minimum(.maximum(p, probabilityEpsilon), 1)
    }
}

extension Loss where Self == KLDivergence {
    /// The Kullback–Leibler divergence of the predictions from the targets.
    public static var klDivergence: KLDivergence { KLDivergence() }
}
