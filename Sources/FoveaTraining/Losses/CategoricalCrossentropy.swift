import FoveaGraph

/// `-Σ t log p` over the classes, with `t = (1 - s)·target + s / classes` for label smoothing `s`.
///
/// Targets and predictions: `[batch, classes]`, the targets being probabilities such as one-hot rows. Predicted
/// probabilities are divided by their sum before they are clipped. Label smoothing: Szegedy et al. 2016, "Rethinking
/// the Inception architecture for computer vision", arXiv:1512.00567, section 7.
public struct CategoricalCrossentropy: Loss {
    public static let name = "categorical_crossentropy"

    /// Whether predictions are logits instead of probabilities.
    public var fromLogits: Bool
    /// s, in `0...1`.
    public var labelSmoothing: Double

    public init(fromLogits: Bool = false, labelSmoothing: Double = 0) {
        self.fromLogits = fromLogits
        self.labelSmoothing = labelSmoothing
    }

    public init() { self = .categoricalCrossentropy() }

    public var targetKind: TargetKind { .classProbabilities }
    public var outputKind: OutputKind { OutputKind(fromLogits: fromLogits) }

    public func callAsFunction(targets: Tensor, predictions: Tensor) throws -> Tensor {
        let targets = try smoothedRows(targets, predictions, labelSmoothing)
        let logarithms = try predictions.logProbabilities(fromLogits: fromLogits)
        return try logarithms.weighted(by: targets).sum(axes: [-1]).negated().meanPerExample()
    }
}

extension Loss where Self == CategoricalCrossentropy {
    /// The cross-entropy for rows of probabilities, such as one-hot rows.
    public static func categoricalCrossentropy(
        fromLogits: Bool = false, labelSmoothing: Double = 0
    ) -> CategoricalCrossentropy {
        CategoricalCrossentropy(fromLogits: fromLogits, labelSmoothing: labelSmoothing)
    }
}
