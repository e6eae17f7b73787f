import FoveaGraph

/// How wrong predictions are: what training makes smaller.
///
/// A loss is a composition of graph operations. Called with targets and predictions it gives one number per example,
/// `[batch]`; training minimises their mean, `Loss.weightedMean`. Below, `t` is the target, `p` the prediction, `x` a
/// logit and C the extent of the last axis. Where an example has several places, as in `[batch, height, width, C]`, its
/// loss is the mean over them.
///
/// **From probabilities or logits.** With `fromLogits: false` predictions are probabilities, clipped to
/// `[ε, 1 - ε]` with `ε = 1e-7` before the logarithm, as in Keras. Predictions that come straight out of the softmax
/// operation over the last axis (for the binary losses: the sigmoid operation) are not clipped: the loss is computed
/// from that operation's input, which loses no digits. Keras does the same with its TensorFlow backend for the three
/// cross-entropies, whatever `from_logits` says; here it holds for the focal losses and `klDivergence` too. A logit of -∞
/// masks its class: it adds nothing to a loss and its gradient unless it has a part of the target, which costs +∞.
public enum Loss: Hashable, Codable, Sendable {
    // MARK: Classes

    /// `-log p[label]`; with label smoothing `s` the loss of `categoricalCrossentropy` for one-hot rows.
    ///
    /// Targets: class numbers, `int32` or `uint8`, `[batch]` or `[batch, 1]`. Predictions: `[batch, classes]`. A label
    /// outside `0..<classes` is a row of zeros, which without smoothing adds nothing to the loss and its gradient;
    /// `Trainer` refuses such labels. Probabilities that do not sum to 1 are divided by their sum (after clipping). Label
    /// smoothing is that of PyTorch's `cross_entropy`; Keras has none for class numbers.
    case sparseCategoricalCrossentropy(fromLogits: Bool = false, labelSmoothing: Double = 0)

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

    /// `-x[label]` for predictions `x` that are logarithms of probabilities.
    ///
    /// Targets: class numbers, as for `sparseCategoricalCrossentropy`. Predictions: `[batch, classes]`. This is PyTorch's
    /// `NLLLoss`, which Keras lacks. Several places of one example are averaged, as with PyTorch's `mean`.
    case negativeLogLikelihood

    /// `-Σ α (1 - p)^γ t log p` over the classes, `t` being smoothed as in `categoricalCrossentropy`.
    ///
    /// Targets and predictions: as for `categoricalCrossentropy`. Well classified examples weigh less: Lin et al. 2017,
    /// "Focal loss for dense object detection", arXiv:1708.02002, equation 5, with Keras's single α for all classes.
    case categoricalFocalCrossentropy(
        alpha: Double = 0.25, gamma: Double = 2, fromLogits: Bool = false, labelSmoothing: Double = 0)

    /// `(1 - q)^γ` times the binary cross-entropy, averaged over an example's outputs. `q = t p + (1 - t)(1 - p)` is the
    /// probability of the right answer; `t` is smoothed as in `binaryCrossentropy`.
    ///
    /// Targets and predictions: as for `binaryCrossentropy`. With class balancing each term is also multiplied by
    /// `α t + (1 - α)(1 - t)`, which the paper always does and Keras only when asked. Lin et al. 2017, arXiv:1708.02002,
    /// equations 4 and 5.
    case binaryFocalCrossentropy(
        applyClassBalancing: Bool = false, alpha: Double = 0.25, gamma: Double = 2, fromLogits: Bool = false,
        labelSmoothing: Double = 0)

    /// `Σ t log(t / p)` over the classes, both clipped to `[ε, 1]`.
    ///
    /// Targets and predictions: probabilities, `[batch, classes]`. Those out of a softmax are clipped only where the target
    /// is not above ε. Kullback and Leibler 1951, "On information and sufficiency". PyTorch's `KLDivLoss` takes `log p` instead and does not clip.
    case klDivergence

    // MARK: Numbers

    /// `(p - t)²`, averaged over an example's outputs. Targets: numbers of the predictions' shape.
    case meanSquaredError

    /// `|p - t|`, averaged over an example's outputs; its derivative at 0 is 0. Targets: as for `meanSquaredError`.
    case meanAbsoluteError

    /// `½ (p - t)²` where `|p - t| ≤ δ`, else `δ |p - t| - ½ δ²`, averaged over an example's outputs.
    ///
    /// Targets: as for `meanSquaredError`. Huber 1964, "Robust estimation of a location parameter". PyTorch's
    /// `SmoothL1Loss` is this divided by δ.
    case huber(delta: Double = 1)

    /// `log cosh(p - t)`, averaged over an example's outputs: about half the square near 0, far from it the magnitude
    /// minus log 2. Targets: as for `meanSquaredError`.
    case logCosh

    /// `p - t log(p + ε)` with `ε = 1e-7`, averaged over an example's outputs: up to a constant, how unlikely the counts
    /// `t` are under Poisson distributions with means `p`.
    ///
    /// Targets: counts, of the predictions' shape. Predictions: positive. PyTorch's `PoissonNLLLoss` takes `log p` unless
    /// told otherwise, and its ε is 1e-8.
    case poisson

    /// `-Σ t p / (‖t‖ ‖p‖)` along the last axis: -1 for equal directions, 1 for opposite ones, 0 where a vector is 0.
    ///
    /// Targets and predictions: `[batch, C]`. The sign is Keras's; PyTorch's `cosine_similarity` has the opposite one.
    case cosineSimilarity

    // MARK: Margins

    /// `max(1 - t p, 0)`, averaged over an example's outputs.
    ///
    /// Targets: -1 or 1, or 0 or 1, of which a 0 is taken as -1. (Keras takes 0 as -1 only where all targets of the batch
    /// are 0 or 1, which for such labels is the same.) Predictions: any numbers. Cortes and Vapnik 1995, "Support-vector
    /// networks".
    case hinge

    /// `max(1 - t p, 0)²`, averaged over an example's outputs. Targets and predictions: as for `hinge`.
    case squaredHinge

    /// `max(1 + max((1 - t) p) - Σ t p, 0)` with the largest and the sum taken over the classes.
    ///
    /// Targets: one-hot rows, `[batch, classes]`. Predictions: any numbers of that shape. The largest wrong output is at
    /// least 0, because the right class counts as 0 there, as in Keras; in Crammer and Singer 2001, "On the algorithmic
    /// implementation of multiclass kernel-based vector machines", and PyTorch's `MultiMarginLoss` it is not.
    case categoricalHinge

    // MARK: Description

    /// Keras's name, such as `sparse_categorical_crossentropy`.
    public var name: String {
        switch self {
        case .sparseCategoricalCrossentropy: "sparse_categorical_crossentropy"
        case .categoricalCrossentropy: "categorical_crossentropy"
        case .binaryCrossentropy: "binary_crossentropy"
        case .negativeLogLikelihood: "negative_log_likelihood"
        case .categoricalFocalCrossentropy: "categorical_focal_crossentropy"
        case .binaryFocalCrossentropy: "binary_focal_crossentropy"
        case .klDivergence: "kl_divergence"
        case .meanSquaredError: "mean_squared_error"
        case .meanAbsoluteError: "mean_absolute_error"
        case .huber: "huber"
        case .logCosh: "log_cosh"
        case .poisson: "poisson"
        case .cosineSimilarity: "cosine_similarity"
        case .hinge: "hinge"
        case .squaredHinge: "squared_hinge"
        case .categoricalHinge: "categorical_hinge"
        }
    }

    /// Whether predictions are logits instead of probabilities. Logarithms of probabilities are: their softmax gives the
    /// probabilities.
    public var fromLogits: Bool {
        switch self {
        case .sparseCategoricalCrossentropy(let fromLogits, _), .categoricalCrossentropy(let fromLogits, _),
            .binaryCrossentropy(let fromLogits, _), .categoricalFocalCrossentropy(_, _, let fromLogits, _),
            .binaryFocalCrossentropy(_, _, _, let fromLogits, _):
            fromLogits
        case .negativeLogLikelihood: true
        default: false
        }
    }

    /// The loss of each example, `[batch]`; losses at several places of one example are averaged.
    ///
    /// - Parameters:
    ///   - targets: what the model should have answered, of any number type.
    ///   - predictions: what it answered, `float32`.
    /// - Throws: `ShapeError` when targets do not fit the predictions, `TrainingError` for a setting out of range: a label
    ///   smoothing or α outside `0...1`, a negative γ, a δ that is not positive.
    public func callAsFunction(targets: Tensor, predictions: Tensor) throws -> Tensor {
        switch self {
        case .sparseCategoricalCrossentropy(let fromLogits, let smoothing):
            return try sparseCrossentropy(targets, predictions, fromLogits, smoothing)
        case .categoricalCrossentropy(let fromLogits, let smoothing):
            return try crossentropy(targets, predictions, fromLogits, smoothing)
        case .binaryCrossentropy(let fromLogits, let smoothing):
            return try binaryCrossentropy(targets, predictions, fromLogits, smoothing).meanPerExample()
        case .negativeLogLikelihood:
            return try negativeLogLikelihood(targets, predictions)
        case .categoricalFocalCrossentropy(let alpha, let gamma, let fromLogits, let smoothing):
            return try focalCrossentropy(targets, predictions, fromLogits, smoothing, alpha, gamma)
        case .binaryFocalCrossentropy(let balances, let alpha, let gamma, let fromLogits, let smoothing):
            try check("alpha", alpha, in: 0...1, "a number in 0...1")
            return try binaryFocalCrossentropy(
                targets, predictions, fromLogits, smoothing, balances ? alpha : nil, gamma)
        case .klDivergence: return try divergence(targets, predictions)
        case .meanSquaredError:
            let error = try error(targets, predictions)
            return try (error * error).meanPerExample()
        case .meanAbsoluteError: return try error(targets, predictions).unary(.abs).meanPerExample()
        case .huber(let delta): return try huber(targets, predictions, delta)
        case .logCosh: return try logCosh(targets, predictions)
        case .poisson: return try poisson(targets, predictions)
        case .cosineSimilarity: return try cosine(targets, predictions).negated()
        case .hinge: return try margin(targets, predictions).meanPerExample()
        case .squaredHinge:
            let margin = try margin(targets, predictions)
            return try (margin * margin).meanPerExample()
        case .categoricalHinge: return try categoricalHinge(targets, predictions)
        }
    }

    func check(_ setting: String, _ value: Double, in range: some RangeExpression<Double>, _ expected: String)
        throws
    {
        guard range.contains(value), value.isFinite else {
            throw TrainingError.invalidArgument(setting, "\(value)", expected: expected)
        }
    }
}

// MARK: - Reading

extension Loss {
    enum SparseCategoricalCrossentropyCodingKeys: CodingKey { case fromLogits, labelSmoothing }
}

extension KeyedDecodingContainer<Loss.SparseCategoricalCrossentropyCodingKeys> {
    /// What the synthesized reading calls: files from before label smoothing do not have it.
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double {
        try decodeIfPresent(type, forKey: key) ?? 0
    }
}
