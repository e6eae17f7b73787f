import Foundation

extension Metric {
    /// The metric of all batches whose sums were added up.
    ///
    /// - Parameter sums: as many numbers as the vector of one batch.
    public func value(of sums: [Double]) -> Double {
        switch self {
        case .precision(_, let average): ratio(sums, average) { ($0.true, $0.predicted) }
        case .recall(_, let average): ratio(sums, average) { ($0.true, $0.actual) }
        case .f1Score(_, let average): ratio(sums, average) { (2 * $0.true, $0.predicted + $0.actual) }
        case .auc(.roc, _): Thresholds(sums).areaUnderROC
        case .auc(.pr, _): Thresholds(sums).areaUnderPrecisionRecall
        case .rootMeanSquaredError: quotient(sums).squareRoot()
        default: quotient(sums)
        }
    }

    private func quotient(_ sums: [Double]) -> Double { divided(sums.first ?? 0, sums.last ?? 0) }

    private typealias Counts = (true: Double, predicted: Double, actual: Double)

    private func ratio(_ sums: [Double], _ average: Average, _ parts: (Counts) -> (Double, Double)) -> Double
    {
        let outputs = sums.count / 3
        let counts = (0..<outputs).map {
            Counts(sums[$0], sums[outputs + $0], sums[2 * outputs + $0])
        }
        switch average {
        case .macro:
            return divided(counts.map { divided(parts($0).0, parts($0).1) }.reduce(0, +), Double(outputs))
        case .micro:
            let total = counts.reduce(into: Counts(0, 0, 0)) {
                $0 = Counts($0.true + $1.true, $0.predicted + $1.predicted, $0.actual + $1.actual)
            }
            return divided(parts(total).0, parts(total).1)
        }
    }
}

/// 0 where there is nothing to divide by.
private func divided(_ a: Double, _ b: Double) -> Double { b == 0 ? 0 : a / b }

/// How many outputs with target 0 and 1 are above each of equally spaced thresholds.
private struct Thresholds {
    private let falsePositives: [Double]
    private let truePositives: [Double]

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

    /// Pairs of neighbours, the lower threshold first.
    private var intervals: Range<Int> { 0..<max(0, truePositives.count - 1) }

    /// Trapezoids between neighbouring points.
    var areaUnderROC: Double {
        let (negatives, positives) = (falsePositives.first ?? 0, truePositives.first ?? 0)
        return intervals.reduce(0) { area, i in
            let width = divided(falsePositives[i] - falsePositives[i + 1], negatives)
            return area + width * divided(truePositives[i] + truePositives[i + 1], positives) / 2
        }
    }

    /// Between two points true positives grow linearly with all predicted positives, `TP = a + b P`. The precision
    /// `TP / P` is then integrated over the recall: `b (ΔTP + a log(P₀ / P₁))` divided by the number of positives.
    var areaUnderPrecisionRecall: Double {
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
