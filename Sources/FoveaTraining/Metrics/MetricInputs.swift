import FoveaGraph

/// What a metric's sums of one batch are computed from.
public struct MetricInputs: Sendable {
    /// The metric's name, for errors.
    public let metricName: String
    /// What the model should have answered, of any number type.
    public let targets: Tensor
    /// What it answered, `float32`, `[batch, …]`.
    public let predictions: Tensor
    /// Whether predictions are logits instead of probabilities.
    public let fromLogits: Bool
    /// How much each example counts, `float32`, `[batch]`; all 1 when nil.
    public let sampleWeights: Tensor?

    /// The targets as float32 of the predictions' shape.
    public var alignedTargets: Tensor {
        get throws { try targets.aligned(with: predictions, for: metricName) }
    }

    /// Numbers or truths `[batch, …]` as the sum of weighted means per example and the sum of weights: what the default
    /// `value` makes the weighted mean of.
    public func mean(_ values: Tensor) throws -> Tensor {
        let each = try values.cast(to: .float32).meanPerExample()
        let total = try sampleWeights.map { try each * $0 } ?? each
        return try joined([total.sum(), (sampleWeights ?? .filled(1, each.shape)).sum()])
    }

    /// The sum of all numbers, each times the weight of its example, as a vector of one.
    public func total(_ values: Tensor) throws -> Tensor { try weighted(values).sum().reshaped(to: [1]) }

    /// Each element times the weight of its example.
    public func weighted(_ values: Tensor) throws -> Tensor {
        guard let sampleWeights else { return values }
        let ones = [Int](repeating: 1, count: values.shape.rank - 1)
        return try values * sampleWeights.reshaped(to: Shape([sampleWeights.shape[0]] + ones))
    }

    /// An error about the shapes.
    public func error(_ message: String) -> ShapeError {
        ShapeError(metricName, message, shapes: [targets.shape, predictions.shape])
    }

    /// Numbers and vectors as one vector.
    public func joined(_ sums: [Tensor]) throws -> Tensor {
        try .concatenate(sums.map { $0.shape.rank == 0 ? try $0.reshaped(to: [1]) : $0 }, axis: 0)
    }

    // MARK: Classes

    var outputs: Int { predictions.shape.channels }

    private func checkClasses() throws {
        guard outputs > 1 else {
            throw error("needs predictions with two or more outputs; binaryAccuracy fits a single one")
        }
    }

    /// The class numbers that targets are.
    func sparseLabels() throws -> Tensor {
        try checkClasses()
        return try targets.labels(for: predictions, of: metricName)
    }

    /// The places of the largest targets in their rows.
    func denseLabels() throws -> Tensor {
        try checkClasses()
        return try alignedTargets.argMax()
    }

    /// Whether each probability is above a threshold, or on it where that counts, too.
    func isAbove(_ threshold: Double, orEqual: Bool = false) throws -> Tensor {
        guard (0...1).contains(threshold) else {
            throw TrainingError.invalidArgument("threshold", "\(threshold)", expected: "a number in 0...1")
        }
        // σ(x) > t where x > log(t / (1 - t)), which also holds for the ends of the range.
        let limit = Float(fromLogits ? logit(threshold) : threshold)
        return try orEqual ? predictions.greaterOrEqual(limit) : predictions.greater(limit)
    }
}
