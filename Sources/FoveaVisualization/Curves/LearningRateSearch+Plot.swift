import FoveaTraining

extension LearningRateSearch {
    /// A figure of the loss over the learning rate: of each step, smoothed, and the rate to train with, where the search suggests one.
    ///
    /// - Parameter theme: which colours there are.
    /// - Throws: `VisualizationError` when no step had a finite loss.
    public func plot(theme: Figure.Theme = .light) throws(VisualizationError) -> Figure {
        guard !steps.isEmpty else {
            throw VisualizationError(
                .noData, "no loss of the learning-rate test was finite; begin with a smaller rate")
        }
        let rates = steps.map(\.learningRate)
        let color = theme.cycle[0]
        var panel = Panel(
            title: diverged
                ? "Learning-rate range test, ended where the loss grew" : "Learning-rate range test",
            xLabel: "learning rate", yLabel: "loss",
            [
                .line(steps.map(\.loss), x: rates, label: "batches", color: color, width: 1, opacity: 0.3),
                .line(steps.map(\.smoothedLoss), x: rates, label: "smoothed", color: color),
            ])
        panel.xScale = .log
        panel.hasGrid = true
        if let rate = suggestedRate {
            panel.marks.append(
                .verticalLine(at: rate, label: "suggested: \(shortNumber(rate))", color: theme.cycle[1]))
        }
        if let best = bestRate, suggestedRate != nil {
            panel.marks.append(
                .verticalLine(at: best, label: "smallest loss", color: theme.frame, pattern: .dotted))
        }
        // The suggestion may lie before the first step.
        let (low, high) = ((rates.min() ?? 0), (rates.max() ?? 0))
        if low > 0, low < high { panel.xLimits = low...high }
        return Figure([panel], theme: theme)
    }
}
