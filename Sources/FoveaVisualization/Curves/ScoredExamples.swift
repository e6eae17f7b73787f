/// Examples of two classes with a score each, in the order of falling scores, as the curves of a threshold need them.
struct ScoredExamples {
    /// How many examples of either class have a score of at least each threshold, the largest threshold first; a threshold for each
    /// score that there is.
    private(set) var thresholds: [Double] = []
    private(set) var truePositives: [Int] = []
    private(set) var falsePositives: [Int] = []
    let positives: Int
    let negatives: Int

    /// - Parameters:
    ///   - labels: whether each example is of the class.
    ///   - scores: how much says so; not NaN.
    ///   - needsNegatives: whether there must be an example of the other class, too.
    /// - Throws: `VisualizationError` for another number of scores, NaN, and where a class has no example.
    init(_ labels: [Bool], _ scores: [Double], needsNegatives: Bool) throws(VisualizationError) {
        guard labels.count == scores.count else {
            throw VisualizationError(
                .wrongShape,
                "\(labels.count) labels and \(scores.count) scores; each example needs one of both")
        }
        if let place = scores.firstIndex(where: \.isNaN) {
            throw VisualizationError(
                .invalidArgument,
                "the score of example \(place) is NaN, which is neither high nor low; leave it out")
        }
        positives = labels.count { $0 }
        negatives = labels.count - positives
        guard positives > 0, !needsNegatives || negatives > 0 else {
            throw VisualizationError(
                .noData,
                "\(positives) examples of the class and \(negatives) others; the curve needs at least one of each"
            )
        }
        var (right, wrong) = (0, 0)
        let order = scores.indices.sorted { scores[$0] > scores[$1] }
        for (place, index) in order.enumerated() {
            if labels[index] { right += 1 } else { wrong += 1 }
            // Equal scores are above a threshold together.
            if place + 1 < order.count, scores[order[place + 1]] == scores[index] { continue }
            thresholds.append(scores[index])
            truePositives.append(right)
            falsePositives.append(wrong)
        }
    }
}
