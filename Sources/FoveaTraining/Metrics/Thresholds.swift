import Foundation
import FoveaGraph

extension MetricInputs {
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
        let isPositive = try alignedTargets.greater(0.5).cast(to: .float32)
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

/// How many outputs with target 0 and 1 are above each of equally spaced thresholds, from the sums of
/// `MetricInputs.histograms`.
struct Thresholds {
    let falsePositives: [Double]
    let truePositives: [Double]

    init(_ histograms: [Double]) {
        let half = histograms.count / 2
        falsePositives = Self.sumsFromEnd(histograms.prefix(half))
        truePositives = Self.sumsFromEnd(histograms.suffix(half))
    }

    private static func sumsFromEnd(_ histogram: ArraySlice<Double>) -> [Double] {
        var total = 0.0
        return histogram.reversed().map { count in
            total += count
            return total
        }.reversed()
    }
}
