import FoveaGraph

/// `√ mean (p - t)²`.
public struct RootMeanSquaredErrorMetric: Metric {
    public static let name = "root_mean_squared_error"

    public init() {}

    public var isLargerBetter: Bool { false }

    public func sums(_ batch: MetricInputs) throws -> Tensor {
        let error = try batch.predictions - batch.alignedTargets
        return try batch.mean(error * error)
    }

    public func value(of sums: [Double]) -> Double {
        divided(sums.first ?? 0, sums.last ?? 0).squareRoot()
    }
}

extension Metric where Self == RootMeanSquaredErrorMetric {
    /// The root of the mean of `(p - t)²`.
    public static var rootMeanSquaredError: RootMeanSquaredErrorMetric { .init() }
}

/// The mean cosine of the angle between targets and predictions, `[batch, C]`: 1 for equal directions. (The loss of
/// that name has the opposite sign.)
public struct CosineSimilarityMetric: Metric {
    public static let name = "cosine_similarity"

    public init() {}

    public func sums(_ batch: MetricInputs) throws -> Tensor {
        try batch.mean(
            CosineSimilarity()(targets: batch.targets, predictions: batch.predictions).negated())
    }
}

extension Metric where Self == CosineSimilarityMetric {
    /// The mean cosine of the angle between targets and predictions.
    public static var cosineSimilarity: CosineSimilarityMetric { .init() }
}
