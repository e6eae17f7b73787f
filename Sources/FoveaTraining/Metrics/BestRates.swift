import FoveaGraph

/// The largest precision of the thresholds with a recall of `recall` or more; 0 where there is none.
///
/// Thresholds, targets and predictions are as for `AUCMetric`; the smallest threshold takes all predictions. (That of Keras
/// leaves out those that are exactly 0.) Keras's `PrecisionAtRecall`.
public struct PrecisionAtRecallMetric: Metric {
    public static let name = "precision_at_recall"

    /// The recall that is demanded, in `0...1`.
    public var recall: Double
    /// How many, in `2...100_000`.
    public var thresholds: Int

    public init(recall: Double, thresholds: Int = 200) {
        self.recall = recall
        self.thresholds = thresholds
    }

    public init() { self.init(recall: 0.5) }

    public func sums(_ batch: MetricInputs) throws -> Tensor {
        try batch.histograms(thresholds: thresholds, "recall", recall)
    }

    public func value(of sums: [Double]) -> Double {
        Thresholds(sums).largest(\.precision, where: \.recall, isAtLeast: recall)
    }
}

extension Metric where Self == PrecisionAtRecallMetric {
    /// The largest precision with so much recall.
    public static func precisionAtRecall(_ recall: Double, thresholds: Int = 200) -> PrecisionAtRecallMetric {
        PrecisionAtRecallMetric(recall: recall, thresholds: thresholds)
    }
}

/// The largest recall of the thresholds with a precision of `precision` or more; 0 where there is none.
///
/// Thresholds, targets and predictions are as for `AUCMetric`; the smallest threshold takes all predictions. (That of Keras
/// leaves out those that are exactly 0.) Keras's `RecallAtPrecision`.
public struct RecallAtPrecisionMetric: Metric {
    public static let name = "recall_at_precision"

    /// The precision that is demanded, in `0...1`.
    public var precision: Double
    /// How many, in `2...100_000`.
    public var thresholds: Int

    public init(precision: Double, thresholds: Int = 200) {
        self.precision = precision
        self.thresholds = thresholds
    }

    public init() { self.init(precision: 0.5) }

    public func sums(_ batch: MetricInputs) throws -> Tensor {
        try batch.histograms(thresholds: thresholds, "precision", precision)
    }

    public func value(of sums: [Double]) -> Double {
        Thresholds(sums).largest(\.recall, where: \.precision, isAtLeast: precision)
    }
}

extension Metric where Self == RecallAtPrecisionMetric {
    /// The largest recall with so much precision.
    public static func recallAtPrecision(_ precision: Double, thresholds: Int = 200)
        -> RecallAtPrecisionMetric
    {
        RecallAtPrecisionMetric(precision: precision, thresholds: thresholds)
    }
}

/// The largest sensitivity, `TP / (TP + FN)`, of the thresholds with a specificity of `specificity` or more; 0 where there is none.
///
/// Thresholds, targets and predictions are as for `AUCMetric`; the smallest threshold takes all predictions. (That of Keras
/// leaves out those that are exactly 0.) Keras's `SensitivityAtSpecificity`.
public struct SensitivityAtSpecificityMetric: Metric {
    public static let name = "sensitivity_at_specificity"

    /// The specificity that is demanded, in `0...1`.
    public var specificity: Double
    /// How many, in `2...100_000`.
    public var thresholds: Int

    public init(specificity: Double, thresholds: Int = 200) {
        self.specificity = specificity
        self.thresholds = thresholds
    }

    public init() { self.init(specificity: 0.5) }

    public func sums(_ batch: MetricInputs) throws -> Tensor {
        try batch.histograms(thresholds: thresholds, "specificity", specificity)
    }

    public func value(of sums: [Double]) -> Double {
        Thresholds(sums).largest(\.recall, where: \.specificity, isAtLeast: specificity)
    }
}

extension Metric where Self == SensitivityAtSpecificityMetric {
    /// The largest sensitivity with so much specificity.
    public static func sensitivityAtSpecificity(_ specificity: Double, thresholds: Int = 200)
        -> SensitivityAtSpecificityMetric
    {
        SensitivityAtSpecificityMetric(specificity: specificity, thresholds: thresholds)
    }
}

/// The largest specificity, `TN / (TN + FP)`, of the thresholds with a sensitivity of `sensitivity` or more; 0 where there is none.
///
/// Thresholds, targets and predictions are as for `AUCMetric`; the smallest threshold takes all predictions. (That of Keras
/// leaves out those that are exactly 0.) Keras's `SpecificityAtSensitivity`.
public struct SpecificityAtSensitivityMetric: Metric {
    public static let name = "specificity_at_sensitivity"

    /// The sensitivity that is demanded, in `0...1`.
    public var sensitivity: Double
    /// How many, in `2...100_000`.
    public var thresholds: Int

    public init(sensitivity: Double, thresholds: Int = 200) {
        self.sensitivity = sensitivity
        self.thresholds = thresholds
    }

    public init() { self.init(sensitivity: 0.5) }

    public func sums(_ batch: MetricInputs) throws -> Tensor {
        try batch.histograms(thresholds: thresholds, "sensitivity", sensitivity)
    }

    public func value(of sums: [Double]) -> Double {
        Thresholds(sums).largest(\.specificity, where: \.recall, isAtLeast: sensitivity)
    }
}

extension Metric where Self == SpecificityAtSensitivityMetric {
    /// The largest specificity with so much sensitivity.
    public static func specificityAtSensitivity(_ sensitivity: Double, thresholds: Int = 200)
        -> SpecificityAtSensitivityMetric
    {
        SpecificityAtSensitivityMetric(sensitivity: sensitivity, thresholds: thresholds)
    }
}

extension MetricInputs {
    /// `histograms` after a check of what is demanded of a rate.
    fileprivate func histograms(thresholds: Int, _ setting: String, _ value: Double) throws -> Tensor {
        guard (0...1).contains(value) else {
            throw TrainingError.invalidArgument(setting, "\(value)", expected: "a number in 0...1")
        }
        return try histograms(thresholds: thresholds)
    }
}

/// The rates of one threshold; 0 where there is nothing to divide by.
private struct Rates {
    let precision, recall, specificity: Double
}

extension Thresholds {
    private var rates: [Rates] {
        let (positives, negatives) = (truePositives.first ?? 0, falsePositives.first ?? 0)
        return zip(truePositives, falsePositives).map { found, wrong in
            Rates(
                precision: divided(found, found + wrong), recall: divided(found, positives),
                specificity: divided(negatives - wrong, negatives))
        }
    }

    /// The largest of one rate over the thresholds where another is large enough; NaN where one is.
    fileprivate func largest(
        _ rate: KeyPath<Rates, Double>, where other: KeyPath<Rates, Double>, isAtLeast limit: Double
    ) -> Double {
        rates.reduce(0) { best, rates in
            let isOrdered = rates[keyPath: other] >= limit || rates[keyPath: other] < limit
            if best.isNaN || !isOrdered { return .nan }
            return rates[keyPath: other] >= limit ? Swift.max(best, rates[keyPath: rate]) : best
        }
    }
}
