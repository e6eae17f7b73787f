import Foundation

/// A text of the package that shows Swift code, and the Swift source that holds the same code to be compiled.
struct Document {
    let text: String

    /// - Parameter path: from the package's folder on.
    init(_ path: String) throws {
        text = try String(contentsOf: Self.package.appending(path: path), encoding: .utf8)
    }

    private static let package = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// The Swift sources in a folder of the package.
    static func sources(in folder: String) throws -> [Document] {
        try FileManager.default.contentsOfDirectory(atPath: package.appending(path: folder).path)
            .filter { $0.hasSuffix(".swift") }.map { try Document("\(folder)/\($0)") }
    }

    /// The text without the white space at both ends of its lines.
    var unindentedText: String {
        text.components(separatedBy: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.joined(
            separator: "\n")
    }

    /// The blocks between ` ```swift ` and ` ``` `, but for those that belong into a package's manifest. Imports are left out:
    /// a source has its own at its top.
    var codeBlocks: [String] {
        text.components(separatedBy: "```swift\n").dropFirst()
            .compactMap { $0.components(separatedBy: "\n```").first }
            .filter { !$0.hasPrefix(".package") }
            .map { block in
                let lines = block.components(separatedBy: "\n")
                return lines.drop { $0.isEmpty || $0.hasPrefix("import ") }.joined(separator: "\n")
            }
    }

    /// The blocks of a source between the comments `block` and `end`, without the indentation of their first line.
    var markedBlocks: [String] {
        text.components(separatedBy: "// block\n").dropFirst().map { part in
            var lines: [String] = []
            for line in part.components(separatedBy: "\n") {
                if line.hasSuffix("// end") { break }
                lines.append(line)
            }
            let indentation = lines.first?.prefix { $0 == " " }.count ?? 0
            return lines.map { String($0.dropFirst(min(indentation, $0.prefix { $0 == " " }.count))) }
                .joined(separator: "\n")
        }
    }

    /// The code in the columns headed *Fovea* of all tables in which the first column is headed otherwise.
    var calls: [String] {
        var isTable = false
        var calls: [String] = []
        for line in text.components(separatedBy: "\n") {
            let cells = line.components(separatedBy: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard cells.count > 3 else {
                isTable = false
                continue
            }
            if isTable { calls += Self.codeSpans(cells[2]) }
            if cells[2] == "Fovea", !cells[1].isEmpty { isTable = true }
        }
        return calls
    }

    /// What stands between single backquotes.
    static func codeSpans(_ text: String) -> [String] {
        text.components(separatedBy: "`").enumerated().filter { !$0.offset.isMultiple(of: 2) }.map(\.element)
    }

    /// A source without comments, each run of white space a space, and calls that fill several lines in one.
    var plainCode: String {
        let lines = text.components(separatedBy: "\n").map { line in
            line.trimmingCharacters(in: .whitespaces).hasPrefix("//") ? "" : line
        }
        return lines.joined(separator: "\n").split(whereSeparator: \.isWhitespace).joined(separator: " ")
            .replacingOccurrences(of: "( ", with: "(")
    }
}

extension String {
    /// Whether the text has another in it that is not a part of longer words.
    func hasWords(_ words: String) -> Bool {
        func isWord(_ character: Character) -> Bool {
            character.isLetter || character.isNumber || character == "_"
        }
        var rest = self[...]
        while let found = rest.range(of: words) {
            let before = found.lowerBound > startIndex ? self[index(before: found.lowerBound)] : " "
            let after = found.upperBound < endIndex ? self[found.upperBound] : " "
            let beginsWord = words.first.map(isWord) ?? false
            let endsWord = words.last.map(isWord) ?? false
            if !(beginsWord && isWord(before)), !(endsWord && isWord(after)) { return true }
            rest = rest[found.upperBound...]
        }
        return false
    }
}
