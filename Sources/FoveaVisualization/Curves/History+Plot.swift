import FoveaFiles
import FoveaGraph
import FoveaTraining

/// A training run with what it is called in figures.
public struct TrainingCurve: Sendable {
    public var name: String
    public var history: History

    public init(_ name: String, _ history: History) {
        self.name = name
        self.history = history
    }
}

extension History {
    /// A figure of the loss and of each metric, a panel for each, with the curves of training and validation and the best epoch.
    ///
    /// ```swift
    /// let history = try await trainer.fit(data, epochs: 30, validationSplit: 0.1)
    /// try history.plot().write(to: "curves.png")
    /// ```
    ///
    /// - Parameters:
    ///   - metrics: what to show, such as `loss` and `accuracy`; all when nil.
    ///   - smoothing: as for ``smoothed(by:)``; where it is not 0, the curves as they were stay visible behind.
    ///   - scale: of the losses' axis.
    ///   - title: what stands above.
    ///   - theme: which colours there are.
    /// - Throws: `VisualizationError` when there are no epochs, a metric was not reported or has no finite number, and for a
    ///   factor out of range.
    public func plot(
        _ metrics: [String]? = nil, smoothing: Double = 0, scale: Panel.Scale = .linear, title: String = "",
        theme: Figure.Theme = .light
    ) throws(VisualizationError) -> Figure {
        try Figure.curves(
            [TrainingCurve("", self)], metrics: metrics, smoothing: smoothing, scale: scale, title: title,
            theme: theme)
    }
}

extension Figure {
    /// The curves of several runs, a panel for the loss and for each metric: validation as a line, training as a broken one of the
    /// same colour. Of a single run the best epoch is marked.
    ///
    /// - Parameters:
    ///   - runs: at least one.
    ///   - metrics: what to show, such as `loss` and `accuracy`; all that any run has when nil.
    ///   - smoothing: as for `History.smoothed(by:)`.
    ///   - scale: of the losses' axis.
    ///   - title: what stands above.
    ///   - theme: which colours there are.
    /// - Throws: `VisualizationError` when no run has epochs, no run has a metric or a finite number of it, and for a factor out
    ///   of range.
    public static func curves(
        _ runs: [TrainingCurve], metrics: [String]? = nil, smoothing: Double = 0,
        scale: Panel.Scale = .linear, title: String = "", theme: Theme = .light
    ) throws(VisualizationError) -> Figure {
        let runs = runs.filter { !$0.history.epochs.isEmpty }
        guard !runs.isEmpty else {
            throw VisualizationError(
                .noData, "there are no epochs to draw; train for at least one, to its end")
        }
        let known = reportedNames(runs)
        let names = metrics ?? known
        guard !names.isEmpty else {
            throw VisualizationError(.noData, "no metric is asked for; name one, or none")
        }
        for name in names where !known.contains(name) {
            throw VisualizationError(
                .invalidArgument,
                "no epoch has a number '\(name)'; " + adviceOnName(name, among: known, heading: "there are"))
        }
        var panels: [Panel] = []
        for name in names {
            guard let panel = try CurvePanel(name, runs, smoothing).panel(scale, theme) else {
                // Nobody asked for what has no number.
                if metrics == nil, name != "loss" { continue }
                throw VisualizationError(.noData, "'\(name)' was NaN or infinite in every epoch")
            }
            panels.append(panel)
        }
        let columns = panels.count < 4 ? panels.count : panels.count == 4 ? 2 : 3
        return Figure(panels, columns: columns, title: title, theme: theme)
    }

    /// Of training and validation alike, the loss first.
    private static func reportedNames(_ runs: [TrainingCurve]) -> [String] {
        var names: Set<String> = []
        for run in runs {
            for epoch in run.history.epochs {
                names.formUnion(epoch.metrics.keys)
                names.formUnion(epoch.validationMetrics.keys)
            }
        }
        return ["loss"] + names.subtracting(["loss"]).sorted()
    }
}

/// One number of all runs.
private struct CurvePanel {
    let name: String
    let runs: [TrainingCurve]
    let smoothing: Double

    init(_ name: String, _ runs: [TrainingCurve], _ smoothing: Double) {
        self.name = name
        self.runs = runs
        self.smoothing = smoothing
    }

    /// A curve: the numbers of the epochs that have one.
    private struct Curve {
        let epochs: [Int]
        let values: [Double]
        var isDrawable: Bool { values.contains(where: \.isFinite) }

        init(_ history: History, _ name: String) {
            let points = history.epochs.compactMap { epoch in epoch[name].map { (epoch.number, $0) } }
            epochs = points.map(\.0)
            values = points.map(\.1)
        }

        /// Whether it hides most of another one.
        func isOnTop(of other: Curve, within distance: Double) -> Bool {
            let own = Dictionary(zip(epochs, values), uniquingKeysWith: { $1 })
            let differences = zip(other.epochs, other.values).map { epoch, value in
                own[epoch].map { abs($0 - value) } ?? .infinity
            }
            return differences.count { $0 <= distance } * 2 > differences.count
        }
    }

    /// - Returns: nil when there is no finite number.
    func panel(_ scale: Panel.Scale, _ theme: Figure.Theme) throws(VisualizationError) -> Panel? {
        var panel = Panel(title: name, xLabel: "epoch")
        panel.xTicks = .integers
        panel.hasGrid = true
        panel.yScale = name == "loss" ? scale : .linear
        let cycle = theme.cycle
        for (index, run) in runs.enumerated() {
            let smoothed = smoothing == 0 ? run.history : try run.history.smoothed(by: smoothing)
            let isSingle = runs.count == 1
            let parts = [("", isSingle ? "training" : ""), ("val_", isSingle ? "validation" : run.name)]
            let hasValidation = isDrawable(Curve(run.history, "val_\(name)"), panel.yScale)
            for (part, (prefix, label)) in parts.enumerated() {
                let curve = Curve(smoothed, prefix + name)
                guard isDrawable(curve, panel.yScale) else { continue }
                let color = cycle[(isSingle ? part : index) % cycle.count]
                if smoothing != 0 {
                    let rough = Curve(run.history, prefix + name)
                    panel.marks.append(
                        .line(rough.values, x: rough.epochs, color: color, width: 1, opacity: 0.3))
                }
                let isFaint = !isSingle && part == 0 && hasValidation
                let extra = extraWidth(of: curve, index, prefix)
                panel.marks.append(
                    .line(
                        curve.values, x: curve.epochs,
                        label: label.isEmpty && !hasValidation ? run.name : label, color: color,
                        width: (isFaint ? 1 : 1.6) + extra, pattern: isFaint ? .dashed : .solid,
                        opacity: isFaint ? 0.7 : 1))
            }
        }
        guard !panel.marks.isEmpty else { return nil }
        if runs.count == 1 { markBest(runs[0].history, in: &panel, theme) }
        return panel
    }

    /// How much wider a curve is where those of later runs lie on top of it, so that all are seen.
    private func extraWidth(of curve: Curve, _ index: Int, _ prefix: String) -> Double {
        // Of more, colours are not told apart either.
        guard (2...30).contains(runs.count) else { return 0 }
        let all = runs.flatMap { Curve($0.history, prefix + name).values }.filter(\.isFinite)
        guard let low = all.min(), let high = all.max() else { return 0 }
        let above = runs[(index + 1)...].count {
            Curve($0.history, prefix + name).isOnTop(of: curve, within: 0.006 * (high - low))
        }
        return 1.8 * Double(min(above, 4))
    }

    private func isDrawable(_ curve: Curve, _ scale: Panel.Scale) -> Bool {
        curve.values.contains { $0.isFinite && (scale == .linear || $0 > 0) }
    }

    /// Of validation where there is one.
    private func markBest(_ history: History, in panel: inout Panel, _ theme: Figure.Theme) {
        let curve = [Curve(history, "val_\(name)"), Curve(history, name)].first {
            isDrawable($0, panel.yScale)
        }
        // Keras's tables have the learning rate beside the metrics.
        guard let curve, name != "learning_rate", name != "lr" else { return }
        let points = zip(curve.epochs, curve.values).filter {
            $0.1.isFinite && (panel.yScale == .linear || $0.1 > 0)
        }
        let best =
            isSmallerBetter(name) ? points.min { $0.1 < $1.1 } : points.max { $0.1 < $1.1 }
        guard let best, points.count > 1 else { return }
        panel.marks.append(.verticalLine(at: Double(best.0), color: theme.frame, pattern: .dotted))
        panel.marks.append(
            .scatter(
                [best.1], x: [best.0], label: "best: \(shortNumber(best.1)) in epoch \(best.0)",
                color: theme.text, size: 6))
    }
}

/// Four digits that count, as messages have them.
func shortNumber(_ number: Double) -> String {
    guard number.isFinite, number != 0 else { return "\(number)" }
    let exponent = Int(logarithm10(number.magnitude).rounded(.down))
    if (-4...5).contains(exponent) { return fixedPoint(number, decimals: max(0, 3 - exponent)) }
    return fixedPoint(number / powerOfTen(exponent), decimals: 3) + "×10" + raised(exponent)
}
