/// Draws one panel into its axes.
struct PanelDrawing {
    let layout: PanelLayout
    let axes: Box
    let theme: Figure.Theme
    let canvas: Canvas

    private var panel: Panel { layout.panel }
    private var frame: Stroke {
        Stroke(color: panel.accent ?? theme.frame, width: panel.accent == nil ? Spacing.frame : 2)
    }

    func draw() {
        let maps = layout.maps(in: axes)
        if panel.hasGrid, panel.hasAxes { drawGrid(maps.x, maps.y) }
        canvas.clipped(to: axes) {
            for (mark, color) in zip(panel.marks, layout.colors(theme)) {
                mark.content.draw(
                    in: PlotArea(
                        canvas: canvas, box: axes, x: maps.x, y: maps.y, theme: theme, color: color))
            }
        }
        if panel.hasAxes || panel.accent != nil { canvas.strokeBox(axes, frame) }
        if panel.hasAxes {
            drawBelow(maps.x)
            drawBeside(maps.y)
        }
        drawLabels()
        layout.colorBar?.draw(beside: axes, theme, canvas)
        layout.legend?.draw(
            layout, in: axes, outside: layout.colorBar?.width ?? 0, theme, canvas)
    }

    private func drawGrid(_ x: AxisMap, _ y: AxisMap) {
        let stroke = Stroke(color: theme.grid, width: Spacing.frame)
        let vertical = layout.xLabels.ticks.places.compactMap(x.place).map { ($0, axes.y, $0, axes.bottom) }
        let horizontal = layout.yLabels.ticks.places.compactMap(y.place).map { (axes.x, $0, axes.right, $0) }
        canvas.straightLines(vertical + horizontal, stroke)
    }

    private func drawBelow(_ map: AxisMap) {
        let ticks = layout.xLabels.ticks
        let stroke = Stroke(color: theme.frame, width: Spacing.frame)
        let minor = ticks.minor.compactMap(map.place).map {
            ($0, axes.bottom, $0, axes.bottom + Spacing.tick * 0.6)
        }
        canvas.straightLines(minor, stroke)
        for (place, text) in zip(ticks.places, ticks.labels) {
            guard let x = map.place(place) else { continue }
            canvas.straightLines([(x, axes.bottom, x, axes.bottom + Spacing.tick)], stroke)
            let y = axes.bottom + Spacing.tick + Spacing.tickToLabel
            if layout.xLabels.angle == 0 {
                canvas.text(text, x: x, y: y, anchor: Anchor(.center, .top), .tickLabel, theme.text)
            } else {
                canvas.text(
                    text, x: x + 3, y: y, anchor: Anchor(.right, .middle), angle: -layout.xLabels.angle,
                    .tickLabel, theme.text)
            }
        }
        let below = axes.bottom + Spacing.tick + Spacing.tickToLabel + layout.xLabels.height + Spacing.label
        if !ticks.multiplier.isEmpty {
            canvas.text(
                ticks.multiplier, x: axes.right, y: below, anchor: Anchor(.right, .top), .tickLabel,
                theme.text)
        }
    }

    private func drawBeside(_ map: AxisMap) {
        let ticks = layout.yLabels.ticks
        let stroke = Stroke(color: theme.frame, width: Spacing.frame)
        let minor = ticks.minor.compactMap(map.place).map { (axes.x, $0, axes.x - Spacing.tick * 0.6, $0) }
        canvas.straightLines(minor, stroke)
        for (place, text) in zip(ticks.places, ticks.labels) {
            guard let y = map.place(place) else { continue }
            canvas.straightLines([(axes.x, y, axes.x - Spacing.tick, y)], stroke)
            canvas.text(
                text, x: axes.x - Spacing.tick - Spacing.tickToLabel, y: y, anchor: Anchor(.right, .middle),
                .tickLabel, theme.text)
        }
        if !ticks.multiplier.isEmpty {
            canvas.text(
                ticks.multiplier, x: axes.x, y: axes.y - 2, anchor: Anchor(.left, .bottom), .tickLabel,
                theme.text)
        }
    }

    private func drawLabels() {
        let isShifted = !layout.yLabels.ticks.multiplier.isEmpty
        canvas.text(
            panel.title, x: axes.center, y: axes.y - Spacing.title - (isShifted ? 10 : 0),
            anchor: Anchor(.center, .bottom), layout.titleStyle, panel.accent ?? theme.text)
        let tick = Spacing.tick + Spacing.tickToLabel
        let below = layout.xLabels.height > 0 ? tick + layout.xLabels.height : 0
        canvas.text(
            panel.xLabel, x: axes.center, y: axes.bottom + below + Spacing.label,
            anchor: Anchor(.center, .top), .axisLabel.limited(to: axes.width), theme.text)
        let beside = layout.yLabels.width > 0 ? tick + layout.yLabels.width : 0
        canvas.text(
            panel.yLabel, x: axes.x - beside - Spacing.label, y: axes.middle,
            anchor: Anchor(.center, .bottom), angle: -90, .axisLabel.limited(to: axes.height), theme.text)
    }
}
