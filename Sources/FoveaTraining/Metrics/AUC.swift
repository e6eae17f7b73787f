import Foundation
import FoveaGraph

/// The area under a curve of two rates as the threshold goes from 0 to 1.
///
/// Counts are taken at equally spaced thresholds, and the area is interpolated between them, as Keras does: linearly
/// for the ROC curve; for precision over recall after Davis and Goadrich 2006, "The relationship between
/// precision-recall and ROC curves". Targets are 0 or 1, of the predictions' shape; several outputs are pooled.
public struct AUCMetric: Metric {
    public static let name = "auc"

    /// What an area is measured under.
    public enum Curve: String, Hashable, Codable, Sendable {
        /// The true positive rate over the false positive rate.
        case roc
        /// The precision over the recall.
        case pr
    }

    public var curve: Curve
    /// How many, in `2...100_000`.
    public var thresholds: Int

    public init(curve: Curve = .roc, thresholds: Int = 200) {
        self.curve = curve
        self.thresholds = thresholds
    }

    public init() { self = .auc() }

    public func sums(_ batch: MetricInputs) throws -> Tensor { try batch.histograms(thresholds: thresholds) }

    public func value(of sums: [Double]) -> Double {
        switch curve {
        case .roc: Thresholds(sums).areaUnderROC
        case .pr: Thresholds(sums).areaUnderPrecisionRecall
        }
    }
}

extension Metric where Self == AUCMetric {
    /// The area under the ROC curve, or that of precision over recall.
    public static func auc(curve: AUCMetric.Curve = .roc, thresholds: Int = 200) -> AUCMetric {
        AUCMetric(curve: curve, thresholds: thresholds)
    }
}

extension Thresholds {
    /// Pairs of neighbours, the lower threshold first.
    private var intervals: Range<Int> { 0..<max(0, truePositives.count - 1) }

    /// Trapezoids between neighbouring points.
    fileprivate var areaUnderROC: Double {
        let (negatives, positives) = (falsePositives.first ?? 0, truePositives.first ?? 0)
        return intervals.reduce(0) { area, i in
            let width = divided(falsePositives[i] - falsePositives[i + 1], negatives)
            return area + width * divided(truePositives[i] + truePositives[i + 1], positives) / 2
        }
    }

    /// Between two points true positives grow linearly with all predicted positives, `TP = a + b P`. The precision
    /// `TP / P` is then integrated over the recall: `b (ΔTP + a log(P₀ / P₁))` divided by the number of positives.
    fileprivate var areaUnderPrecisionRecall: Double {
        intervals.reduce(0) { area, i in
            let (larger, smaller) = (truePositives[i], truePositives[i + 1])
            let (p0, p1) = (larger + falsePositives[i], smaller + falsePositives[i + 1])
            let slope = divided(larger - smaller, p0 - p1)
            let intercept = smaller - slope * p1
            let logarithm = p0 > 0 && p1 > 0 ? log(p0 / p1) : 0
            return area
                + divided(slope * (larger - smaller + intercept * logarithm), truePositives.first ?? 0)
        }
    }
}
