extension Mark {
    /// Where a text lies beside its place.
    public enum TextPosition: String, CaseIterable, Hashable, Sendable {
        case center, above, below, left, right
    }

    /// A text at a place of the panel. It does not count for the limits of the axes.
    ///
    /// - Parameters:
    ///   - text: of several lines if it has line breaks.
    ///   - x: where on the x axis.
    ///   - y: where on the y axis.
    ///   - position: beside or over that place.
    ///   - size: of the letters, in points.
    ///   - isBold: whether its letters are thick.
    ///   - angle: in degrees, against the clock.
    ///   - color: the theme's when nil.
    public static func text(
        _ text: String, x: Double, y: Double, position: TextPosition = .center, size: Double = 9,
        isBold: Bool = false, angle: Double = 0, color: Figure.Color? = nil
    ) -> Mark {
        Mark(
            TextMark(
                text: text, x: x, y: y, position: position, size: size, isBold: isBold, angle: angle,
                color: color))
    }
}

private struct TextMark: DrawnMark {
    let text: String
    let x: Double
    let y: Double
    let position: Mark.TextPosition
    let size: Double
    let isBold: Bool
    let angle: Double
    let color: Figure.Color?

    var places: [(x: Double, y: Double)] { [(x, y)] }

    func check(_ panel: String, _ x: Panel.Scale, _ y: Panel.Scale) throws(VisualizationError) {
        guard self.x.isFinite, self.y.isFinite, angle.isFinite else {
            throw VisualizationError(
                .invalidArgument, "\(panel): a text has no place at \(self.x), \(self.y), angle \(angle)")
        }
        try checkSize(size, "a text's size", panel)
    }

    func extents(_ x: Panel.Scale, _ y: Panel.Scale) -> (x: AxisExtent, y: AxisExtent) {
        (AxisExtent(), AxisExtent())
    }

    func draw(in area: PlotArea) {
        guard !text.isEmpty, size > 0, let place = area.point(x, y) else { return }
        let gap = 3.0
        let (anchor, dx, dy): (Anchor, Double, Double) =
            switch position {
            case .center: (Anchor(.center, .middle), 0, 0)
            case .above: (Anchor(.center, .bottom), 0, -gap)
            case .below: (Anchor(.center, .top), 0, gap)
            case .left: (Anchor(.right, .middle), -gap, 0)
            case .right: (Anchor(.left, .middle), gap, 0)
            }
        area.canvas.text(
            text, x: place.x + dx, y: place.y + dy, anchor: anchor, angle: -angle,
            TextStyle(size: size, isBold: isBold, alignment: .center), color ?? area.theme.text)
    }
}
