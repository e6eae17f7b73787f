import FoveaGraph

/// `1 - Σ (t - p)² / Σ (t - t̄)²`, the coefficient of determination, averaged over the outputs; t̄ is an output's mean
/// target over all examples. 1 for predictions that are all right, 0 for those that are always the mean, and below 0 for worse.
///
/// Targets and predictions: `[batch, outputs]`. An output whose targets are all the same has the score 0. (In Keras and
/// scikit-learn it is NaN and 1, if all its predictions are right, too.) Keras's `R2Score`, but that adjusts for no number of
/// regressors.
public struct R2ScoreMetric: Metric {
    public static let name = "r2_score"

    /// How the scores of several outputs become one.
    public enum Aggregation: String, Hashable, Codable, Sendable {
        /// Each weighs the same: Keras's `uniform_average`.
        case uniformAverage
        /// Each weighs as much as its targets vary: Keras's `variance_weighted_average`.
        case varianceWeightedAverage
    }

    public var aggregation: Aggregation

    public init(aggregation: Aggregation = .uniformAverage) { self.aggregation = aggregation }

    public init() { self = .r2Score() }

    public func sums(_ batch: MetricInputs) throws -> Tensor {
        let t = try batch.alignedTargets
        let error = try t - batch.predictions
        return try batch.joined(
            [t, t * t, error * error, .filled(1, t.shape)].map {
                try batch.weighted($0).sum(axes: Array(0..<t.shape.rank - 1))
            })
    }

    public func value(of sums: [Double]) -> Double {
        let outputs = sums.count / 4
        let scores = (0..<outputs).map { output -> (score: Double, variation: Double) in
            let (sum, count) = (sums[output], sums[3 * outputs + output])
            let variation = sums[outputs + output] - divided(sum * sum, count)
            return (variation == 0 ? 0 : 1 - sums[2 * outputs + output] / variation, variation)
        }
        switch aggregation {
        case .uniformAverage: return divided(scores.reduce(0) { $0 + $1.score }, Double(outputs))
        case .varianceWeightedAverage:
            return divided(
                scores.reduce(0) { $0 + $1.score * $1.variation }, scores.reduce(0) { $0 + $1.variation })
        }
    }
}

extension Metric where Self == R2ScoreMetric {
    /// The coefficient of determination: how much of the targets' variation predictions explain.
    public static func r2Score(
        aggregation: R2ScoreMetric.Aggregation = .uniformAverage
    ) -> R2ScoreMetric {
        R2ScoreMetric(aggregation: aggregation)
    }
}
