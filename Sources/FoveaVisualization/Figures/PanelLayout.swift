/// What a panel shows and how much room it needs around it.
struct PanelLayout {
    let panel: Panel
    let x: ClosedRange<Double>
    let y: ClosedRange<Double>
    let xLabels: AxisLabels
    let yLabels: AxisLabels
    let legend: LegendLayout?
    let colorBar: ColorBarLayout?
    let title: TextSize
    /// The title broken to the width of the cell.
    let titleStyle: TextStyle
    let xLabelSize: TextSize
    let yLabelSize: TextSize
    /// What stands around the axes.
    let sides: Sides

    /// - Parameter cell: the room there is, with all that stands around the axes.
    init(_ panel: Panel, in cell: Box, _ theme: Figure.Theme, _ canvas: Canvas) {
        self.panel = panel
        let extents = panel.marks.map { $0.content.extents(panel.xScale, panel.yScale) }
        let all = extents.reduce(into: (x: AxisExtent(), y: AxisExtent())) {
            $0.x.formUnion($1.x)
            $0.y.formUnion($1.y)
        }
        x = all.x.limits(panel.xScale, chosen: panel.xLimits)
        y = all.y.limits(panel.yScale, chosen: panel.yLimits)

        // The room for ticks is needed to know how much room they take.
        let guess = panel.hasAxes ? cell.inset(Sides(left: 45, right: 10, top: 15, bottom: 35)) : cell
        let ticks =
            panel.hasAxes
            ? (Self.ticks(panel.xTicks, panel), Self.ticks(panel.yTicks, panel)) : (.none, .none)
        xLabels = AxisLabels(ticks.0, x, panel.xScale, length: guess.width, isVertical: false, canvas)
        yLabels = AxisLabels(ticks.1, y, panel.yScale, length: guess.height, isVertical: true, canvas)
        titleStyle = TextStyle.panelTitle.limited(to: cell.width)
        title = canvas.size(of: panel.title, titleStyle)
        xLabelSize = canvas.size(of: panel.xLabel, .axisLabel.limited(to: guess.width))
        yLabelSize = canvas.size(of: panel.yLabel, .axisLabel.limited(to: guess.height))
        legend = LegendLayout(panel, theme, in: guess, canvas)
        colorBar = ColorBarLayout(panel, height: guess.height, canvas)
        sides = Self.sides(self.panel, xLabels, yLabels, title, xLabelSize, yLabelSize, legend, colorBar)
    }

    /// Pixels and cells have whole numbers.
    private static func ticks(_ ticks: Panel.Ticks, _ panel: Panel) -> Panel.Ticks {
        ticks == .automatic && panel.marks.contains { $0.content.isImage } ? .integers : ticks
    }

    private static func sides(
        _ panel: Panel, _ xLabels: AxisLabels, _ yLabels: AxisLabels, _ title: TextSize, _ xLabel: TextSize,
        _ yLabel: TextSize, _ legend: LegendLayout?, _ colorBar: ColorBarLayout?
    ) -> Sides {
        var sides = Sides()
        let tick = Spacing.tick + Spacing.tickToLabel
        if yLabels.width > 0 { sides.left = tick + yLabels.width }
        if yLabel.height > 0 { sides.left += yLabel.height + Spacing.label }
        sides.left = max(sides.left, xLabels.overhang)
        if xLabels.height > 0 {
            sides.bottom = tick + xLabels.height
            // Half a label stands out at either end.
            sides.right = xLabels.angle == 0 ? (xLabels.sizes.last?.width ?? 0) / 2 : 4
            sides.left = max(sides.left, xLabels.angle == 0 ? (xLabels.sizes.first?.width ?? 0) / 2 : 0)
        }
        if xLabel.height > 0 { sides.bottom += xLabel.height + Spacing.label }
        if xLabel.height == 0, !xLabels.ticks.multiplier.isEmpty { sides.bottom += 12 }
        if let height = yLabels.sizes.last?.height {
            sides.top = height / 2
            sides.bottom = max(sides.bottom, height / 2)
        }
        if !yLabels.ticks.multiplier.isEmpty { sides.top = max(sides.top, 14) }
        if title.height > 0 { sides.top = max(sides.top, Spacing.title + title.height) }
        if !yLabels.ticks.multiplier.isEmpty, title.height > 0 { sides.top += 10 }
        if let colorBar { sides.right = max(sides.right, colorBar.width) }
        if let legend, legend.isOutside { sides.right += legend.size.width + 2 * Spacing.legend }
        return sides
    }

    private var isImage: Bool { panel.marks.contains { $0.content.isImage } }

    /// Whether numbers of the y axis grow downwards.
    private var isInverted: Bool { panel.yIsInverted ?? isImage }

    /// The room of the axes themselves within what a cell leaves them.
    func axes(in box: Box) -> Box {
        let isEqual = panel.hasEqualAxes ?? isImage
        guard isEqual, panel.xScale == .linear, panel.yScale == .linear, box.width > 0, box.height > 0 else {
            return box
        }
        let aspect = (x.upperBound / 2 - x.lowerBound / 2) / (y.upperBound / 2 - y.lowerBound / 2)
        // Something a thousand times as wide as high is better stretched than a line.
        return aspect.isFinite && aspect > 1e-3 && aspect < 1e3 ? box.fitted(aspect: aspect) : box
    }

    func maps(in box: Box) -> (x: AxisMap, y: AxisMap) {
        let x = AxisMap(scale: panel.xScale, limits: self.x, start: box.x, end: box.right)
        let (start, end) = isInverted ? (box.y, box.bottom) : (box.bottom, box.y)
        return (x, AxisMap(scale: panel.yScale, limits: y, start: start, end: end))
    }

    /// The colour of each mark: those of the theme go to marks in turn.
    func colors(_ theme: Figure.Theme) -> [Figure.Color] { Self.colors(panel, theme) }

    static func colors(_ panel: Panel, _ theme: Figure.Theme) -> [Figure.Color] {
        let cycle = theme.cycle
        var next = 0
        return panel.marks.map { mark in
            if let color = mark.content.color { return color }
            guard mark.content.takesColor else { return theme.frame }
            defer { next += 1 }
            return cycle[next % cycle.count]
        }
    }
}
