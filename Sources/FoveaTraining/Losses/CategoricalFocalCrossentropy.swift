import FoveaGraph

/// `-Σ α (1 - p)^γ t log p` over the classes, `t` being smoothed as in `CategoricalCrossentropy`.
///
/// Targets and predictions: as for `CategoricalCrossentropy`. Well classified examples weigh less: Lin et al. 2017,
/// "Focal loss for dense object detection", arXiv:1708.02002, equation 5, with Keras's single α for all classes.
public struct CategoricalFocalCrossentropy: Loss {
    public static let name = "categorical_focal_crossentropy"

    /// α, in `0...1`.
    public var alpha: Double
    /// γ, 0 or positive.
    public var gamma: Double
    /// Whether predictions are logits instead of probabilities.
    public var fromLogits: Bool
    /// s, in `0...1`.
    public var labelSmoothing: Double

    public init(alpha: Double = 0.25, gamma: Double = 2, fromLogits: Bool = false, labelSmoothing: Double = 0)
    {
        self.alpha = alpha
        self.gamma = gamma
        self.fromLogits = fromLogits
        self.labelSmoothing = labelSmoothing
    }

    public init() { self = .categoricalFocalCrossentropy() }

    public var targetKind: TargetKind { .classProbabilities }
    public var outputKind: OutputKind { OutputKind(fromLogits: fromLogits) }

    public func callAsFunction(targets: Tensor, predictions: Tensor) throws -> Tensor {
        try check("alpha", alpha, in: 0...1, "a number in 0...1")
        let targets = try smoothedRows(targets, predictions, labelSmoothing)
        let logarithms = try predictions.logProbabilities(fromLogits: fromLogits)
        // 1 - p, with its digits where p is nearly 1.
        let missing = try logarithms.unary(.expm1).negated()
        let focused = try logarithms.weighted(by: targets) * focus(missing, gamma)
        return try (focused.sum(axes: [-1]) * Float(-alpha)).meanPerExample()
    }
}

extension Loss where Self == CategoricalFocalCrossentropy {
    /// The focal loss for one-hot rows.
    public static func categoricalFocalCrossentropy(
        alpha: Double = 0.25, gamma: Double = 2, fromLogits: Bool = false, labelSmoothing: Double = 0
    ) -> CategoricalFocalCrossentropy {
        CategoricalFocalCrossentropy(
            alpha: alpha, gamma: gamma, fromLogits: fromLogits, labelSmoothing: labelSmoothing)
    }
}
