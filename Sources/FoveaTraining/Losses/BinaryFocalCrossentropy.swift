import FoveaGraph

/// `(1 - q)^γ` times the binary cross-entropy, averaged over an example's outputs. `q = t p + (1 - t)(1 - p)` is the
/// probability of the right answer; `t` is smoothed as in `BinaryCrossentropy`.
///
/// Targets and predictions: as for `BinaryCrossentropy`. With class balancing each term is also multiplied by
/// `α t + (1 - α)(1 - t)`, which the paper always does and Keras only when asked. Lin et al. 2017, arXiv:1708.02002,
/// equations 4 and 5.
public struct BinaryFocalCrossentropy: Loss {
    public static let name = "binary_focal_crossentropy"

    /// Whether α counts.
    public var applyClassBalancing: Bool
    /// α, in `0...1`.
    public var alpha: Double
    /// γ, 0 or positive.
    public var gamma: Double
    /// Whether predictions are logits instead of probabilities.
    public var fromLogits: Bool
    /// s, in `0...1`.
    public var labelSmoothing: Double

    public init(
        applyClassBalancing: Bool = false, alpha: Double = 0.25, gamma: Double = 2, fromLogits: Bool = false,
        labelSmoothing: Double = 0
    ) {
        self.applyClassBalancing = applyClassBalancing
        self.alpha = alpha
        self.gamma = gamma
        self.fromLogits = fromLogits
        self.labelSmoothing = labelSmoothing
    }

    public init() { self = .binaryFocalCrossentropy() }

    public var targetKind: TargetKind { .probabilities }
    public var outputKind: OutputKind { OutputKind(fromLogits: fromLogits) }

    /// Files have it in this form.
    public var name: String {
        var unbalanced = self
        unbalanced.applyClassBalancing = false
        let settings = named("", settingsOf: unbalanced, unlike: Self())
        return Self.name + (applyClassBalancing ? "_balanced" : "") + settings
    }

    public func callAsFunction(targets: Tensor, predictions: Tensor) throws -> Tensor {
        try check("alpha", alpha, in: 0...1, "a number in 0...1")
        let losses = try binaryCrossentropies(
            targets, predictions, fromLogits: fromLogits, labelSmoothing: labelSmoothing)
        let t = try smoothed(targets.aligned(with: predictions, for: name), labelSmoothing, toward: 0.5)
        // What is missing from p near 1 is a sigmoid too, where `1 - p` would lose its digits.
        let logits = predictions.sigmoidInput ?? (fromLogits ? predictions : nil)
        let p = try logits?.sigmoid() ?? predictions
        let rest = try logits?.negated().sigmoid() ?? (1 - predictions)
        var focused = try losses * focus(t * rest + (1 - t) * p, gamma)
        if applyClassBalancing {
            focused = try focused * (t * Float(alpha) + (1 - t) * Float(1 - alpha))
        }
        return try focused.meanPerExample()
    }
}

extension Loss where Self == BinaryFocalCrossentropy {
    /// The focal loss of outputs that are true or not, each by itself.
    public static func binaryFocalCrossentropy(
        applyClassBalancing: Bool = false, alpha: Double = 0.25, gamma: Double = 2, fromLogits: Bool = false,
        labelSmoothing: Double = 0
    ) -> BinaryFocalCrossentropy {
        BinaryFocalCrossentropy(
            applyClassBalancing: applyClassBalancing, alpha: alpha, gamma: gamma, fromLogits: fromLogits,
            labelSmoothing: labelSmoothing)
    }
}
