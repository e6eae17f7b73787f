import FoveaGraph

/// `2 TP / (2 TP + FP + FN)`, the harmonic mean of precision and recall. See `PrecisionMetric`.
///
/// Keras's `F1Score` is the same but for its ε of 1e-7, and without a threshold it predicts every one of several
/// equally large outputs.
public struct F1ScoreMetric: Metric {
    public static let name = "f1_score"

    /// In `0...1`; nil for the largest output of each row.
    public var threshold: Double?
    public var average: MetricAverage

    public init(threshold: Double? = nil, average: MetricAverage = .macro) {
        self.threshold = threshold
        self.average = average
    }

    public init() { self = .f1Score() }

    public func sums(_ batch: MetricInputs) throws -> Tensor { try batch.counts(threshold: threshold) }

    public func value(of sums: [Double]) -> Double {
        PositiveCounts.ratio(sums, average) { (2 * $0.found, $0.predicted + $0.actual) }
    }
}

extension Metric where Self == F1ScoreMetric {
    /// The harmonic mean of precision and recall.
    public static func f1Score(
        threshold: Double? = nil, average: MetricAverage = .macro
    ) -> F1ScoreMetric {
        F1ScoreMetric(threshold: threshold, average: average)
    }
}
