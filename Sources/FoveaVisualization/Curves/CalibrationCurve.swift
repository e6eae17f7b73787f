import FoveaTraining

/// How probabilities compare with how often they come true: examples counted by intervals of equal width of their probability.
///
/// scikit-learn's `calibration_curve` with its `strategy="uniform"`; intervals without examples are left out.
public struct CalibrationCurve: Hashable, Sendable {
    /// The mean probability of the examples of each interval.
    public let probabilities: [Double]
    /// The share of them for which it came true.
    public let frequencies: [Double]
    /// How many there are.
    public let counts: [Int]

    /// - Parameters:
    ///   - outcomes: whether what each probability is of came true.
    ///   - probabilities: as many, from 0 to 1.
    ///   - bins: how many intervals, from 1 to 1,000.
    /// - Throws: `VisualizationError` for another number of outcomes, none, and probabilities outside 0...1.
    public init(outcomes: [Bool], probabilities: [Double], bins: Int = 10) throws(VisualizationError) {
        guard outcomes.count == probabilities.count, !outcomes.isEmpty else {
            throw VisualizationError(
                outcomes.isEmpty ? .noData : .wrongShape,
                "\(outcomes.count) outcomes and \(probabilities.count) probabilities; there must be as many, and at least one"
            )
        }
        guard (1...1_000).contains(bins) else {
            throw VisualizationError(.invalidArgument, "a calibration has 1 to 1,000 intervals, not \(bins)")
        }
        if let wrong = probabilities.first(where: { !(0...1).contains($0) }) {
            throw VisualizationError(
                .invalidArgument, "\(wrong) is no probability from 0 to 1; of logits, take the softmax first")
        }
        var sums = [(probability: Double, right: Int, count: Int)](repeating: (0, 0, 0), count: bins)
        for (outcome, probability) in zip(outcomes, probabilities) {
            // An end belongs to the interval below it.
            let bin = max(0, min(bins - 1, Int((probability * Double(bins)).rounded(.up)) - 1))
            sums[bin].probability += probability
            sums[bin].right += outcome ? 1 : 0
            sums[bin].count += 1
        }
        let filled = sums.filter { $0.count > 0 }
        self.probabilities = filled.map { $0.probability / Double($0.count) }
        frequencies = filled.map { Double($0.right) / Double($0.count) }
        counts = filled.map(\.count)
    }

    /// How well a classifier's confidence fits: of the probability of the predicted class and whether it was right.
    ///
    /// Guo et al. 2017, "On calibration of modern neural networks", arXiv:1706.04599, section 2.
    ///
    /// - Throws: `VisualizationError` when no example was answered.
    public init(_ report: ClassificationReport, bins: Int = 10) throws(VisualizationError) {
        try self.init(
            outcomes: report.answers.map(\.isRight),
            probabilities: report.answers.map { min(1, max(0, $0.probability)) },
            bins: bins)
    }

    /// Σ count · |frequency − probability| / Σ count, over the intervals: Guo et al.'s equation 3.
    public var expectedError: Double {
        let differences = zip(zip(frequencies, probabilities), counts).map {
            ($0.0 - $0.1).magnitude * Double($1)
        }
        return differences.reduce(0, +) / Double(counts.reduce(0, +))
    }

    /// A panel of the frequencies over the probabilities, beside the diagonal on which they would be equal.
    ///
    /// - Parameter title: what stands above.
    public func panel(title: String = "Calibration") -> Panel {
        var panel = Panel(
            title: title, xLabel: "probability", yLabel: "share that came true",
            [
                .line(
                    [0, 1], x: [0, 1], label: "perfect", color: Figure.Color(0x888888), width: 1,
                    pattern: .dashed),
                .line(
                    frequencies, x: probabilities,
                    label: "expected error \(fixedPoint(expectedError, decimals: 3))", markerSize: 6),
            ])
        (panel.xLimits, panel.yLimits) = (-0.02...1.02, -0.02...1.02)
        panel.hasEqualAxes = true
        panel.hasGrid = true
        panel.legend = .lowerRight
        return panel
    }
}
