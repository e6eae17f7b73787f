import Foundation
import FoveaTraining

/// A path with places for numbers, in the notation of Keras and Python: `{epoch:02d}`, `{val_loss:.4f}`, `{loss}`. `{{` and
/// `}}` stand for braces.
struct PathTemplate: Sendable {
    private enum Piece: Hashable {
        case text(String)
        /// What stands for the number in C's notation, `%02d`; nil for as many digits as it has.
        case number(name: String, format: String?, isInteger: Bool)
    }

    let source: String
    private let pieces: [Piece]

    /// - Throws: `TrainingError.invalidArgument` for a brace without its partner and a format that is not known.
    init(_ source: String) throws {
        var pieces: [Piece] = []
        var text = ""
        var rest = Substring(source)
        while let character = rest.popFirst() {
            if character == "{" || character == "}", rest.first == character {
                text.append(character)
                rest.removeFirst()
            } else if character == "{", let end = rest.firstIndex(of: "}") {
                pieces += [.text(text), try Self.number(rest[..<end], in: source)]
                text = ""
                rest = rest[end...].dropFirst()
            } else if character == "{" || character == "}" {
                throw Self.invalid(source, "paths in which every '{' has its '}'; write '{{' for a brace")
            } else {
                text.append(character)
            }
        }
        self.source = source
        self.pieces = pieces + [.text(text)]
    }

    private static func number(_ place: Substring, in source: String) throws -> Piece {
        let parts = place.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let (name, format) = (String(parts[0]), parts.count > 1 ? String(parts[1]) : "")
        guard !name.isEmpty else { throw invalid(source, "names in braces, such as {epoch:02d}") }
        if format.isEmpty { return .number(name: name, format: nil, isInteger: false) }
        guard format.wholeMatch(of: /0?\d{0,2}(d|(\.\d{1,2})?[fge])/) != nil else {
            throw invalid(source, "formats such as {epoch:02d} and {val_loss:.4f}, not '\(format)'")
        }
        let isInteger = format.hasSuffix("d")
        return .number(
            name: name, format: "%\(isInteger ? String(format.dropLast()) + "ld" : format)",
            isInteger: isInteger)
    }

    private static func invalid(_ source: String, _ expected: String) -> TrainingError {
        .invalidArgument("the path", "'\(source)'", expected: expected)
    }

    /// The names of the numbers in it.
    var names: [String] {
        pieces.compactMap { if case .number(let name, _, _) = $0 { name } else { nil } }
    }

    /// The path with its numbers; names that are missing stay as they are.
    func path(_ values: [String: Double]) -> String {
        pieces.map { piece in
            switch piece {
            case .text(let text): text
            case .number(let name, let format, let isInteger):
                Self.text(values[name], format, isInteger) ?? "{\(name)}"
            }
        }.joined()
    }

    private static func text(_ value: Double?, _ format: String?, _ isInteger: Bool) -> String? {
        guard let value else { return nil }
        guard let format else { return Int(exactly: value).map(String.init) ?? "\(value)" }
        guard isInteger else { return String(format: format, value) }
        return String(format: format, Int(exactly: value.rounded()) ?? 0)
    }
}
