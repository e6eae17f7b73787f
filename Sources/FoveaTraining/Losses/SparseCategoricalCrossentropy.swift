import FoveaGraph

/// `-log p[label]`; with label smoothing `s` the loss of `CategoricalCrossentropy` for one-hot rows.
///
/// Targets: class numbers, `int32` or `uint8`, `[batch]` or `[batch, 1]`. Predictions: `[batch, classes]`. A label
/// outside `0..<classes` is a row of zeros, which without smoothing adds nothing to the loss and its gradient;
/// `Trainer` refuses such labels. Probabilities that do not sum to 1 are divided by their sum (after clipping). Label
/// smoothing is that of PyTorch's `cross_entropy`; Keras has none for class numbers.
///
/// With `ignoreClass`, places with that class number add nothing, and the others of the batch weigh so much more that
/// the mean over all is one over those that count: `ignore_class` of Keras and `ignore_index` of PyTorch.
public struct SparseCategoricalCrossentropy: Loss {
    public static let name = "sparse_categorical_crossentropy"

    /// Whether predictions are logits instead of probabilities.
    public var fromLogits: Bool
    /// s, in `0...1`.
    public var labelSmoothing: Double
    /// A class number that stands for "unknown", often 255 or -1; nil when all count.
    public var ignoreClass: Int?

    public init(fromLogits: Bool = false, labelSmoothing: Double = 0, ignoreClass: Int? = nil) {
        self.fromLogits = fromLogits
        self.labelSmoothing = labelSmoothing
        self.ignoreClass = ignoreClass
    }

    public init() { self = .sparseCategoricalCrossentropy() }

    public var targetKind: TargetKind { .classNumbers(ignoring: ignoreClass) }
    public var outputKind: OutputKind { OutputKind(fromLogits: fromLogits) }

    public func callAsFunction(targets: Tensor, predictions: Tensor) throws -> Tensor {
        let classes = predictions.shape.channels
        let labels = try targets.labels(for: predictions, of: name)
        let logits =
            if let input = predictions.softmaxInput { input } else if fromLogits { predictions } else {
                try predictions.clippedProbabilities().log()
            }
        let logarithms = try logits.logSoftmax()
        var likelihood = try logarithms.elements(at: labels)
        if try isSmoothed(labelSmoothing) {
            let even = try logarithms.sum(axes: [-1]) * Float(labelSmoothing / Double(classes))
            likelihood = try likelihood * Float(1 - labelSmoothing) + even
        }
        guard let ignoreClass else { return try likelihood.negated().meanPerExample() }
        let isKnown = try Tensor.compare(.notEqual, labels, number(ignoreClass))
        let known = try Tensor.select(isKnown, likelihood, .filled(0, likelihood.shape))
        let share = try Tensor.maximum(isKnown.cast(to: .float32).mean(), .leastNormalMagnitude)
        return try known.negated().meanPerExample() / share
    }

    /// - Throws: `TrainingError` for a number that no label can be.
    private func number(_ ignoreClass: Int) throws -> Tensor {
        guard let number = Int32(exactly: ignoreClass) else {
            throw TrainingError.invalidArgument(
                "ignoreClass", "\(ignoreClass)", expected: "an int32 number, such as 255")
        }
        return .constant(TensorValue(shape: .scalar, dtype: .int32, doubles: [Double(number)]))
    }

    private enum CodingKeys: CodingKey { case fromLogits, labelSmoothing, ignoreClass }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        fromLogits = try container.decode(Bool.self, forKey: .fromLogits)
        // Files from before label smoothing do not have it.
        labelSmoothing = try container.decodeIfPresent(Double.self, forKey: .labelSmoothing) ?? 0
        ignoreClass = try container.decodeIfPresent(Int.self, forKey: .ignoreClass)
    }
}

extension Loss where Self == SparseCategoricalCrossentropy {
    /// The cross-entropy for class numbers.
    public static func sparseCategoricalCrossentropy(
        fromLogits: Bool = false, labelSmoothing: Double = 0, ignoreClass: Int? = nil
    ) -> SparseCategoricalCrossentropy {
        SparseCategoricalCrossentropy(
            fromLogits: fromLogits, labelSmoothing: labelSmoothing, ignoreClass: ignoreClass)
    }
}
