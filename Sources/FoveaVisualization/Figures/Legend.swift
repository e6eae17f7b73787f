/// What explains the labels of marks.
struct LegendLayout {
    struct Entry {
        let label: String
        let swatch: Swatch
        let color: Figure.Color
    }

    let entries: [Entry]
    let size: TextSize
    let position: Panel.Legend
    var isOutside: Bool { position == .outside }

    /// How many fit into a corner.
    private static let cornerLimit = 10
    /// How many anybody reads.
    private static let limit = 40

    /// - Parameter room: what the axes have, about.
    /// - Returns: nil when there is nothing to explain.
    init?(_ panel: Panel, _ theme: Figure.Theme, in room: Box, _ canvas: Canvas) {
        guard panel.legend != .none else { return nil }
        let colors = PanelLayout.colors(panel, theme)
        let labelled = zip(panel.marks, colors).filter { !$0.0.content.label.isEmpty }
        guard !labelled.isEmpty else { return nil }
        position =
            panel.legend == .automatic && labelled.count > Self.cornerLimit ? .outside : panel.legend
        let most = max(1, min(Self.limit, Int(room.height / Spacing.legendLine) - 1))
        var entries = labelled.map { mark, color in
            Entry(label: mark.content.label, swatch: mark.content.swatch, color: color)
        }
        if entries.count > most {
            let rest = entries.count - most + 1
            entries =
                entries.prefix(most - 1) + [
                    Entry(label: "… and \(rest) more", swatch: .area(opacity: 0), color: theme.frame)
                ]
        }
        self.entries = entries
        let widths = entries.map { canvas.size(of: $0.label, Self.style(in: room)).width }
        size = TextSize(
            width: (widths.max() ?? 0) + Spacing.swatch + 3 * Spacing.legend,
            height: Double(entries.count) * Spacing.legendLine + Spacing.legend)
    }

    private static func style(in room: Box) -> TextStyle {
        .legend.limited(to: min(180, max(40, room.width * 0.45)))
    }

    /// Draws it where it is to be, or where it hides least.
    func draw(_ layout: PanelLayout, in axes: Box, outside: Double, _ theme: Figure.Theme, _ canvas: Canvas) {
        let box = box(layout, in: axes, outside: outside)
        if !isOutside {
            canvas.fill(box, theme.legend)
            canvas.strokeBox(box, Stroke(color: theme.grid, width: Spacing.frame))
        }
        for (index, entry) in entries.enumerated() {
            let y = box.y + Spacing.legend / 2 + (Double(index) + 0.5) * Spacing.legendLine
            let left = box.x + Spacing.legend
            draw(entry, left: left, y: y, canvas)
            canvas.text(
                entry.label, x: left + Spacing.swatch + Spacing.legend, y: y, anchor: Anchor(.left, .middle),
                Self.style(in: axes), theme.text)
        }
    }

    private func draw(_ entry: Entry, left: Double, y: Double, _ canvas: Canvas) {
        let right = left + Spacing.swatch
        switch entry.swatch {
        case .line(let width, let pattern, let marker):
            if width > 0 {
                canvas.straightLines(
                    [(left, y, right, y)], Stroke(color: entry.color, width: width, pattern: pattern))
            }
            if marker > 0 {
                canvas.fillCircle(
                    x: (left + right) / 2, y: y, radius: min(5, marker / 2), entry.color)
            }
        case .point(let radius):
            canvas.fillCircle(x: (left + right) / 2, y: y, radius: min(5, radius), entry.color)
        case .area(let opacity):
            guard opacity > 0 else { return }
            canvas.fill(
                Box(x: left, y: y - 3.5, width: Spacing.swatch, height: 7), entry.color.opacity(opacity))
        }
    }

    private func box(_ layout: PanelLayout, in axes: Box, outside: Double) -> Box {
        let gap = Spacing.legend
        let (left, right) = (axes.x + gap, axes.right - gap - size.width)
        let (top, bottom) = (axes.y + gap, axes.bottom - gap - size.height)
        func corner(_ position: Panel.Legend) -> Box {
            let isLeft = position == .upperLeft || position == .lowerLeft
            let isLower = position == .lowerLeft || position == .lowerRight
            return Box(
                x: isLeft ? left : right, y: isLower ? bottom : top, width: size.width, height: size.height)
        }
        switch position {
        case .outside:
            return Box(x: axes.right + outside + gap, y: axes.y, width: size.width, height: size.height)
        case .automatic, .none:
            let hidden = placesToSee(layout, in: axes)
            let corners = [Panel.Legend.upperRight, .upperLeft, .lowerRight, .lowerLeft].map(corner)
            let counts = corners.map { box in hidden.count { box.contains(x: $0.x, y: $0.y) } }
            let best = counts.indices.min { counts[$0] < counts[$1] } ?? 0
            return corners[best]
        default: return corner(position)
        }
    }

    /// Points of curves, and some between them where they are far apart.
    private func placesToSee(_ layout: PanelLayout, in axes: Box) -> [(x: Double, y: Double)] {
        let maps = layout.maps(in: axes)
        return layout.panel.marks.flatMap { mark -> [(x: Double, y: Double)] in
            let places = mark.content.places.compactMap { point -> (x: Double, y: Double)? in
                guard let x = maps.x.place(point.x), let y = maps.y.place(point.y) else { return nil }
                return (x, y)
            }
            guard places.count < 200 else { return places }
            return places
                + zip(places, places.dropFirst()).flatMap { from, to in
                    [0.2, 0.4, 0.6, 0.8].map {
                        (from.x + $0 * (to.x - from.x), from.y + $0 * (to.y - from.y))
                    }
                }
        }
    }
}
