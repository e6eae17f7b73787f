import FoveaGraph

/// How many outputs that should be true were predicted to be, of all outputs and examples. Predictions and targets are as for
/// `PrecisionMetric`, but the threshold is 0.5 unless said, as in Keras.
public struct TruePositivesMetric: Metric {
    public static let name = "true_positives"

    /// In `0...1`; nil for the largest output of each row.
    public var threshold: Double?

    public init(threshold: Double? = 0.5) { self.threshold = threshold }

    public init() { self = .truePositives() }

    public func sums(_ batch: MetricInputs) throws -> Tensor {
        let (actual, predicted) = try batch.truths(threshold: threshold)
        return try batch.total(actual * predicted)
    }

    public func value(of sums: [Double]) -> Double { sums.first ?? 0 }
}

extension Metric where Self == TruePositivesMetric {
    /// How many outputs that should be true were predicted to be.
    public static func truePositives(threshold: Double? = 0.5) -> TruePositivesMetric {
        TruePositivesMetric(threshold: threshold)
    }
}

/// How many outputs that should not be true were predicted to be. See `TruePositivesMetric`.
public struct FalsePositivesMetric: Metric {
    public static let name = "false_positives"

    /// In `0...1`; nil for the largest output of each row.
    public var threshold: Double?

    public init(threshold: Double? = 0.5) { self.threshold = threshold }

    public init() { self = .falsePositives() }

    public var isLargerBetter: Bool { false }

    public func sums(_ batch: MetricInputs) throws -> Tensor {
        let (actual, predicted) = try batch.truths(threshold: threshold)
        return try batch.total((1 - actual) * predicted)
    }

    public func value(of sums: [Double]) -> Double { sums.first ?? 0 }
}

extension Metric where Self == FalsePositivesMetric {
    /// How many outputs that should not be true were predicted to be.
    public static func falsePositives(threshold: Double? = 0.5) -> FalsePositivesMetric {
        FalsePositivesMetric(threshold: threshold)
    }
}

/// How many outputs that should not be true were not predicted to be. See `TruePositivesMetric`.
public struct TrueNegativesMetric: Metric {
    public static let name = "true_negatives"

    /// In `0...1`; nil for the largest output of each row.
    public var threshold: Double?

    public init(threshold: Double? = 0.5) { self.threshold = threshold }

    public init() { self = .trueNegatives() }

    public func sums(_ batch: MetricInputs) throws -> Tensor {
        let (actual, predicted) = try batch.truths(threshold: threshold)
        return try batch.total((1 - actual) * (1 - predicted))
    }

    public func value(of sums: [Double]) -> Double { sums.first ?? 0 }
}

extension Metric where Self == TrueNegativesMetric {
    /// How many outputs that should not be true were not predicted to be.
    public static func trueNegatives(threshold: Double? = 0.5) -> TrueNegativesMetric {
        TrueNegativesMetric(threshold: threshold)
    }
}

/// How many outputs that should be true were not predicted to be. See `TruePositivesMetric`.
public struct FalseNegativesMetric: Metric {
    public static let name = "false_negatives"

    /// In `0...1`; nil for the largest output of each row.
    public var threshold: Double?

    public init(threshold: Double? = 0.5) { self.threshold = threshold }

    public init() { self = .falseNegatives() }

    public var isLargerBetter: Bool { false }

    public func sums(_ batch: MetricInputs) throws -> Tensor {
        let (actual, predicted) = try batch.truths(threshold: threshold)
        return try batch.total(actual * (1 - predicted))
    }

    public func value(of sums: [Double]) -> Double { sums.first ?? 0 }
}

extension Metric where Self == FalseNegativesMetric {
    /// How many outputs that should be true were not predicted to be.
    public static func falseNegatives(threshold: Double? = 0.5) -> FalseNegativesMetric {
        FalseNegativesMetric(threshold: threshold)
    }
}
