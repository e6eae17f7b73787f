extension Mark {
    /// A line across the whole panel at a number of the y axis.
    ///
    /// - Parameters:
    ///   - y: finite; on a logarithmic axis positive.
    ///   - label: what the legend says.
    ///   - color: that of the frame when nil.
    ///   - width: in points.
    ///   - pattern: how the line is broken.
    public static func horizontalLine(
        at y: Double, label: String = "", color: Figure.Color? = nil, width: Double = 1,
        pattern: LinePattern = .dashed
    ) -> Mark {
        Mark(
            RuleMark(place: y, isVertical: false, label: label, color: color, width: width, pattern: pattern))
    }

    /// A line across the whole panel at a number of the x axis; otherwise as ``horizontalLine(at:label:color:width:pattern:)``.
    public static func verticalLine(
        at x: Double, label: String = "", color: Figure.Color? = nil, width: Double = 1,
        pattern: LinePattern = .dashed
    ) -> Mark {
        Mark(RuleMark(place: x, isVertical: true, label: label, color: color, width: width, pattern: pattern))
    }

    /// Colours all of the panel between two numbers of the y axis.
    ///
    /// - Parameters:
    ///   - range: from where to where.
    ///   - label: what the legend says.
    ///   - color: the next one of the theme when nil.
    ///   - opacity: from 0 to 1.
    public static func horizontalBand(
        _ range: ClosedRange<Double>, label: String = "", color: Figure.Color? = nil, opacity: Double = 0.2
    ) -> Mark {
        Mark(BandMark(range: range, isVertical: false, label: label, color: color, opacity: opacity))
    }

    /// Colours all of the panel between two numbers of the x axis; otherwise as ``horizontalBand(_:label:color:opacity:)``.
    public static func verticalBand(
        _ range: ClosedRange<Double>, label: String = "", color: Figure.Color? = nil, opacity: Double = 0.2
    ) -> Mark {
        Mark(BandMark(range: range, isVertical: true, label: label, color: color, opacity: opacity))
    }
}

private struct RuleMark: DrawnMark {
    let place: Double
    let isVertical: Bool
    let label: String
    let color: Figure.Color?
    let width: Double
    let pattern: Mark.LinePattern

    var swatch: Swatch { .line(width: width, pattern, marker: 0) }

    func check(_ panel: String, _ x: Panel.Scale, _ y: Panel.Scale) throws(VisualizationError) {
        let scale = isVertical ? x : y
        guard place.isFinite, scale == .linear || place > 0 else {
            throw VisualizationError(
                .invalidArgument,
                "\(panel): \(named("a line", label)) at \(place) has no place on the \(isVertical ? "x" : "y") axis, whose "
                    + "scale is \(scale == .log ? "logarithmic" : "linear")")
        }
        try checkSize(width, "a line's width", panel)
    }

    func extents(_ x: Panel.Scale, _ y: Panel.Scale) -> (x: AxisExtent, y: AxisExtent) {
        isVertical ? (AxisExtent([place], x), AxisExtent()) : (AxisExtent(), AxisExtent([place], y))
    }

    func draw(in area: PlotArea) {
        let stroke = Stroke(color: area.color, width: width, pattern: pattern)
        let box = area.box
        if isVertical {
            if let x = area.x.place(place) { area.canvas.straightLines([(x, box.y, x, box.bottom)], stroke) }
        } else if let y = area.y.place(place) {
            area.canvas.straightLines([(box.x, y, box.right, y)], stroke)
        }
    }
}

private struct BandMark: DrawnMark {
    let range: ClosedRange<Double>
    let isVertical: Bool
    let label: String
    let color: Figure.Color?
    let opacity: Double

    var takesColor: Bool { true }
    var swatch: Swatch { .area(opacity: opacity) }

    func check(_ panel: String, _ x: Panel.Scale, _ y: Panel.Scale) throws(VisualizationError) {
        let scale = isVertical ? x : y
        guard range.lowerBound.isFinite, range.upperBound.isFinite, scale == .linear || range.lowerBound > 0
        else {
            throw VisualizationError(
                .invalidArgument,
                "\(panel): \(named("a band", label)) from \(range.lowerBound) to \(range.upperBound) has no place on the "
                    + "\(isVertical ? "x" : "y") axis, whose scale is \(scale == .log ? "logarithmic" : "linear")"
            )
        }
    }

    func extents(_ x: Panel.Scale, _ y: Panel.Scale) -> (x: AxisExtent, y: AxisExtent) {
        let ends = [range.lowerBound, range.upperBound]
        return isVertical ? (AxisExtent(ends, x), AxisExtent()) : (AxisExtent(), AxisExtent(ends, y))
    }

    func draw(in area: PlotArea) {
        let color = area.color.opacity(opacity)
        let band =
            isVertical
            ? area.visibleBox(x: range, y: area.y.limits) : area.visibleBox(x: area.x.limits, y: range)
        if let band { area.canvas.fill(band, color) }
    }
}
