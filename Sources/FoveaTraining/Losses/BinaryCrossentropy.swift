import FoveaGraph

/// `-(t log p + (1 - t) log(1 - p))`, averaged over an example's outputs, with `t = (1 - s)·target + s / 2` for
/// label smoothing `s`.
///
/// Targets: 0, 1 or a probability between, of the predictions' shape; `[batch]` also fits predictions `[batch, 1]`.
public struct BinaryCrossentropy: Loss {
    public static let name = "binary_crossentropy"

    /// Whether predictions are logits instead of probabilities.
    public var fromLogits: Bool
    /// s, in `0...1`.
    public var labelSmoothing: Double

    public init(fromLogits: Bool = false, labelSmoothing: Double = 0) {
        self.fromLogits = fromLogits
        self.labelSmoothing = labelSmoothing
    }

    public init() { self = .binaryCrossentropy() }

    public var targetKind: TargetKind { .probabilities }
    public var outputKind: OutputKind { OutputKind(fromLogits: fromLogits) }

    public func callAsFunction(targets: Tensor, predictions: Tensor) throws -> Tensor {
        try binaryCrossentropies(
            targets, predictions, fromLogits: fromLogits, labelSmoothing: labelSmoothing
        ).meanPerExample()
    }
}

extension Loss where Self == BinaryCrossentropy {
    /// The cross-entropy of outputs that are true or not, each by itself.
    public static func binaryCrossentropy(
        fromLogits: Bool = false, labelSmoothing: Double = 0
    ) -> BinaryCrossentropy {
        BinaryCrossentropy(fromLogits: fromLogits, labelSmoothing: labelSmoothing)
    }
}
