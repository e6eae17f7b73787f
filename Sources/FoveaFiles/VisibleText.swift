/// A text made safe to print, whoever wrote it: names from files and arguments may hold what a terminal obeys.
///
/// Characters that control, that have no width or that turn the direction of writing round are spelt out, such as an
/// escape as `\u{1B}`; of a long text the middle is left out, and how much that is is said.
///
/// - Parameters:
///   - text: may have any characters and any length.
///   - limit: how many characters (Unicode scalars) the result may have; at least 100.
package func visible(_ text: String, limit: Int = VisibleText.messageLimit) -> String {
    // More than that cannot be shown, so it need not be looked at: names may have millions of characters.
    let scalars = text.unicodeScalars
    if text.utf8.count <= limit, scalars.allSatisfy(\.isVisible) { return text }
    var head = VisibleText(limit: limit / 2)
    var rest = scalars[...]
    while let scalar = rest.first, head.add(scalar) { rest.removeFirst() }
    if rest.isEmpty { return head.text }
    // Room is left for the note in the middle.
    var tail = VisibleText(limit: limit / 2 - 36)
    while let scalar = rest.last, tail.add(scalar) { rest.removeLast() }
    if rest.isEmpty { return head.text + tail.reversed }
    return head.text + "…(\(rest.count) more characters)…" + tail.reversed
}

/// A text of several lines made safe to print; line breaks and tabs stay, and so does the length.
package func visibleLines(_ text: String) -> String {
    text.unicodeScalars.reduce(into: "") { lines, scalar in
        if scalar == "\n" || scalar == "\t" {
            lines.unicodeScalars.append(scalar)
        } else {
            lines += scalar.shown
        }
    }
}

/// Collects what may be shown of a text, from either end.
package struct VisibleText {
    /// As much as a message may have.
    package static let messageLimit = 2_000
    /// As much as a name in a message or a table may have.
    package static let nameLimit = 120

    fileprivate let limit: Int
    private var parts: [String] = []
    private var count = 0

    fileprivate init(limit: Int) { self.limit = limit }

    /// Whether there was room.
    fileprivate mutating func add(_ scalar: Unicode.Scalar) -> Bool {
        let part = scalar.shown
        guard count + part.unicodeScalars.count <= limit else { return false }
        parts.append(part)
        count += part.unicodeScalars.count
        return true
    }

    fileprivate var text: String { parts.joined() }
    fileprivate var reversed: String { parts.reversed().joined() }
}

extension Unicode.Scalar {
    fileprivate var shown: String {
        isVisible ? String(self) : "\\u{\(String(value, radix: 16, uppercase: true))}"
    }

    fileprivate var isVisible: Bool {
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: false
        // The two joiners belong to writing, as in Persian and in many emoji.
        case .format: self == "\u{200C}" || self == "\u{200D}"
        default: true
        }
    }
}
