import FoveaGraph

/// A number that tells how good predictions are, reported but not trained on.
///
/// Called with targets and predictions of a batch it gives a vector of sums. Sums are added over all batches, and `value`
/// makes the number of the total, so a smaller last batch weighs as much as it has examples.
///
/// **Weights.** Sums count each example as often as its sample weight says. (Keras passes weights only to metrics given
/// as `weighted_metrics`.) An empty sum divided by an empty sum is 0, as in Keras.
///
/// **NaN.** Where a prediction is NaN the metric is NaN: it is neither right nor wrong. (In Keras it counts as one or the
/// other, or not at all.)
///
/// **Logits.** `fromLogits` says whether predictions are logits. A threshold is then compared with the sigmoid of each
/// output, and `auc` is that of the sigmoids.
public enum Metric: Hashable, Sendable {
    // MARK: Accuracy

    /// The share of right answers, in the sense that fits the shapes, as in Keras: `binaryAccuracy` for predictions with
    /// one output, else `sparseCategoricalAccuracy` for class numbers and `categoricalAccuracy` for rows.
    case accuracy
    /// The share of examples whose largest output is that of the target class number.
    case sparseCategoricalAccuracy
    /// The share of examples whose largest output is where the largest target is.
    case categoricalAccuracy
    /// The share of outputs that are above the threshold where the target is 1 and not above it where the target is 0.
    ///
    /// (Keras compares logits with 0.5 unless told otherwise; here see `fromLogits`.)
    case binaryAccuracy(threshold: Double = 0.5)
    /// The share of examples with fewer than `k` outputs above that of the largest target. So all outputs that tie for
    /// the last place are among the `k`, as in Keras.
    case topKCategoricalAccuracy(k: Int = 5)
    /// As `topKCategoricalAccuracy`, for target class numbers.
    case sparseTopKCategoricalAccuracy(k: Int = 5)

    // MARK: Found and missed

    /// `TP / (TP + FP)`: of the outputs predicted to be true, how many are.
    ///
    /// With a threshold, every output above it is predicted to be true. Without one, only the first largest of each row
    /// is, and a single output is compared with 0.5. Targets are 0 or 1, or one-hot rows, or class numbers; a target above
    /// 0.5 counts as 1.
    ///
    /// For one output this is what Keras's `Precision` and scikit-learn's `average="binary"` say. For several, Keras's
    /// `Precision` is `threshold: 0.5, average: .micro`; scikit-learn's `average="macro"` is `threshold: nil`,
    /// `average: .macro`, except that it leaves out classes that are neither in the targets nor predicted.
    case precision(threshold: Double? = nil, average: Average = .macro)
    /// `TP / (TP + FN)`: of the outputs that should be true, how many were predicted to be. See `precision`.
    case recall(threshold: Double? = nil, average: Average = .macro)
    /// `2 TP / (2 TP + FP + FN)`, the harmonic mean of precision and recall. See `precision`.
    ///
    /// Keras's `F1Score` is the same but for its ε of 1e-7, and without a threshold it predicts every one of several
    /// equally large outputs.
    case f1Score(threshold: Double? = nil, average: Average = .macro)
    /// The area under a curve of two rates as the threshold goes from 0 to 1.
    ///
    /// Counts are taken at equally spaced thresholds, and the area is interpolated between them, as Keras does: linearly
    /// for the ROC curve; for precision over recall after Davis and Goadrich 2006, "The relationship between
    /// precision-recall and ROC curves". Targets are 0 or 1, of the predictions' shape; several outputs are pooled.
    case auc(curve: Curve = .roc, thresholds: Int = 200)

    // MARK: Distance

    /// `√ mean (p - t)²`.
    case rootMeanSquaredError
    /// The mean cosine of the angle between targets and predictions, `[batch, C]`: 1 for equal directions. (The loss of
    /// that name has the opposite sign.)
    case cosineSimilarity
    /// The mean of a loss, with the settings of that loss: whether it takes logits too, whatever `fromLogits` says.
    case loss(Loss)

    /// The mean of `(p - t)²`.
    public static let meanSquaredError = Metric.loss(.meanSquaredError)
    /// The mean of `|p - t|`.
    public static let meanAbsoluteError = Metric.loss(.meanAbsoluteError)

    /// How the numbers of several outputs become one.
    public enum Average: String, Hashable, Codable, Sendable {
        /// The mean over the outputs, each weighing the same; one without any example counts as 0.
        case macro
        /// The number for all outputs counted together.
        case micro
    }

    /// What an area is measured under.
    public enum Curve: String, Hashable, Codable, Sendable {
        /// The true positive rate over the false positive rate.
        case roc
        /// The precision over the recall.
        case pr
    }

    /// Keras's name, followed by the settings that are not the default, such as `precision_threshold_0.7`. Metrics that
    /// differ have different names.
    public var name: String { kind + settings }

    /// Keras's name.
    var kind: String {
        switch self {
        case .accuracy: "accuracy"
        case .sparseCategoricalAccuracy: "sparse_categorical_accuracy"
        case .categoricalAccuracy: "categorical_accuracy"
        case .binaryAccuracy: "binary_accuracy"
        case .topKCategoricalAccuracy: "top_k_categorical_accuracy"
        case .sparseTopKCategoricalAccuracy: "sparse_top_k_categorical_accuracy"
        case .precision: "precision"
        case .recall: "recall"
        case .f1Score: "f1_score"
        case .auc: "auc"
        case .rootMeanSquaredError: "root_mean_squared_error"
        case .cosineSimilarity: "cosine_similarity"
        case .loss(.cosineSimilarity): "cosine_similarity_loss"
        case .loss(let loss): loss.name
        }
    }

    /// The settings that are not the default, as part of the name.
    private var settings: String {
        switch self {
        case .binaryAccuracy(let threshold): setting("threshold", threshold, unless: 0.5)
        case .topKCategoricalAccuracy(let k), .sparseTopKCategoricalAccuracy(let k):
            setting("k", k, unless: 5)
        case .precision(let threshold, let average), .recall(let threshold, let average),
            .f1Score(let threshold, let average):
            (threshold.map { "_threshold_\($0)" } ?? "")
                + setting("average", average.rawValue, unless: "macro")
        case .auc(let curve, let thresholds):
            setting("curve", curve.rawValue, unless: "roc") + setting("thresholds", thresholds, unless: 200)
        case .loss(let loss): loss.settings
        default: ""
        }
    }

    /// The form that `accuracy` takes for targets and predictions of these shapes; any other metric is itself.
    public func resolved(targets: Shape, predictions: Shape) -> Metric {
        guard self == .accuracy else { return self }
        if predictions.channels == 1 { return .binaryAccuracy() }
        let isSparse = targets.rank < predictions.rank || targets.channels == 1
        return isSparse ? .sparseCategoricalAccuracy : .categoricalAccuracy
    }
}

private func setting<T: Equatable>(_ name: String, _ value: T, unless usual: T) -> String {
    value == usual ? "" : "_\(name)_\(value)"
}

extension Loss {
    /// The settings that are not the default, as part of a metric's name.
    fileprivate var settings: String {
        switch self {
        case .sparseCategoricalCrossentropy(let fromLogits, let smoothing),
            .categoricalCrossentropy(let fromLogits, let smoothing),
            .binaryCrossentropy(let fromLogits, let smoothing):
            settings(fromLogits, smoothing)
        case .categoricalFocalCrossentropy(let alpha, let gamma, let fromLogits, let smoothing):
            setting("alpha", alpha, unless: 0.25) + setting("gamma", gamma, unless: 2)
                + settings(fromLogits, smoothing)
        case .binaryFocalCrossentropy(let balances, let alpha, let gamma, let fromLogits, let smoothing):
            (balances ? "_balanced" : "") + setting("alpha", alpha, unless: 0.25)
                + setting("gamma", gamma, unless: 2) + settings(fromLogits, smoothing)
        case .huber(let delta): setting("delta", delta, unless: 1)
        default: ""
        }
    }

    private func settings(_ fromLogits: Bool, _ smoothing: Double) -> String {
        (fromLogits ? "_from_logits" : "") + setting("label_smoothing", smoothing, unless: 0)
    }
}
