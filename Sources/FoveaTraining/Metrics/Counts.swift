import Foundation
import FoveaGraph

/// How the numbers of several outputs become one.
public enum MetricAverage: String, Hashable, Codable, Sendable {
    /// The mean over the outputs, each weighing the same; one without any example counts as 0.
    case macro
    /// The number for all outputs counted together.
    case micro
}

extension MetricInputs {
    /// Whether targets are class numbers, for predictions of several classes.
    var isSparse: Bool {
        outputs > 1 && (targets.shape.rank < predictions.shape.rank || targets.shape.channels == 1)
    }

    /// Which outputs should be true, and which are predicted to be, as 0 and 1.
    ///
    /// - Parameter threshold: what is above it is predicted to be true. Without one, only the first largest of each row
    ///   is, and a single output is compared with 0.5.
    func truths(threshold: Double?) throws -> (actual: Tensor, predicted: Tensor) {
        let actual =
            if isSparse {
                try sparseLabels().oneHot(depth: outputs)
            } else if threshold == nil, outputs > 1 {
                try denseLabels().oneHot(depth: outputs)
            } else {
                try alignedTargets.greater(0.5).cast(to: .float32)
            }
        let predicted =
            if threshold == nil, outputs > 1 {
                try predictions.argMax().oneHot(depth: outputs)
            } else {
                try isAbove(threshold ?? 0.5).cast(to: .float32)
            }
        return (actual, predicted)
    }

    /// True positives, then predicted positives, then actual positives of each output.
    func counts(threshold: Double?) throws -> Tensor {
        let (actual, predicted) = try truths(threshold: threshold)
        return try counts(actual, predicted)
    }

    /// How many are both, then how many are predicted, then how many are actual, of each output.
    func counts(_ actual: Tensor, _ predicted: Tensor) throws -> Tensor {
        try joined(
            [actual * predicted, predicted, actual].map {
                try weighted($0).sum(axes: Array(0..<predictions.shape.rank - 1))
            })
    }
}

/// How many outputs were rightly predicted to be true, were predicted to be, and are.
struct PositiveCounts {
    var found, predicted, actual: Double

    /// The counts of each output, from the sums of `MetricInputs.counts`.
    static func each(_ sums: [Double]) -> [PositiveCounts] {
        let outputs = sums.count / 3
        return (0..<outputs).map {
            PositiveCounts(found: sums[$0], predicted: sums[outputs + $0], actual: sums[2 * outputs + $0])
        }
    }

    /// A ratio of counts, averaged over the outputs.
    static func ratio(
        _ sums: [Double], _ average: MetricAverage, _ parts: (PositiveCounts) -> (Double, Double)
    ) -> Double {
        let counts = each(sums)
        switch average {
        case .macro:
            let ratios = counts.map { divided(parts($0).0, parts($0).1) }
            return divided(ratios.reduce(0, +), Double(counts.count))
        case .micro:
            let total = counts.reduce(into: PositiveCounts(found: 0, predicted: 0, actual: 0)) {
                $0.found += $1.found
                $0.predicted += $1.predicted
                $0.actual += $1.actual
            }
            return divided(parts(total).0, parts(total).1)
        }
    }
}

/// The logarithm of a probability's odds: what the sigmoid of is the probability.
func logit(_ probability: Double) -> Double { log(probability / (1 - probability)) }
