/// Takes a line of an ARFF file apart.
struct ARFFScanner {
    private let line: [UInt8]
    private let lineNumber: Int
    private let path: String
    private var position = 0

    init(_ line: [UInt8], number: Int, path: String) {
        self.line = line
        lineNumber = number
        self.path = path
        skipSpace()
    }

    /// Whether nothing is left but a comment. Only a line of its own is one: values may have a percent sign.
    var isBlank: Bool { isAtEnd || line[position] == UInt8(ascii: "%") }
    var isAtEnd: Bool { position == line.count }
    var beginsHeaderLine: Bool { !isAtEnd && line[position] == UInt8(ascii: "@") }

    func error(_ reason: String) -> DatasetError {
        DatasetError(
            .wrongFormat, file: path, "line \(lineNumber): \(reason); correct it or download the file again")
    }

    private mutating func skipSpace() {
        while position < line.count, line[position] == 32 || line[position] == 9 { position += 1 }
    }

    /// Passes over a character, and spaces behind it, if it comes next.
    mutating func skip(_ character: UInt8) -> Bool {
        guard position < line.count, line[position] == character else { return false }
        position += 1
        skipSpace()
        return true
    }

    /// Passes over a question mark that stands alone.
    mutating func skipMissing() -> Bool {
        guard position < line.count, line[position] == UInt8(ascii: "?"),
            position + 1 == line.count || endsWord(line[position + 1])
        else { return false }
        return skip(UInt8(ascii: "?"))
    }

    private func endsWord(_ byte: UInt8) -> Bool {
        byte == 32 || byte == 9 || byte == UInt8(ascii: ",") || byte == UInt8(ascii: "{")
            || byte == UInt8(ascii: "}")
    }

    /// A name or value, in quotes or not.
    mutating func word() throws(DatasetError) -> String {
        guard position < line.count else { throw error("something is missing at the end") }
        let quote = line[position]
        var bytes: [UInt8] = []
        if quote == UInt8(ascii: "'") || quote == UInt8(ascii: "\"") {
            position += 1
            while position < line.count, line[position] != quote {
                if line[position] == UInt8(ascii: "\\"), position + 1 < line.count { position += 1 }
                bytes.append(line[position])
                position += 1
            }
            guard position < line.count else { throw error("a quote does not end") }
            position += 1
        } else {
            while position < line.count, !endsWord(line[position]) {
                bytes.append(line[position])
                position += 1
            }
            guard !bytes.isEmpty else { throw error("a name or value is expected") }
        }
        skipSpace()
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw error("the text is not UTF-8")
        }
        return text
    }

    /// A decimal number.
    mutating func number() throws(DatasetError) -> Double {
        let start = position
        var small = 0
        while position < line.count, case let digit = line[position] &- 48, digit < 10, position - start < 15
        {
            small = small * 10 + Int(digit)
            position += 1
        }
        if position > start, position == line.count || endsWord(line[position]) {
            skipSpace()
            return Double(small)
        }
        while position < line.count, !endsWord(line[position]) { position += 1 }
        let text = String(decoding: line[start..<position].prefix(400), as: UTF8.self)
        // Other spellings that Swift takes, such as "nan" and "0x1p3", are none of this format's.
        let isDecimal = text.utf8.allSatisfy { (48..<58).contains($0) || "+-.eE".utf8.contains($0) }
        guard isDecimal, position - start <= 400, let value = Double(text), value.isFinite else {
            throw error("'\(text.prefix(40))' is no number")
        }
        skipSpace()
        return value
    }

    /// What follows `@attribute`: a name and a kind.
    mutating func attribute() throws(DatasetError) -> ARFFAttribute {
        let name = try word()
        if skip(UInt8(ascii: "{")) {
            var values: [String] = []
            if !skip(UInt8(ascii: "}")) {
                while true {
                    values.append(try word())
                    if skip(UInt8(ascii: "}")) { break }
                    guard skip(UInt8(ascii: ",")) else { throw error("a comma is expected") }
                }
            }
            guard isBlank, !values.isEmpty, Set(values).count == values.count else {
                throw error(
                    "the values of the attribute '\(name)' are none, come twice, or something follows them")
            }
            return ARFFAttribute(name: name, kind: .nominal(values))
        }
        let kind = try word().lowercased()
        guard ["numeric", "real", "integer"].contains(kind) else {
            throw DatasetError(
                .wrongElementType, file: path,
                "line \(lineNumber): the attribute '\(name)' is of the kind '\(kind)'; only numbers and nominal values are "
                    + "read, so remove it")
        }
        guard isBlank else { throw error("something follows the kind '\(kind)'") }
        return ARFFAttribute(name: name, kind: .numeric)
    }
}
