import FoveaGraph

/// How wrong predictions are: what training makes smaller.
///
/// A loss is a composition of graph operations. Called with targets and predictions it gives one number per example,
/// `[batch]`; training minimises their mean.
///
/// **From probabilities or logits.** With `fromLogits: false` predictions are probabilities, clipped to
/// `[ε, 1 - ε]` with `ε = 1e-7` before the logarithm, as in Keras. Predictions that come straight out of the softmax
/// operation over the last axis (for the binary loss: the sigmoid operation) are not clipped: the loss is computed from
/// that operation's input, which loses no digits. Keras does the same with its TensorFlow backend, whatever
/// `from_logits` says.
public enum Loss: Hashable, Codable, Sendable {
    /// `-log p[label]`.
    ///
    /// Targets: class numbers, `int32` or `uint8`, `[batch]` or `[batch, 1]`. Predictions: `[batch, classes]`. A label
    /// outside `0..<classes` adds nothing to the loss and its gradient; `Trainer` refuses such labels. Probabilities
    /// that do not sum to 1 are divided by their sum (after clipping).
    case sparseCategoricalCrossentropy(fromLogits: Bool = false)

    /// `-Σ t log p` over the classes, with `t = (1 - s)·target + s / classes` for label smoothing `s`.
    ///
    /// Targets and predictions: `[batch, classes]`, the targets being probabilities such as one-hot rows. Predicted
    /// probabilities are divided by their sum before they are clipped. Label smoothing: Szegedy et al. 2016, "Rethinking
    /// the Inception architecture for computer vision", arXiv:1512.00567, section 7.
    case categoricalCrossentropy(fromLogits: Bool = false, labelSmoothing: Double = 0)

    /// `-(t log p + (1 - t) log(1 - p))`, averaged over an example's outputs, with `t = (1 - s)·target + s / 2` for
    /// label smoothing `s`.
    ///
    /// Targets: 0, 1 or a probability between, of the predictions' shape; `[batch]` also fits predictions `[batch, 1]`.
    case binaryCrossentropy(fromLogits: Bool = false, labelSmoothing: Double = 0)

    /// `(prediction - target)²`, averaged over an example's outputs.
    case meanSquaredError

    /// Keras's name, such as `sparse_categorical_crossentropy`.
    public var name: String {
        switch self {
        case .sparseCategoricalCrossentropy: "sparse_categorical_crossentropy"
        case .categoricalCrossentropy: "categorical_crossentropy"
        case .binaryCrossentropy: "binary_crossentropy"
        case .meanSquaredError: "mean_squared_error"
        }
    }

    /// Whether predictions are logits instead of probabilities.
    public var fromLogits: Bool {
        switch self {
        case .sparseCategoricalCrossentropy(let fromLogits): fromLogits
        case .categoricalCrossentropy(let fromLogits, _), .binaryCrossentropy(let fromLogits, _): fromLogits
        case .meanSquaredError: false
        }
    }

    /// The loss of each example, `[batch]`; losses at several places of one example are averaged.
    ///
    /// - Parameters:
    ///   - targets: what the model should have answered, of any number type.
    ///   - predictions: what it answered, `float32`.
    /// - Throws: `ShapeError` when targets do not fit the predictions, `TrainingError` for a label smoothing outside
    ///   `0...1`.
    public func callAsFunction(targets: Tensor, predictions: Tensor) throws -> Tensor {
        switch self {
        case .sparseCategoricalCrossentropy(let fromLogits):
            let classes = predictions.shape.channels
            let labels = try targets.labels(for: predictions, name)
            let logits =
                if let input = predictions.softmaxInput { input } else if fromLogits { predictions } else {
                    try predictions.clippedProbabilities().log()
                }
            return try perExample(
                (labels.oneHot(depth: classes) * logits.logSoftmax()).sum(axes: [-1]).negated())

        case .categoricalCrossentropy(let fromLogits, let smoothing):
            let classes = Double(predictions.shape.channels)
            let targets = try targets.aligned(with: predictions, name).smoothed(
                smoothing, toward: 1 / classes)
            let logarithms =
                if let logits = predictions.softmaxInput ?? (fromLogits ? predictions : nil) {
                    try logits.logSoftmax()
                } else {
                    try (predictions / predictions.sum(axes: [-1], keepDims: true)).clippedProbabilities()
                        .log()
                }
            return try perExample((targets * logarithms).sum(axes: [-1]).negated())

        case .binaryCrossentropy(let fromLogits, let smoothing):
            let targets = try targets.aligned(with: predictions, name).smoothed(smoothing, toward: 0.5)
            if let logits = predictions.sigmoidInput ?? (fromLogits ? predictions : nil) {
                return try perExample(binaryCrossentropy(targets, logits: logits))
            }
            let p = try predictions.clippedProbabilities()
            return try perExample((targets * p.log() + (1 - targets) * (1 - p).log()).negated())

        case .meanSquaredError:
            let difference = try predictions - targets.aligned(with: predictions, name)
            return try perExample(difference * difference)
        }
    }

    /// `max(x, 0) - t·x + log(1 + exp(-|x|))`, which neither overflows nor cancels. The two sides are selected rather
    /// than written with `max` and `abs`, whose gradients at 0 would not add up to `1/2 - t`.
    private func binaryCrossentropy(_ targets: Tensor, logits x: Tensor) throws -> Tensor {
        let isPositive = try x.greaterOrEqual(0)
        let positivePart = try Tensor.select(isPositive, x, .filled(0, x.shape))
        let minusMagnitude = try Tensor.select(isPositive, x.negated(), x)
        return try positivePart - targets * x + minusMagnitude.exp().unary(.log1p)
    }

    private func perExample(_ losses: Tensor) throws -> Tensor {
        losses.shape.rank > 1 ? try losses.mean(axes: Array(1..<losses.shape.rank)) : losses
    }
}

extension Tensor {
    /// What the softmax over the last axis was taken of, if this is its result.
    fileprivate var softmaxInput: Tensor? {
        guard case .softmax(let rule) = operation, rule.axis == shape.rank - 1, !rule.isLogarithmic else {
            return nil
        }
        return inputs[0]
    }

    /// What the sigmoid was taken of, if this is its result.
    fileprivate var sigmoidInput: Tensor? {
        if case .unary(.sigmoid) = operation { inputs[0] } else { nil }
    }

    /// Probabilities within `[ε, 1 - ε]`, so that their logarithms are finite.
    fileprivate func clippedProbabilities() throws -> Tensor {
        let epsilon = 1e-7
        return try Tensor.minimum(.maximum(self, Float(epsilon)), Float(1 - epsilon))
    }

    fileprivate func smoothed(_ smoothing: Double, toward even: Double) throws -> Tensor {
        guard (0...1).contains(smoothing) else {
            throw TrainingError.invalidArgument(
                "labelSmoothing", "\(smoothing)", expected: "a number in 0...1")
        }
        return smoothing == 0 ? self : try self * Float(1 - smoothing) + Float(smoothing * even)
    }
}
