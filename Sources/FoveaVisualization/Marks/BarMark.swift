import FoveaGraph

extension Mark {
    /// Bars from 0 up or down.
    ///
    /// - Parameters:
    ///   - heights: a list of numbers. Those that are NaN or infinite have no bar.
    ///   - x: where their middles are, as many numbers; 0, 1, 2 … when nil.
    ///   - label: what the legend says.
    ///   - color: the next one of the theme when nil.
    ///   - width: of each, in units of the axis; matplotlib's 0.8.
    ///   - offset: by which they are shifted, so that several fit beside each other.
    ///   - isHorizontal: whether they lead to the right instead, from `x` on the y axis.
    ///   - opacity: from 0 to 1.
    public static func bars(
        _ heights: any FigureData, x: (any FigureData)? = nil, label: String = "",
        color: Figure.Color? = nil, width: Double = 0.8, offset: Double = 0, isHorizontal: Bool = false,
        opacity: Double = 1
    ) -> Mark {
        let points = PointList(heights, x: x)
        return Mark(
            BarMark(
                points: points,
                spans: points.x.numbers.map { ($0 + offset - width / 2, $0 + offset + width / 2) },
                label: label, color: color, isHorizontal: isHorizontal, opacity: opacity, gap: 0))
    }

    /// How often numbers fall into each of several intervals of equal width, from the smallest to the largest number.
    ///
    /// - Parameters:
    ///   - values: numbers of any shape. Those that are NaN or infinite are not counted.
    ///   - bins: how many intervals, from 1 to 10,000; matplotlib's 10. The last one includes its end.
    ///   - range: from where to where the intervals go, other numbers not being counted; from the smallest to the largest if nil.
    ///   - isDensity: whether bars have areas that sum to 1, instead of counts.
    ///   - label: what the legend says.
    ///   - color: the next one of the theme when nil.
    ///   - opacity: from 0 to 1.
    public static func histogram(
        _ values: any FigureData, bins: Int = 10, range: ClosedRange<Double>? = nil, isDensity: Bool = false,
        label: String = "", color: Figure.Color? = nil, opacity: Double = 1
    ) -> Mark {
        let data = values.figureNumbers
        let finite = data.numbers.filter(\.isFinite)
        var problem: VisualizationError?
        if let text = data.problem {
            problem = VisualizationError(.wrongShape, "the numbers of a histogram: \(text)")
        } else if finite.isEmpty {
            problem = VisualizationError(
                .noData,
                "a histogram has no numbers to count"
                    + (data.numbers.isEmpty ? "" : ": all \(data.numbers.count) are NaN or infinite"))
        } else if !(1...10_000).contains(bins) {
            problem = VisualizationError(
                .invalidArgument, "a histogram has 1 to 10,000 intervals, not \(bins)")
        }
        let histogram = problem == nil ? Histogram(finite, bins: bins, range: range, isDensity) : nil
        return Mark(
            BarMark(
                points: PointList(histogram?.heights ?? [0.0], x: histogram?.middles),
                spans: histogram?.spans ?? [], label: label, color: color, isHorizontal: false,
                opacity: opacity, gap: 0.06, problem: problem))
    }
}

/// Numbers counted by intervals.
struct Histogram {
    let spans: [(Double, Double)]
    let heights: [Double]
    var middles: [Double] { spans.map { ($0.0 + $0.1) / 2 } }

    /// - Parameters:
    ///   - numbers: finite, and at least one.
    ///   - bins: positive.
    init(_ numbers: [Double], bins: Int, range: ClosedRange<Double>?, _ isDensity: Bool) {
        var low = range?.lowerBound ?? numbers.min() ?? 0
        var high = range?.upperBound ?? numbers.max() ?? 1
        // NumPy's rule for numbers that are all the same.
        if low == high { (low, high) = (low - 0.5, high + 0.5) }
        let width = (high / 2 - low / 2) * 2 / Double(bins)
        var counts = [Int](repeating: 0, count: bins)
        for number in numbers where number >= low && number <= high {
            let bin = ((number / 2 - low / 2) * 2 / width).rounded(.down)
            counts[max(0, min(bins - 1, Int(bin.isFinite ? min(bin, 1e6) : 0)))] += 1
        }
        spans = (0..<bins).map { (low + Double($0) * width, low + Double($0 + 1) * width) }
        let area = isDensity ? Double(max(1, counts.reduce(0, +))) * width : 1
        heights = counts.map { Double($0) / area }
    }
}

private struct BarMark: DrawnMark {
    let points: PointList
    /// From where to where each bar goes.
    let spans: [(Double, Double)]
    let label: String
    let color: Figure.Color?
    let isHorizontal: Bool
    let opacity: Double
    /// How much of a bar is left out for a gap to the next one.
    let gap: Double
    var problem: VisualizationError?

    var takesColor: Bool { true }
    var swatch: Swatch { .area(opacity: opacity) }
    var places: [(x: Double, y: Double)] {
        isHorizontal ? points.points.map { (x: $0.y, y: $0.x) } : points.points
    }

    func check(_ panel: String, _ x: Panel.Scale, _ y: Panel.Scale) throws(VisualizationError) {
        if let problem { throw VisualizationError(problem.kind, "\(panel): \(problem.message)") }
        try points.check(
            named("the bars", label), panel, .linear, .linear)
    }

    func extents(_ x: Panel.Scale, _ y: Panel.Scale) -> (x: AxisExtent, y: AxisExtent) {
        let (acrossScale, alongScale) = isHorizontal ? (y, x) : (x, y)
        let across = AxisExtent(spans.flatMap { [$0.0, $0.1] }, acrossScale)
        var along = AxisExtent(points.y.numbers, alongScale)
        if alongScale == .linear {
            along.formUnion(AxisExtent([0], .linear))
            along.edges = [0]
        }
        return isHorizontal ? (along, across) : (across, along)
    }

    func draw(in area: PlotArea) {
        let color = area.color.opacity(opacity)
        for (span, height) in zip(spans, points.y.numbers) where height.isFinite {
            let gap = (span.1 - span.0) * gap / 2
            let across = min(span.0 + gap, span.1 - gap)...max(span.0 + gap, span.1 - gap)
            let axis = isHorizontal ? area.x : area.y
            // On a logarithmic axis 0 is below everything.
            let base = axis.scale == .log ? axis.limits.lowerBound : 0
            let along = min(base, height)...max(base, height)
            if let bar = area.visibleBox(x: isHorizontal ? along : across, y: isHorizontal ? across : along) {
                area.canvas.fill(bar, color)
            }
        }
    }
}
