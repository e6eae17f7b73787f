extension Figure {
    /// Figures of one panel below each other, each as high as it needs to be.
    ///
    /// - Parameters:
    ///   - figures: such as those of `featureMaps`; their titles stand above their panels.
    ///   - theme: which colours there are.
    package static func stacked(_ figures: [Figure], theme: Theme) -> Figure {
        let panels = figures.flatMap { figure in
            figure.panels.map { panel in
                var panel = panel
                if !figure.title.isEmpty { panel.title = figure.title }
                return panel
            }
        }
        let width = figures.map(\.inches.width).max() ?? 1
        // All as wide as the widest, so that those of one layer have one scale.
        let heights = figures.map { $0.inches.height * width / $0.inches.width }
        let height = heights.reduce(0, +)
        // No picture is higher than some thirty thousand pixels.
        let shrink = min(1, 80 / max(1, height))
        var stacked = Figure(panels, size: (width * shrink, max(0.5, height * shrink)), theme: theme)
        stacked.rowHeights = heights
        return stacked
    }
}
