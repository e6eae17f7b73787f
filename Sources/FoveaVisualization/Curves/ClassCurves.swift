import FoveaGraph

/// The curves of a classifier: of each class against the others, by its probability or logit.
///
/// ```swift
/// let scores = try await predictor.model.predict(test.inputs[0])
/// try ClassCurves(labels: labels, scores: scores, classNames: names).plot().write(to: "roc.svg")
/// ```
public struct ClassCurves: Sendable {
    /// The classes that have examples, and others beside them, by number.
    public let classes: [Int]
    /// What they are called.
    public let classNames: [String]
    public let roc: [ROCCurve]
    public let precisionRecall: [PrecisionRecallCurve]

    /// Of more classes the curves would not be told apart.
    private static let drawnLimit = 10

    /// - Parameters:
    ///   - labels: the true class numbers.
    ///   - scores: `[count, classes]`, or for two classes `[count, 1]`, the score of class 1, which then has the only curves.
    ///   - classNames: one for each class, or empty.
    /// - Throws: `VisualizationError` for scores of another shape or NaN, labels that are no class, another number of names, and when
    ///   no class has both examples and others.
    public init(labels: [Int], scores: TensorValue, classNames: [String] = []) throws(VisualizationError) {
        let shape = scores.shape
        guard shape.rank == 2, shape[0] == labels.count, shape[1] > 0 else {
            throw VisualizationError(
                .wrongShape,
                "scores of shape \(shape) for \(labels.count) labels; expected [\(labels.count), classes]")
        }
        let width = shape[1]
        let count = max(width, 2)
        guard classNames.isEmpty || classNames.count == count else {
            throw VisualizationError(.invalidArgument, "\(classNames.count) names for \(count) classes")
        }
        if let wrong = labels.first(where: { !(0..<count).contains($0) }) {
            throw VisualizationError(
                .invalidArgument, "the label \(wrong) is none of the classes 0...\(count - 1)")
        }
        let numbers = scores.floats.map(Double.init)
        let present = Set(labels)
        guard present.count > 1 else {
            throw VisualizationError(
                .noData,
                labels.isEmpty
                    ? "there are no examples, so there are no curves"
                    : "all \(labels.count) examples are of one class; curves need examples of two")
        }
        classes = (width == 1 ? [1] : Array(0..<width)).filter(present.contains)
        self.classNames = classes.map { classNames.isEmpty ? "\($0)" : classNames[$0] }
        var (roc, precisionRecall) = ([ROCCurve](), [PrecisionRecallCurve]())
        for number in classes {
            let column = width == 1 ? 0 : number
            let ofClass = stride(from: column, to: numbers.count, by: width).map { numbers[$0] }
            let isOfClass = labels.map { $0 == number }
            roc.append(try ROCCurve(labels: isOfClass, scores: ofClass))
            precisionRecall.append(try PrecisionRecallCurve(labels: isOfClass, scores: ofClass))
        }
        (self.roc, self.precisionRecall) = (roc, precisionRecall)
    }

    /// The mean of the areas under the ROC curves, each class counting alike: scikit-learn's `roc_auc_score` with
    /// `multi_class="ovr"`.
    public var meanArea: Double { roc.map(\.area).reduce(0, +) / Double(roc.count) }

    /// The mean of the average precisions.
    public var meanAveragePrecision: Double {
        precisionRecall.map(\.averagePrecision).reduce(0, +) / Double(precisionRecall.count)
    }

    /// A figure of both: ROC at the left, precision and recall at the right. Of more than ten classes those with the smallest areas
    /// are drawn.
    ///
    /// - Parameters:
    ///   - title: what stands above.
    ///   - theme: which colours there are.
    public func plot(title: String = "", theme: Figure.Theme = .light) -> Figure {
        let size = classes.count > 4 ? (width: 11.5, height: 4.2) : (width: 9.6, height: 4.4)
        return Figure(
            [rocPanel, precisionRecallPanel], columns: 2, title: title, size: size, theme: theme)
    }

    /// Those that are drawn: the worst where there are many.
    private func drawn(_ areas: [Double]) -> [Int] {
        guard areas.count > Self.drawnLimit else { return Array(areas.indices) }
        return areas.indices.sorted { areas[$0] < areas[$1] }.prefix(Self.drawnLimit).sorted()
    }

    private func heading(_ text: String, _ areas: [Double]) -> String {
        areas.count > Self.drawnLimit ? "\(text), worst \(Self.drawnLimit) of \(areas.count) classes" : text
    }

    private var rocPanel: Panel {
        let areas = roc.map(\.area)
        var panel = unitPanel(
            heading("ROC", areas), "false positive rate", "true positive rate")
        panel.marks.append(
            .line([0, 1], x: [0, 1], color: Figure.Color(0x888888), width: 1, pattern: .dashed))
        for index in drawn(areas) {
            panel.marks.append(
                .line(
                    roc[index].truePositiveRates, x: roc[index].falsePositiveRates,
                    label: "\(classNames[index]) \(fixedPoint(areas[index], decimals: 3))"))
        }
        return panel
    }

    private var precisionRecallPanel: Panel {
        let areas = precisionRecall.map(\.averagePrecision)
        var panel = unitPanel(
            heading("Precision and recall", areas), "recall", "precision")
        for index in drawn(areas) {
            let curve = precisionRecall[index]
            // Each precision holds from the recall before it on.
            var (x, y) = ([0.0], [curve.precisions[0]])
            for (recall, precision) in zip(curve.recalls, curve.precisions) {
                x += [x[x.count - 1], recall]
                y += [precision, precision]
            }
            panel.marks.append(
                .line(y, x: x, label: "\(classNames[index]) \(fixedPoint(areas[index], decimals: 3))"))
        }
        return panel
    }

    private func unitPanel(_ title: String, _ x: String, _ y: String) -> Panel {
        var panel = Panel(title: title, xLabel: x, yLabel: y)
        (panel.xLimits, panel.yLimits) = (-0.02...1.02, -0.02...1.02)
        panel.hasEqualAxes = true
        panel.hasGrid = true
        // Many curves leave no corner free.
        panel.legend = classes.count > 4 ? .outside : .automatic
        return panel
    }
}
