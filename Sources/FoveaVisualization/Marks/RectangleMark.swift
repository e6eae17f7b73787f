extension Mark {
    /// The outline of a rectangle, as of a window on an image: the pixels of rows 2 to 4 are `y: 1.5...4.5`.
    ///
    /// - Parameters:
    ///   - x: from where to where on the x axis.
    ///   - y: from where to where on the y axis.
    ///   - label: what the legend says.
    ///   - color: the next one of the theme when nil.
    ///   - width: of the line, in points.
    public static func rectangle(
        x: ClosedRange<Double>, y: ClosedRange<Double>, label: String = "", color: Figure.Color? = nil,
        width: Double = 2
    ) -> Mark {
        Mark(RectangleMark(x: x, y: y, label: label, color: color, width: width))
    }
}

private struct RectangleMark: DrawnMark {
    let x: ClosedRange<Double>
    let y: ClosedRange<Double>
    let label: String
    let color: Figure.Color?
    let width: Double

    var takesColor: Bool { true }
    var swatch: Swatch { .line(width: width, .solid, marker: 0) }

    func check(_ panel: String, _ xScale: Panel.Scale, _ yScale: Panel.Scale) throws(VisualizationError) {
        func hasPlace(_ range: ClosedRange<Double>, _ scale: Panel.Scale) -> Bool {
            range.lowerBound.isFinite && range.upperBound.isFinite
                && (scale == .linear || range.lowerBound > 0)
        }
        guard hasPlace(x, xScale), hasPlace(y, yScale) else {
            throw VisualizationError(
                .invalidArgument, "\(panel): \(named("a rectangle", label)) from \(x) and \(y) has no place")
        }
        try checkSize(width, "a line's width", panel)
    }

    func extents(_ xScale: Panel.Scale, _ yScale: Panel.Scale) -> (x: AxisExtent, y: AxisExtent) {
        func tight(_ range: ClosedRange<Double>, _ scale: Panel.Scale) -> AxisExtent {
            var extent = AxisExtent([range.lowerBound, range.upperBound], scale)
            extent.edges = [range.lowerBound, range.upperBound]
            return extent
        }
        return (tight(x, xScale), tight(y, yScale))
    }

    func draw(in area: PlotArea) {
        guard let box = area.visibleBox(x: x, y: y) else { return }
        area.canvas.strokeBox(box, Stroke(color: area.color, width: width))
    }
}
