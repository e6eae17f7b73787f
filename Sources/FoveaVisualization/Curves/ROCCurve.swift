/// The receiver operating characteristic of a score that tells a class from others: which share of the class is found, and which
/// share of the others is taken for it, with falling threshold.
///
/// The numbers are those of scikit-learn's `roc_curve` with `drop_intermediate=False`.
public struct ROCCurve: Hashable, Sendable {
    /// The score from which on examples count as the class; infinity first.
    public let thresholds: [Double]
    /// Of the examples of other classes, the share taken for it: FP / (FP + TN).
    public let falsePositiveRates: [Double]
    /// Of the examples of the class, the share found: TP / (TP + FN).
    public let truePositiveRates: [Double]

    /// - Parameters:
    ///   - labels: whether each example is of the class.
    ///   - scores: as many, such as probabilities or logits.
    /// - Throws: `VisualizationError` for another number of scores, NaN, and unless there are examples of the class and others.
    public init(labels: [Bool], scores: [Double]) throws(VisualizationError) {
        let examples = try ScoredExamples(labels, scores, needsNegatives: true)
        thresholds = [.infinity] + examples.thresholds
        falsePositiveRates = ([0] + examples.falsePositives).map { Double($0) / Double(examples.negatives) }
        truePositiveRates = ([0] + examples.truePositives).map { Double($0) / Double(examples.positives) }
    }

    /// The area under the curve, by trapezoids: the probability that an example of the class has a higher score than another one.
    public var area: Double {
        (1..<thresholds.count).reduce(0) { area, index in
            let width = falsePositiveRates[index] - falsePositiveRates[index - 1]
            return area + width * (truePositiveRates[index] + truePositiveRates[index - 1]) / 2
        }
    }
}

/// Precision and recall of a score that tells a class from others, with falling threshold.
///
/// The numbers are those of scikit-learn's `precision_recall_curve`, in the opposite order and without its last point, which stands
/// for no example at all.
public struct PrecisionRecallCurve: Hashable, Sendable {
    /// The score from which on examples count as the class.
    public let thresholds: [Double]
    /// Of the examples taken for the class, the share that is of it: TP / (TP + FP).
    public let precisions: [Double]
    /// Of the examples of the class, the share found: TP / (TP + FN).
    public let recalls: [Double]

    /// - Parameters:
    ///   - labels: whether each example is of the class.
    ///   - scores: as many, such as probabilities or logits.
    /// - Throws: `VisualizationError` for another number of scores, NaN, and without an example of the class.
    public init(labels: [Bool], scores: [Double]) throws(VisualizationError) {
        let examples = try ScoredExamples(labels, scores, needsNegatives: false)
        thresholds = examples.thresholds
        precisions = zip(examples.truePositives, examples.falsePositives).map {
            Double($0) / Double($0 + $1)
        }
        recalls = examples.truePositives.map { Double($0) / Double(examples.positives) }
    }

    /// Σ (recallᵢ − recallᵢ₋₁) · precisionᵢ, scikit-learn's `average_precision_score`.
    public var averagePrecision: Double {
        recalls.indices.reduce(0) { area, index in
            area + (recalls[index] - (index == 0 ? 0 : recalls[index - 1])) * precisions[index]
        }
    }
}
