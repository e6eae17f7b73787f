import FoveaGraph

/// `TP / (TP + FP)`: of the outputs predicted to be true, how many are.
///
/// With a threshold, every output above it is predicted to be true. Without one, only the first largest of each row
/// is, and a single output is compared with 0.5. Targets are 0 or 1, or one-hot rows, or class numbers; a target above
/// 0.5 counts as 1.
///
/// For one output this is what Keras's `Precision` and scikit-learn's `average="binary"` say. For several, Keras's
/// `Precision` is `threshold: 0.5, average: .micro`; scikit-learn's `average="macro"` is `threshold: nil`,
/// `average: .macro`, except that it leaves out classes that are neither in the targets nor predicted.
public struct PrecisionMetric: Metric {
    public static let name = "precision"

    /// In `0...1`; nil for the largest output of each row.
    public var threshold: Double?
    public var average: MetricAverage

    public init(threshold: Double? = nil, average: MetricAverage = .macro) {
        self.threshold = threshold
        self.average = average
    }

    public init() { self = .precision() }

    public func sums(_ batch: MetricInputs) throws -> Tensor { try batch.counts(threshold: threshold) }

    public func value(of sums: [Double]) -> Double {
        PositiveCounts.ratio(sums, average) { ($0.found, $0.predicted) }
    }
}

extension Metric where Self == PrecisionMetric {
    /// Of the outputs predicted to be true, how many are.
    public static func precision(
        threshold: Double? = nil, average: MetricAverage = .macro
    ) -> PrecisionMetric {
        PrecisionMetric(threshold: threshold, average: average)
    }
}
