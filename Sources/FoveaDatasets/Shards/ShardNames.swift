import Foundation

/// The names of many files in one: `pets-{000..002}.tar` is `pets-000.tar`, `pets-001.tar` and `pets-002.tar`, as shells have it.
enum ShardNames {
    /// The most files that one pattern may name.
    static let limit = 100_000

    /// What a pattern stands for, in order. Each pair of braces has a range of numbers, or texts with commas between them; where
    /// a range's first number begins with zeros, all numbers have its width.
    ///
    /// - Throws: `DatasetError` for braces without an end or a range, and for more files than `limit`.
    static func expanded(_ pattern: String) throws(DatasetError) -> [String] {
        guard let open = pattern.firstIndex(of: "{") else {
            guard !pattern.contains("}") else { throw damaged(pattern) }
            return [pattern]
        }
        guard let close = pattern[open...].firstIndex(of: "}") else { throw damaged(pattern) }
        let choices = try choices(String(pattern[pattern.index(after: open)..<close]), pattern)
        let rests = try expanded(String(pattern[pattern.index(after: close)...]))
        guard choices.count * rests.count <= limit else { throw tooMany(pattern) }
        let start = pattern[..<open]
        return choices.flatMap { choice in rests.map { start + choice + $0 } }
    }

    private static func choices(_ text: String, _ pattern: String) throws(DatasetError) -> [String] {
        let ends = text.components(separatedBy: "..")
        guard ends.count == 2 else {
            let texts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
            guard texts.count > 1, !text.contains("{") else { throw damaged(pattern) }
            return texts
        }
        guard ends.allSatisfy({ !$0.isEmpty && $0.allSatisfy { $0.isASCII && $0.isNumber } }),
            let first = Int(ends[0]), let last = Int(ends[1]), first <= last
        else { throw damaged(pattern) }
        guard last - first < limit else { throw tooMany(pattern) }
        let width = ends[0].hasPrefix("0") ? ends[0].count : 0
        return (first...last).map { number in
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
    }

    private static func damaged(_ pattern: String) -> DatasetError {
        DatasetError(
            .invalidArgument, file: pattern,
            "names no files: braces have a range such as {000..009}, or texts with commas between them such as {a,b}"
        )
    }

    private static func tooMany(_ pattern: String) -> DatasetError {
        DatasetError(.tooLarge, file: pattern, "stands for more than \(limit) files")
    }
}
