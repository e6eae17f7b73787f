/// Something drawn in a panel: a line, points, bars, an image, a text and so on.
///
/// Marks are made by the functions of this type. Marks without a colour take those of the theme in turn; marks with a label are
/// explained in the panel's legend.
public struct Mark: Sendable {
    let content: any DrawnMark

    init(_ content: any DrawnMark) { self.content = content }

    /// How a line is broken.
    public enum LinePattern: String, CaseIterable, Hashable, Sendable {
        case solid, dashed, dotted, dashDotted

        /// Strokes and gaps in turn; as wide as matplotlib's.
        func dashes(width: Double) -> [Double] {
            let lengths: [Double] =
                switch self {
                case .solid: []
                case .dashed: [3.7, 1.6]
                case .dotted: [1, 1.65]
                case .dashDotted: [6.4, 1.6, 1, 1.6]
                }
            return lengths.map { $0 * width }
        }
    }
}

/// What a panel must know of a mark.
protocol DrawnMark: Sendable {
    /// - Parameter panel: what errors call the panel.
    /// - Throws: `VisualizationError` for what cannot be drawn.
    func check(_ panel: String, _ x: Panel.Scale, _ y: Panel.Scale) throws(VisualizationError)
    /// What it wants to be seen of the axes.
    func extents(_ x: Panel.Scale, _ y: Panel.Scale) -> (x: AxisExtent, y: AxisExtent)
    func draw(in area: PlotArea)

    /// Its colour as stated; nil for one of the theme.
    var color: Figure.Color? { get }
    /// Whether it takes the next colour of the theme where none is stated.
    var takesColor: Bool { get }
    /// What the legend says; none when empty.
    var label: String { get }
    /// How the legend shows it.
    var swatch: Swatch { get }
    /// Whether it is shown as matrices are: rows from top to bottom, cells square.
    var isImage: Bool { get }
    /// What a colour bar explains.
    var colors: ColorRange? { get }
    /// Numbers that a legend should not hide.
    var places: [(x: Double, y: Double)] { get }
}

extension DrawnMark {
    var color: Figure.Color? { nil }
    var takesColor: Bool { false }
    var label: String { "" }
    var swatch: Swatch { .area(opacity: 1) }
    var isImage: Bool { false }
    var colors: ColorRange? { nil }
    var places: [(x: Double, y: Double)] { [] }
}

/// How a legend shows a mark.
enum Swatch {
    case line(width: Double, Mark.LinePattern, marker: Double)
    case point(radius: Double)
    case area(opacity: Double)
}

/// Which colours stand for which numbers.
struct ColorRange: Sendable {
    let map: ColorMap
    let limits: ClosedRange<Double>
}

/// Where a mark is drawn.
struct PlotArea {
    let canvas: Canvas
    let box: Box
    let x: AxisMap
    let y: AxisMap
    let theme: Figure.Theme
    /// The mark's own, or the one whose turn it was.
    let color: Figure.Color

    func point(_ x: Double, _ y: Double) -> (x: Double, y: Double)? {
        guard let x = self.x.place(x), let y = self.y.place(y) else { return nil }
        return (x, y)
    }

    /// The part of the panel between two numbers of each axis; nil where a number has no place.
    func box(x: ClosedRange<Double>, y: ClosedRange<Double>) -> Box? {
        guard let x1 = self.x.place(x.lowerBound), let x2 = self.x.place(x.upperBound),
            let y1 = self.y.place(y.lowerBound), let y2 = self.y.place(y.upperBound)
        else { return nil }
        return Box(x: min(x1, x2), y: min(y1, y2), width: (x2 - x1).magnitude, height: (y2 - y1).magnitude)
    }

    /// As `box(x:y:)`, no larger than the panel with something around it, because what is far outside cannot be drawn.
    func visibleBox(x: ClosedRange<Double>, y: ClosedRange<Double>) -> Box? {
        guard let whole = box(x: x, y: y) else { return nil }
        let (left, right) = (max(whole.x, box.x - 10), min(whole.right, box.right + 10))
        let (top, bottom) = (max(whole.y, box.y - 10), min(whole.bottom, box.bottom + 10))
        guard left <= right, top <= bottom else { return nil }
        return Box(x: left, y: top, width: right - left, height: bottom - top)
    }
}
