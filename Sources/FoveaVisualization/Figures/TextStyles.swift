extension TextStyle {
    static let figureTitle = TextStyle(size: 13, isBold: true, alignment: .center, lineLimit: 2)
    static let panelTitle = TextStyle(size: 11, alignment: .center, lineLimit: 3)
    static let axisLabel = TextStyle(size: 10, alignment: .center, lineLimit: 2)
    static let tickLabel = TextStyle(size: 9, alignment: .center, widthLimit: 150, lineLimit: 1)
    static let legend = TextStyle(size: 9, widthLimit: 180, lineLimit: 1)

    func limited(to width: Double) -> TextStyle {
        var style = self
        style.widthLimit = max(10, width)
        return style
    }
}

/// Distances that all panels share, in points.
enum Spacing {
    static let tick = 3.5
    static let tickToLabel = 3.0
    static let label = 4.0
    static let title = 5.0
    static let legend = 6.0
    static let legendLine = 13.0
    static let swatch = 20.0
    static let colorBar = 11.0
    static let colorBarGap = 9.0
    static let frame = 0.8
}
