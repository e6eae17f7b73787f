import Foundation
import FoveaGraph

extension Metric {
    /// The sums of one batch, in the graph.
    ///
    /// - Parameters:
    ///   - targets: what the model should have answered.
    ///   - predictions: what it answered, `float32`, `[batch, …]`.
    ///   - fromLogits: whether predictions are logits instead of probabilities.
    ///   - sampleWeights: how much each example counts, `float32`, `[batch]`; all 1 when nil.
    /// - Returns: a `float32` vector. Vectors of all batches added up element by element, best in `Double`, are what `value`
    ///   takes.
    /// - Throws: `ShapeError` when the metric does not fit the predictions, or targets or weights do not; `TrainingError`
    ///   for a setting out of range: a threshold outside `0...1`, a `k` that is not positive, fewer than 2 thresholds.
    public func callAsFunction(
        targets: Tensor, predictions: Tensor, fromLogits: Bool = false, sampleWeights: Tensor? = nil
    ) throws -> Tensor {
        let batch = Batch(name, targets, predictions, fromLogits, sampleWeights)
        guard predictions.shape.rank > 1 else {
            throw batch.error("needs predictions [batch, outputs]")
        }
        try sampleWeights?.checkAsWeights(name, of: Shape([predictions.shape[0]]))
        // NaN or 0, of every prediction: no comparison may take a NaN for an answer.
        let isNaN = try Tensor.compare(.notEqual, predictions, predictions)
        let marks = try Tensor.select(isNaN, predictions, .filled(0, predictions.shape))
        return try sums(batch) + marks.sum()
    }

    private func sums(_ batch: Batch) throws -> Tensor {
        let (targets, predictions) = (batch.targets, batch.predictions)
        switch resolved(targets: targets.shape, predictions: predictions.shape) {
        case .accuracy, .sparseCategoricalAccuracy:
            return try batch.mean(batch.isLargest(at: batch.sparseLabels()))
        case .categoricalAccuracy:
            return try batch.mean(batch.isLargest(at: batch.denseLabels()))
        case .binaryAccuracy(let threshold):
            let isAbove = try batch.isAbove(threshold).cast(to: .float32)
            return try batch.mean(isAbove.equal(targets.aligned(with: predictions, name)))
        case .topKCategoricalAccuracy(let k):
            return try batch.mean(batch.isAmongLargest(k, batch.denseLabels()))
        case .sparseTopKCategoricalAccuracy(let k):
            return try batch.mean(batch.isAmongLargest(k, batch.sparseLabels()))
        case .precision(let threshold, _), .recall(let threshold, _), .f1Score(let threshold, _):
            return try batch.counts(threshold: threshold)
        case .auc(_, let thresholds):
            return try batch.histograms(thresholds: thresholds)
        case .rootMeanSquaredError:
            let error = try predictions - targets.aligned(with: predictions, name)
            return try batch.mean(error * error)
        case .cosineSimilarity:
            return try batch.mean(Loss.cosineSimilarity(targets: targets, predictions: predictions).negated())
        case .loss(let loss):
            return try batch.mean(loss(targets: targets, predictions: predictions))
        }
    }
}

/// What a metric is given, and the sums that metrics are made of.
private struct Batch {
    let name: String
    let targets: Tensor
    let predictions: Tensor
    let fromLogits: Bool
    let weights: Tensor?

    init(
        _ name: String, _ targets: Tensor, _ predictions: Tensor, _ fromLogits: Bool, _ weights: Tensor?
    ) {
        (self.name, self.targets, self.predictions) = (name, targets, predictions)
        (self.fromLogits, self.weights) = (fromLogits, weights)
    }

    var outputs: Int { predictions.shape.channels }

    func error(_ message: String) -> ShapeError {
        ShapeError(name, message, shapes: [targets.shape, predictions.shape])
    }

    // MARK: Means

    /// Numbers or truths `[batch, …]` as the sum of weighted means per example and the sum of weights.
    func mean(_ values: Tensor) throws -> Tensor {
        let each = try values.cast(to: .float32).meanPerExample()
        let total = try weights.map { try each * $0 } ?? each
        return try joined([total.sum(), (weights ?? .filled(1, each.shape)).sum()])
    }

    private func joined(_ sums: [Tensor]) throws -> Tensor {
        try .concatenate(sums.map { $0.shape.rank == 0 ? try $0.reshaped(to: [1]) : $0 }, axis: 0)
    }

    // MARK: Classes

    private func checkClasses() throws {
        guard outputs > 1 else {
            throw error("needs predictions with two or more outputs; binaryAccuracy fits a single one")
        }
    }

    func sparseLabels() throws -> Tensor {
        try checkClasses()
        return try targets.labels(for: predictions, name)
    }

    func denseLabels() throws -> Tensor {
        try checkClasses()
        return try targets.aligned(with: predictions, name).argMax()
    }

    func isLargest(at labels: Tensor) throws -> Tensor { try predictions.argMax().equal(labels) }

    /// Whether fewer than `k` outputs are above the label's.
    func isAmongLargest(_ k: Int, _ labels: Tensor) throws -> Tensor {
        guard k > 0 else { throw TrainingError.invalidArgument("k", "\(k)", expected: "positive") }
        guard k <= outputs else {
            throw error("needs k outputs or more, but k is \(k) and the predictions have \(outputs)")
        }
        let isLabel = try labels.oneHot(depth: outputs).greater(0)
        let lowest = Tensor.filled(-.infinity, predictions.shape)
        let own = try Tensor.select(isLabel, predictions, lowest).max(axes: [-1], keepDims: true)
        let notAbove = try predictions.lessOrEqual(own).cast(to: .float32).sum(axes: [-1])
        return try notAbove.greater(Float(outputs - k))
    }

    // MARK: Counts

    /// Whether each probability is above a threshold.
    func isAbove(_ threshold: Double) throws -> Tensor {
        guard (0...1).contains(threshold) else {
            throw TrainingError.invalidArgument("threshold", "\(threshold)", expected: "a number in 0...1")
        }
        // σ(x) > t where x > log(t / (1 - t)), which also holds for the ends of the range.
        return try predictions.greater(Float(fromLogits ? log(threshold / (1 - threshold)) : threshold))
    }

    /// True positives, then predicted positives, then actual positives of each output.
    func counts(threshold: Double?) throws -> Tensor {
        let isSparse =
            outputs > 1 && (targets.shape.rank < predictions.shape.rank || targets.shape.channels == 1)
        let actual =
            if isSparse {
                try sparseLabels().oneHot(depth: outputs)
            } else if threshold == nil, outputs > 1 {
                try denseLabels().oneHot(depth: outputs)
            } else {
                try targets.aligned(with: predictions, name).greater(0.5).cast(to: .float32)
            }
        let predicted =
            if threshold == nil, outputs > 1 {
                try predictions.argMax().oneHot(depth: outputs)
            } else {
                try isAbove(threshold ?? 0.5).cast(to: .float32)
            }
        return try joined(
            [actual * predicted, predicted, actual].map {
                try weighted($0).sum(axes: Array(0..<predictions.shape.rank - 1))
            })
    }

    /// Each element times the weight of its example.
    private func weighted(_ values: Tensor) throws -> Tensor {
        guard let weights else { return values }
        let ones = [Int](repeating: 1, count: values.shape.rank - 1)
        return try values * weights.reshaped(to: Shape([weights.shape[0]] + ones))
    }

    /// How many outputs with target 0, then with target 1, are first exceeded by the second, third and so on threshold.
    /// Of n thresholds the i-th is `i / (n - 1)`, the first and last a little outside `0...1`.
    func histograms(thresholds: Int) throws -> Tensor {
        guard (2...100_000).contains(thresholds) else {
            throw TrainingError.invalidArgument("thresholds", "\(thresholds)", expected: "in 2...100000")
        }
        guard
            targets.shape == predictions.shape
                || targets.shape.dimensions + [1] == predictions.shape.dimensions
        else {
            throw error(
                "needs targets 0 or 1 of the predictions' shape \(predictions.shape); "
                    + "make one-hot rows of class numbers")
        }
        let isPositive = try targets.aligned(with: predictions, name).greater(0.5).cast(to: .float32)
        let p = try Tensor.minimum(.maximum(fromLogits ? predictions.sigmoid() : predictions, 0), 1)
        // ⌈x⌉ = -⌊-x⌋
        let ceiling = try (p * Float(1 - thresholds)).unary(.floor).negated()
        let bucket = try Tensor.maximum(ceiling - 1, 0) + isPositive * Float(thresholds)
        let each = try weighted(.filled(1, predictions.shape))
        let flat = Shape([predictions.shape.elementCount])
        return try Tensor(
            .scatterAdd(ScatterAdd(axis: 0, extent: 2 * thresholds)),
            [each.reshaped(to: flat), bucket.reshaped(to: flat).cast(to: .int32)])
    }
}
