import FoveaFiles
import Glibc

/// The lines of a text file, one after the other.
struct LineReader {
    private let file: UnpackedFile
    private let limit: Int
    private var buffer: [UInt8] = []
    private var position = 0
    private var isAtEnd = false
    /// Of the line that `next` returned last, from 1.
    private(set) var lineNumber = 0
    /// Whether a line break ended the line that `next` returned last.
    private(set) var hadLineBreak = true

    /// - Parameter limit: the most bytes of a line.
    init(_ file: UnpackedFile, limit: Int) {
        self.file = file
        self.limit = limit
    }

    /// Reads a line into `line`, without its break (`\n` or `\r\n`).
    ///
    /// - Returns: false at the end of the file.
    /// - Throws: `DatasetError` when the file cannot be read or the line is longer than the limit.
    mutating func next(into line: inout [UInt8]) throws(DatasetError) -> Bool {
        line.removeAll(keepingCapacity: true)
        lineNumber += 1
        while true {
            if position == buffer.count {
                if isAtEnd {
                    hadLineBreak = false
                    return !line.isEmpty
                }
                buffer = try file.readBytes(count: 1 << 18)
                position = 0
                isAtEnd = buffer.count < 1 << 18
                continue
            }
            let end = lineBreak() ?? buffer.count
            guard line.count + (end - position) <= limit else {
                throw DatasetError(
                    .tooLarge, file: file.path, "line \(lineNumber) has more than \(limit) bytes")
            }
            line += buffer[position..<end]
            position = end
            guard end < buffer.count else { continue }
            position += 1
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            hadLineBreak = true
            return true
        }
    }

    /// The place of the next line break in the buffer.
    private func lineBreak() -> Int? {
        buffer.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress,
                let found = memchr(start + position, 10, bytes.count - position)
            else { return nil }
            return start.distance(to: found)
        }
    }
}
