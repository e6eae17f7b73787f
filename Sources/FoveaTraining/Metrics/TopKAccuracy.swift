import FoveaGraph

/// The share of examples with fewer than `k` outputs above that of the largest target. So all outputs that tie for
/// the last place are among the `k`, as in Keras.
public struct TopKCategoricalAccuracyMetric: Metric {
    public static let name = "top_k_categorical_accuracy"

    /// Positive, and not more than there are outputs.
    public var k: Int

    public init(k: Int = 5) { self.k = k }

    public init() { self = .topKCategoricalAccuracy() }

    public func sums(_ batch: MetricInputs) throws -> Tensor {
        try batch.mean(batch.isAmongLargest(k, batch.denseLabels()))
    }
}

extension Metric where Self == TopKCategoricalAccuracyMetric {
    /// The share of examples whose largest target is among the k largest outputs.
    public static func topKCategoricalAccuracy(k: Int = 5) -> TopKCategoricalAccuracyMetric {
        TopKCategoricalAccuracyMetric(k: k)
    }
}

/// As `TopKCategoricalAccuracyMetric`, for target class numbers.
public struct SparseTopKCategoricalAccuracyMetric: Metric {
    public static let name = "sparse_top_k_categorical_accuracy"

    /// Positive, and not more than there are outputs.
    public var k: Int

    public init(k: Int = 5) { self.k = k }

    public init() { self = .sparseTopKCategoricalAccuracy() }

    public func sums(_ batch: MetricInputs) throws -> Tensor {
        try batch.mean(batch.isAmongLargest(k, batch.sparseLabels()))
    }
}

extension Metric where Self == SparseTopKCategoricalAccuracyMetric {
    /// The share of examples whose target class is among the k largest outputs.
    public static func sparseTopKCategoricalAccuracy(k: Int = 5) -> SparseTopKCategoricalAccuracyMetric {
        SparseTopKCategoricalAccuracyMetric(k: k)
    }
}

extension MetricInputs {
    /// Whether fewer than `k` outputs are above the label's.
    fileprivate func isAmongLargest(_ k: Int, _ labels: Tensor) throws -> Tensor {
        guard k > 0 else { throw TrainingError.invalidArgument("k", "\(k)", expected: "positive") }
        guard k <= outputs else {
            throw error("needs k outputs or more, but k is \(k) and the predictions have \(outputs)")
        }
        let isLabel = try labels.oneHot(depth: outputs).greater(0)
        let lowest = Tensor.filled(-.infinity, predictions.shape)
        let own = try Tensor.select(isLabel, predictions, lowest).max(axes: [-1], keepDims: true)
        let notAbove = try predictions.lessOrEqual(own).cast(to: .float32).sum(axes: [-1])
        return try notAbove.greater(Float(outputs - k))
    }
}
