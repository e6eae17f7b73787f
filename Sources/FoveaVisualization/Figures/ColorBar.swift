/// A bar beside the axes that says which colours stand for which numbers.
struct ColorBarLayout {
    private let range: ColorRange
    private let ticks: Ticks
    private let label: String
    private let labelHeight: Double
    private let ticksWidth: Double
    /// From the axes to its end.
    let width: Double

    /// - Returns: nil when none is asked for, or nothing has a colour map.
    init?(_ panel: Panel, height: Double, _ canvas: Canvas) {
        guard let bar = panel.colorBar,
            let range = panel.marks.last(where: { $0.content.colors != nil })?.content.colors
        else { return nil }
        self.range = range
        let limits = Self.spread(range.limits)
        let labels = AxisLabels(.automatic, limits, .linear, length: height, isVertical: true, canvas)
        ticks = labels.ticks
        ticksWidth = labels.width
        label = bar.label
        labelHeight = canvas.size(of: label, .axisLabel.limited(to: height)).height
        width =
            Spacing.colorBarGap + Spacing.colorBar + Spacing.tick + Spacing.tickToLabel + ticksWidth
            + (labelHeight > 0 ? Spacing.label + labelHeight : 0)
    }

    /// Limits that are one number, as of an image of one colour, would have no ticks.
    private static func spread(_ limits: ClosedRange<Double>) -> ClosedRange<Double> {
        var extent = AxisExtent([limits.lowerBound, limits.upperBound], .linear)
        if limits.lowerBound < limits.upperBound { extent.edges = [limits.lowerBound, limits.upperBound] }
        return extent.limits(.linear, chosen: nil)
    }

    func draw(beside axes: Box, _ theme: Figure.Theme, _ canvas: Canvas) {
        let bar = Box(
            x: axes.right + Spacing.colorBarGap, y: axes.y, width: Spacing.colorBar, height: axes.height)
        let samples = range.map.samples
        var pixels: [UInt8] = []
        for index in (0..<256).reversed() { pixels += samples[3 * index..<3 * index + 3] + [255] }
        canvas.image(RGBAImage(width: 1, height: 256, pixels: pixels), in: bar, isSmooth: false)
        let frame = Stroke(color: theme.frame, width: Spacing.frame)
        canvas.strokeBox(bar, frame)
        let map = AxisMap(
            scale: .linear, limits: Self.spread(range.limits), start: bar.bottom, end: bar.y)
        for (place, text) in zip(ticks.places, ticks.labels) {
            guard let y = map.place(place) else { continue }
            canvas.straightLines([(bar.right, y, bar.right + Spacing.tick, y)], frame)
            canvas.text(
                text, x: bar.right + Spacing.tick + Spacing.tickToLabel, y: y, anchor: Anchor(.left, .middle),
                .tickLabel, theme.text)
        }
        if !ticks.multiplier.isEmpty {
            canvas.text(
                ticks.multiplier, x: bar.x, y: bar.y - 2, anchor: Anchor(.left, .bottom), .tickLabel,
                theme.text)
        }
        canvas.text(
            label, x: axes.right + width, y: bar.middle, anchor: Anchor(.center, .bottom), angle: -90,
            .axisLabel.limited(to: axes.height), theme.text)
    }
}
