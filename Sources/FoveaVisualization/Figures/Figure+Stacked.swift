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
        // Enlarged to the width of the widest where they do not become much higher than wide.
        let heights = figures.map { figure -> Double in
            let own = figure.inches
            return own.height * min(width / own.width, max(1, width / own.height))
        }
        let height = heights.reduce(0, +)
        // No picture is higher than some thirty thousand pixels.
        let shrink = min(1, 80 / max(1, height))
        var stacked = Figure(panels, size: (width * shrink, max(0.5, height * shrink)), theme: theme)
        stacked.rowHeights = heights
        return stacked
    }
}
