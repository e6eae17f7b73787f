import FoveaGraph

/// The share of right answers, in the sense that fits the shapes, as in Keras: `binaryAccuracy` for predictions with
/// one output, else `sparseCategoricalAccuracy` for class numbers and `categoricalAccuracy` for rows.
public struct AccuracyMetric: Metric {
    public static let name = "accuracy"

    public init() {}

    public func sums(_ batch: MetricInputs) throws -> Tensor {
        if batch.outputs == 1 { return try BinaryAccuracyMetric().sums(batch) }
        let isSparse =
            batch.targets.shape.rank < batch.predictions.shape.rank || batch.targets.shape.channels == 1
        return try isSparse
            ? SparseCategoricalAccuracyMetric().sums(batch) : CategoricalAccuracyMetric().sums(batch)
    }
}

extension Metric where Self == AccuracyMetric {
    /// The share of right answers, in the sense that fits the shapes.
    public static var accuracy: AccuracyMetric { AccuracyMetric() }
}

/// The share of examples whose largest output is that of the target class number.
public struct SparseCategoricalAccuracyMetric: Metric {
    public static let name = "sparse_categorical_accuracy"

    public init() {}

    public func sums(_ batch: MetricInputs) throws -> Tensor {
        try batch.mean(batch.predictions.argMax().equal(batch.sparseLabels()))
    }
}

extension Metric where Self == SparseCategoricalAccuracyMetric {
    /// The share of examples whose largest output is that of the target class number.
    public static var sparseCategoricalAccuracy: SparseCategoricalAccuracyMetric { .init() }
}

/// The share of examples whose largest output is where the largest target is.
public struct CategoricalAccuracyMetric: Metric {
    public static let name = "categorical_accuracy"

    public init() {}

    public func sums(_ batch: MetricInputs) throws -> Tensor {
        try batch.mean(batch.predictions.argMax().equal(batch.denseLabels()))
    }
}

extension Metric where Self == CategoricalAccuracyMetric {
    /// The share of examples whose largest output is where the largest target is.
    public static var categoricalAccuracy: CategoricalAccuracyMetric { .init() }
}

/// The share of outputs that are above the threshold where the target is 1 and not above it where the target is 0.
///
/// (Keras compares logits with 0.5 unless told otherwise; here see `Metric` on logits.)
public struct BinaryAccuracyMetric: Metric {
    public static let name = "binary_accuracy"

    /// In `0...1`.
    public var threshold: Double

    public init(threshold: Double = 0.5) { self.threshold = threshold }

    public init() { self = .binaryAccuracy() }

    public func sums(_ batch: MetricInputs) throws -> Tensor {
        let isAbove = try batch.isAbove(threshold).cast(to: .float32)
        return try batch.mean(isAbove.equal(batch.alignedTargets))
    }
}

extension Metric where Self == BinaryAccuracyMetric {
    /// The share of outputs that are on the right side of a threshold.
    public static func binaryAccuracy(threshold: Double = 0.5) -> BinaryAccuracyMetric {
        BinaryAccuracyMetric(threshold: threshold)
    }
}
