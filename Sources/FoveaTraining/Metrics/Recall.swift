import FoveaGraph

/// `TP / (TP + FN)`: of the outputs that should be true, how many were predicted to be. See `PrecisionMetric`.
public struct RecallMetric: Metric {
    public static let name = "recall"

    /// In `0...1`; nil for the largest output of each row.
    public var threshold: Double?
    public var average: MetricAverage

    public init(threshold: Double? = nil, average: MetricAverage = .macro) {
        self.threshold = threshold
        self.average = average
    }

    public init() { self = .recall() }

    public func sums(_ batch: MetricInputs) throws -> Tensor { try batch.counts(threshold: threshold) }

    public func value(of sums: [Double]) -> Double {
        PositiveCounts.ratio(sums, average) { ($0.found, $0.actual) }
    }
}

extension Metric where Self == RecallMetric {
    /// Of the outputs that should be true, how many were predicted to be.
    public static func recall(
        threshold: Double? = nil, average: MetricAverage = .macro
    ) -> RecallMetric {
        RecallMetric(threshold: threshold, average: average)
    }
}
