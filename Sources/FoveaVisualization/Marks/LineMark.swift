extension Mark {
    /// A line through points, straight between neighbours. A point that is NaN or infinite, or not positive on a logarithmic axis, is
    /// a gap.
    ///
    /// - Parameters:
    ///   - y: a list of numbers.
    ///   - x: as many numbers; 0, 1, 2 … when nil.
    ///   - label: what the legend says.
    ///   - color: the next one of the theme when nil.
    ///   - width: in points; matplotlib's 1.5.
    ///   - pattern: how the line is broken.
    ///   - markerSize: the diameter of a dot at each point, in points; 0 for none. A point between two gaps always has one.
    ///   - opacity: from 0 to 1.
    /// - Throws: nothing; when the figure is written `VisualizationError` for lists of different lengths and those in which no point
    ///   can be drawn.
    public static func line(
        _ y: any FigureData, x: (any FigureData)? = nil, label: String = "", color: Figure.Color? = nil,
        width: Double = 1.5, pattern: LinePattern = .solid, markerSize: Double = 0, opacity: Double = 1
    ) -> Mark {
        Mark(
            LineMark(
                points: PointList(y, x: x), label: label, color: color, width: width, pattern: pattern,
                markerSize: markerSize, opacity: opacity))
    }

    /// Points.
    ///
    /// - Parameters:
    ///   - y: a list of numbers. Those that are NaN or infinite, or not positive on a logarithmic axis, are left out.
    ///   - x: as many numbers; 0, 1, 2 … when nil.
    ///   - label: what the legend says.
    ///   - color: the next one of the theme when nil.
    ///   - size: the diameter in points; matplotlib's 6.
    ///   - opacity: from 0 to 1.
    public static func scatter(
        _ y: any FigureData, x: (any FigureData)? = nil, label: String = "", color: Figure.Color? = nil,
        size: Double = 6, opacity: Double = 1
    ) -> Mark {
        Mark(
            ScatterMark(
                points: PointList(y, x: x), label: label, color: color, size: size, opacity: opacity))
    }
}

/// Two lists of equal length.
struct PointList {
    let x: FigureNumbers
    let y: FigureNumbers

    init(_ y: any FigureData, x: (any FigureData)?) {
        self.y = y.figureNumbers
        self.x = x?.figureNumbers ?? (0..<self.y.count).figureNumbers
    }

    var points: [(x: Double, y: Double)] { zip(x.numbers, y.numbers).map { (x: $0, y: $1) } }

    func check(
        _ name: String, _ panel: String, _ xScale: Panel.Scale, _ yScale: Panel.Scale
    ) throws(VisualizationError) {
        try y.checkList("the y values of \(name)", panel)
        try x.checkList("the x values of \(name)", panel)
        guard x.count == y.count else {
            throw VisualizationError(
                .wrongShape,
                "\(panel): \(name) has \(x.count) x and \(y.count) y values; they must be as many"
            )
        }
        func hasPlace(_ number: Double, _ scale: Panel.Scale) -> Bool {
            number.isFinite && (scale == .linear || number > 0)
        }
        guard points.contains(where: { hasPlace($0.x, xScale) && hasPlace($0.y, yScale) }) else {
            let isFinite = points.contains { $0.x.isFinite && $0.y.isFinite }
            throw VisualizationError(
                .noData,
                "\(panel): no point of \(name) can be drawn: "
                    + (isFinite
                        ? "none is positive, and the scale is logarithmic; use a linear one"
                        : "all are NaN or infinite"))
        }
    }

    func extents(_ xScale: Panel.Scale, _ yScale: Panel.Scale) -> (x: AxisExtent, y: AxisExtent) {
        // Of points of which one number has no place, the other counts neither.
        let seen = points.filter {
            $0.x.isFinite && $0.y.isFinite && (xScale == .linear || $0.x > 0)
                && (yScale == .linear || $0.y > 0)
        }
        return (AxisExtent(seen.lazy.map(\.x), xScale), AxisExtent(seen.lazy.map(\.y), yScale))
    }
}

private struct LineMark: DrawnMark {
    let points: PointList
    let label: String
    let color: Figure.Color?
    let width: Double
    let pattern: Mark.LinePattern
    let markerSize: Double
    let opacity: Double

    var takesColor: Bool { true }
    var swatch: Swatch { .line(width: width, pattern, marker: markerSize) }
    var places: [(x: Double, y: Double)] { points.points }

    func check(_ panel: String, _ x: Panel.Scale, _ y: Panel.Scale) throws(VisualizationError) {
        try points.check(named("the line", label), panel, x, y)
        try checkSize(width, "a line's width", panel)
        try checkSize(markerSize, "a marker's size", panel)
    }

    func extents(_ x: Panel.Scale, _ y: Panel.Scale) -> (x: AxisExtent, y: AxisExtent) {
        points.extents(x, y)
    }

    func draw(in area: PlotArea) {
        let color = area.color.opacity(opacity)
        let stroke = Stroke(color: color, width: width, pattern: pattern, isRound: true)
        for run in runs(in: area) {
            if width > 0 {
                for piece in clipped(run, to: area.box) { area.canvas.stroke(piece, stroke) }
            }
            let radius = markerSize > 0 ? markerSize / 2 : run.count == 1 ? max(1.5, width) : 0
            guard radius > 0 else { continue }
            for point in run where area.box.contains(x: point.x, y: point.y) {
                area.canvas.fillCircle(x: point.x, y: point.y, radius: radius, color)
            }
        }
    }

    /// The points between gaps.
    private func runs(in area: PlotArea) -> [[(x: Double, y: Double)]] {
        var runs: [[(x: Double, y: Double)]] = [[]]
        for point in points.points {
            if let place = area.point(point.x, point.y) {
                runs[runs.count - 1].append(place)
            } else if runs.last?.isEmpty == false {
                runs.append([])
            }
        }
        return runs.filter { !$0.isEmpty }
    }
}

private struct ScatterMark: DrawnMark {
    let points: PointList
    let label: String
    let color: Figure.Color?
    let size: Double
    let opacity: Double

    var takesColor: Bool { true }
    var swatch: Swatch { .point(radius: size / 2) }
    var places: [(x: Double, y: Double)] { points.points }

    func check(_ panel: String, _ x: Panel.Scale, _ y: Panel.Scale) throws(VisualizationError) {
        try points.check(named("the points", label), panel, x, y)
        try checkSize(size, "a point's size", panel)
    }

    func extents(_ x: Panel.Scale, _ y: Panel.Scale) -> (x: AxisExtent, y: AxisExtent) {
        points.extents(x, y)
    }

    func draw(in area: PlotArea) {
        let color = area.color.opacity(opacity)
        for point in points.points {
            guard let place = area.point(point.x, point.y), area.box.contains(x: place.x, y: place.y) else {
                continue
            }
            area.canvas.fillCircle(x: place.x, y: place.y, radius: size / 2, color)
        }
    }
}

/// What errors call a mark.
func named(_ what: String, _ label: String) -> String { label.isEmpty ? what : "\(what) '\(label)'" }

/// - Throws: `VisualizationError` for a length that cannot be drawn.
func checkSize(_ size: Double, _ name: String, _ panel: String) throws(VisualizationError) {
    guard size >= 0, size <= 1_000 else {
        throw VisualizationError(
            .invalidArgument, "\(panel): \(name) is \(size) points; it must be from 0 to 1,000")
    }
}
