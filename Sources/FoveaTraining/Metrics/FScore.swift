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

/// `(1 + β²) TP / ((1 + β²) TP + β² FN + FP)`, the harmonic mean of precision and recall in which recall weighs β² times as
/// much. See `PrecisionMetric`; Keras's `FBetaScore` differs as its F1 score does (`F1ScoreMetric`).
///
/// van Rijsbergen 1979, "Information retrieval", chapter 7.
public struct FBetaScoreMetric: Metric {
    public static let name = "fbeta_score"

    /// β, positive.
    public var beta: Double
    /// In `0...1`; nil for the largest output of each row.
    public var threshold: Double?
    public var average: MetricAverage

    public init(beta: Double = 1, threshold: Double? = nil, average: MetricAverage = .macro) {
        self.beta = beta
        self.threshold = threshold
        self.average = average
    }

    public init() { self.init(beta: 1) }

    public func sums(_ batch: MetricInputs) throws -> Tensor {
        guard beta > 0, (beta * beta).isFinite else {
            throw TrainingError.invalidArgument("beta", "\(beta)", expected: "a positive number")
        }
        return try batch.counts(threshold: threshold)
    }

    public func value(of sums: [Double]) -> Double {
        let square = beta * beta
        return PositiveCounts.ratio(sums, average) {
            ((1 + square) * $0.found, $0.predicted + square * $0.actual)
        }
    }
}

extension Metric where Self == FBetaScoreMetric {
    /// The harmonic mean of precision and recall in which recall weighs β² times as much.
    public static func fBetaScore(
        beta: Double, threshold: Double? = nil, average: MetricAverage = .macro
    ) -> FBetaScoreMetric {
        FBetaScoreMetric(beta: beta, threshold: threshold, average: average)
    }
}
