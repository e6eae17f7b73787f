import CDrawing
import FoveaFiles

/// How a text is written.
struct TextStyle {
    enum Alignment: Int32 { case left, center, right }

    /// In points.
    var size: Double
    var isBold = false
    /// Of lines among each other.
    var alignment = Alignment.left
    /// In points; longer lines are broken.
    var widthLimit: Double?
    /// How many lines a paragraph has at most; an ellipsis stands for the rest.
    var lineLimit = 0

    /// What matplotlib writes in, and what looks like it.
    private static let family = "DejaVu Sans,Bitstream Vera Sans,Liberation Sans,Noto Sans,sans-serif"
    /// No text of a figure has more characters.
    private static let characterLimit = 2_000

    /// Texts may be anybody's: what would not be seen, or would turn others round, is spelt out.
    func withC<Result>(_ text: String, _ body: (UnsafePointer<fovea_drawing_text>) -> Result) -> Result {
        var shown = visibleLines(String(text.prefix(Self.characterLimit)))
        return shown.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { bytes in
                Self.family.withCString { family in
                    var c = fovea_drawing_text()
                    c.text = bytes.baseAddress
                    c.count = bytes.count
                    c.family = family
                    c.size = size
                    c.is_bold = isBold ? 1 : 0
                    c.alignment = alignment.rawValue
                    c.width_limit = widthLimit.map { max(1, min($0, 100_000)) } ?? 0
                    c.line_limit = Int32(clamping: lineLimit)
                    return body(&c)
                }
            }
        }
    }
}

/// What a text takes up, in points.
struct TextSize {
    var width = 0.0
    var height = 0.0
    /// From the upper edge to the baseline of the first line.
    var baseline = 0.0
}

/// The point of a text that its place is said of.
struct Anchor {
    enum Horizontal { case left, center, right }
    enum Vertical { case top, middle, baseline, bottom }

    var horizontal: Horizontal
    var vertical: Vertical

    init(_ horizontal: Horizontal, _ vertical: Vertical) {
        self.horizontal = horizontal
        self.vertical = vertical
    }

    func left(of size: TextSize) -> Double {
        switch horizontal {
        case .left: 0
        case .center: size.width / 2
        case .right: size.width
        }
    }

    func top(of size: TextSize) -> Double {
        switch vertical {
        case .top: 0
        case .middle: size.height / 2
        case .baseline: size.baseline
        case .bottom: size.height
        }
    }
}
