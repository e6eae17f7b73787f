import FoveaFiles
import FoveaPictures

/// Panels with curves, images and texts in rows and columns, as a picture or a document.
///
/// ```swift
/// let figure = Figure(
///     Panel(title: "sine", xLabel: "x", [.line(y, x: x, label: "sin x"), .scatter(noisy, x: x)]))
/// try figure.write(to: "sine.png")   // or .svg, .pdf
/// ```
///
/// Sizes are inches, and the defaults are matplotlib's: 6.4 × 4.8 inches for one panel at 100 dots per inch. A figure is a value;
/// it is drawn, and what cannot be drawn is found out, when it is written.
public struct Figure: Sendable {
    /// What stands above all panels.
    public var title = ""
    /// Row by row, from left to right.
    public var panels: [Panel]
    /// How many panels stand beside each other.
    public var columns: Int
    /// How high the rows are in comparison with each other, one number for each; equally high when nil.
    public var rowHeights: [Double]?
    /// Width and height in inches; when nil 6.4 × 4.8 for one panel, and for several less for each.
    public var size: (width: Double, height: Double)?
    /// Pixels per inch of a picture; documents have none but in what is a picture in them.
    public var dpi = 100.0
    public var theme = Theme.light

    /// - Parameters:
    ///   - panels: row by row, from left to right.
    ///   - columns: how many stand beside each other; at least 1.
    ///   - title: what stands above all of them.
    ///   - size: width and height in inches; when nil 6.4 × 4.8 for one panel, and for several less for each.
    ///   - dpi: pixels per inch.
    ///   - theme: which colours there are.
    public init(
        _ panels: [Panel], columns: Int = 1, title: String = "", size: (width: Double, height: Double)? = nil,
        dpi: Double = 100, theme: Theme = .light
    ) {
        self.panels = panels
        self.columns = columns
        self.title = title
        self.size = size
        self.dpi = dpi
        self.theme = theme
    }

    /// A figure of one panel.
    public init(_ panel: Panel) { self.init([panel]) }

    /// How many rows of panels there are.
    public var rows: Int { (panels.count + max(columns, 1) - 1) / max(columns, 1) }

    /// Width and height in inches, as stated or chosen.
    var inches: (width: Double, height: Double) {
        if let size { return size }
        let (columns, rows) = (Double(max(1, min(columns, panels.count))), Double(max(1, rows)))
        let width = columns == 1 ? 6.4 : columns == 2 ? 4.8 * columns : 3.6 * columns
        let height =
            rows == 1 ? (columns < 3 ? 4.8 - 0.6 * (columns - 1) : 3.4) : (columns < 3 ? 3.6 : 3.0) * rows
        return (width, height)
    }
}
