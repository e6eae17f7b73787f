import FoveaGraph

/// A number that tells how good predictions are, reported but not trained on.
///
/// Called with targets and predictions of a batch it gives a vector of sums. Sums are added over all batches, and `value`
/// makes the number of the total, so a smaller last batch weighs as much as it has examples.
///
/// A metric of one's own is a type with a name, settings that all have default values, and its sums. It is given to
/// `compile` as it is, and to the reading of files in `CustomTypes`:
///
/// ```swift
/// /// The share of outputs that are no further than a margin from their target.
/// struct WithinMargin: Metric {
///     static let name = "within_margin"
///     var margin = 1.0
///     func sums(_ batch: MetricInputs) throws -> Tensor {
///         let distance = try (batch.predictions - batch.alignedTargets).unary(.abs)
///         return try batch.mean(distance.lessOrEqual(.constant(Float(margin))))
///     }
/// }
/// ```
///
/// **Weights.** Sums count each example as often as its sample weight says. (Keras passes weights only to metrics given
/// as `weighted_metrics`.) An empty sum divided by an empty sum is 0, as in Keras.
///
/// **NaN.** Where a prediction is NaN the metric is NaN: it is neither right nor wrong. (In Keras it counts as one or the
/// other, or not at all.)
///
/// **Logits.** `fromLogits` says whether predictions are logits. A threshold is then compared with the sigmoid of each
/// output, and `auc` is that of the sigmoids.
public protocol Metric: Hashable, Codable, Sendable {
    /// Keras's name, such as `binary_accuracy`. Files have it as well.
    static var name: String { get }

    /// The metric with default settings.
    init()

    /// The name, followed by the settings that are not the default, such as `precision_threshold_0.7`. Metrics that
    /// differ have different names.
    var name: String { get }

    /// Whether training aims for larger values; so it does unless said.
    var isLargerBetter: Bool { get }

    /// The sums of a batch, a `float32` vector; NaN of predictions need not be thought of.
    ///
    /// - Throws: `ShapeError` when targets or predictions do not fit, `TrainingError` for a setting out of range.
    func sums(_ batch: MetricInputs) throws -> Tensor

    /// The metric of all batches whose sums were added up; the first sum divided by the last unless said.
    ///
    /// - Parameter sums: as many numbers as the vector of one batch; none when there was none.
    func value(of sums: [Double]) -> Double
}

/// The metrics that files may name without `CustomTypes`, beside the means of losses.
public let builtInMetrics: [any Metric.Type] = [
    AccuracyMetric.self, SparseCategoricalAccuracyMetric.self, CategoricalAccuracyMetric.self,
    BinaryAccuracyMetric.self, TopKCategoricalAccuracyMetric.self, SparseTopKCategoricalAccuracyMetric.self,
    PrecisionMetric.self, RecallMetric.self, F1ScoreMetric.self, FBetaScoreMetric.self,
    TruePositivesMetric.self, FalsePositivesMetric.self, TrueNegativesMetric.self, FalseNegativesMetric.self,
    AUCMetric.self, PrecisionAtRecallMetric.self, RecallAtPrecisionMetric.self,
    SensitivityAtSpecificityMetric.self, SpecificityAtSensitivityMetric.self, IoUMetric.self,
    BinaryIoUMetric.self, RootMeanSquaredErrorMetric.self, CosineSimilarityMetric.self, R2ScoreMetric.self,
]

extension Metric {
    public var name: String { named(Self.name, settingsOf: self, unlike: Self()) }
    public var isLargerBetter: Bool { true }
    public func value(of sums: [Double]) -> Double { divided(sums.first ?? 0, sums.last ?? 0) }

    /// The sums of one batch, in the graph.
    ///
    /// - Parameters:
    ///   - targets: what the model should have answered.
    ///   - predictions: what it answered, `float32`, `[batch, …]`.
    ///   - fromLogits: whether predictions are logits instead of probabilities.
    ///   - sampleWeights: how much each example counts, `float32`, `[batch]`; all 1 when nil.
    /// - Returns: a `float32` vector. Vectors of all batches added up element by element, best in `Double`, are what `value`
    ///   takes.
    /// - Throws: `ShapeError` when the metric does not fit the predictions, or targets or weights do not; `TrainingError`
    ///   for a setting out of range: a threshold outside `0...1`, a `k` that is not positive, fewer than 2 thresholds.
    public func callAsFunction(
        targets: Tensor, predictions: Tensor, fromLogits: Bool = false, sampleWeights: Tensor? = nil
    ) throws -> Tensor {
        let batch = MetricInputs(
            metricName: name, targets: targets, predictions: predictions, fromLogits: fromLogits,
            sampleWeights: sampleWeights)
        guard predictions.shape.rank > 1 else {
            throw batch.error("needs predictions [batch, outputs]")
        }
        try sampleWeights?.checkAsWeights(name, of: Shape([predictions.shape[0]]))
        // NaN or 0, of every prediction: no comparison may take a NaN for an answer.
        let isNaN = try Tensor.compare(.notEqual, predictions, predictions)
        let marks = try Tensor.select(isNaN, predictions, .filled(0, predictions.shape))
        return try sums(batch) + marks.sum()
    }

    // MARK: Files

    /// The name in files: of the mean of a loss the loss's.
    var kind: String { (self as? LossMetric)?.kind ?? Self.name }

    var hasDefaultSettings: Bool { (self as? LossMetric)?.loss.hasDefaultSettings ?? (self == Self()) }
}

/// 0 where there is nothing to divide by.
func divided(_ a: Double, _ b: Double) -> Double { b == 0 ? 0 : a / b }
