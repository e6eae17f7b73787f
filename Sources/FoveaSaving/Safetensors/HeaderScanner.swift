/// Reads the JSON of a safetensors header, which is made of objects, strings and lists of numbers only.
///
/// The caller asks for what the format has at each place, so a header nested deeper than that is refused
/// at the first bracket that should not be there, and duplicate names, which a general JSON reader would
/// drop in silence, are seen.
struct HeaderScanner {
    typealias Problem = SafetensorsError.Problem

    private let bytes: ArraySlice<UInt8>
    private var position: Int
    /// Where the text starts in the file, for messages.
    private let offset: Int

    /// - Parameter bytes: valid UTF-8.
    init(_ bytes: ArraySlice<UInt8>, offset: Int) {
        self.bytes = bytes
        self.offset = offset
        position = bytes.startIndex
    }

    /// An object. `readMember` gets the name of each member and has to read its value.
    mutating func object(
        _ readMember: (inout HeaderScanner, String) throws(Problem) -> Void
    ) throws(Problem) {
        try expect("{")
        if take("}") { return }
        var names: Set<String> = []
        repeat {
            let name = try string()
            guard names.insert(name).inserted else { throw .duplicateName(name) }
            try expect(":")
            try readMember(&self, name)
        } while take(",")
        try expect("}")
    }

    /// A list of numbers as they are written, such as `["2", "-3"]`, for the caller to judge.
    mutating func numbers() throws(Problem) -> [String] {
        try expect("[")
        if take("]") { return [] }
        var numbers: [String] = []
        repeat {
            numbers.append(try number())
        } while take(",")
        try expect("]")
        return numbers
    }

    private mutating func number() throws(Problem) -> String {
        skipSpace()
        let start = position
        while let byte = current, Self.numberBytes.contains(byte) { position += 1 }
        let text = bytes[start..<position]
        let digits = text.first == UInt8(ascii: "-") ? text.dropFirst() : text
        let isPadded = digits.first == UInt8(ascii: "0") && digits.dropFirst().first.map(Self.isDigit) == true
        guard let first = digits.first, Self.isDigit(first), !isPadded else {
            position = start
            throw syntaxProblem("a number")
        }
        return String(decoding: text, as: UTF8.self)
    }

    mutating func isAtString() -> Bool {
        skipSpace()
        return current == UInt8(ascii: "\"")
    }

    mutating func string() throws(Problem) -> String {
        try expect("\"")
        var text: [UInt8] = []
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                position += 1
                text.append(contentsOf: String(try escape()).utf8)
            case 0..<0x20:
                throw syntaxProblem("a string without control characters")
            default:
                text.append(byte)
                position += 1
            }
        }
        throw syntaxProblem("the end of a string")
    }

    /// What stands for the characters after a backslash.
    private mutating func escape() throws(Problem) -> Unicode.Scalar {
        let letter = current
        if letter == UInt8(ascii: "u") {
            position += 1
            return try unicodeEscape()
        }
        guard let letter, let scalar = Self.escapes[letter] else { throw syntaxProblem("a JSON escape") }
        position += 1
        return scalar
    }

    /// The scalar of `uXXXX`, or of two such in a row where they are a surrogate pair.
    private mutating func unicodeEscape() throws(Problem) -> Unicode.Scalar {
        let high = try fourHexDigits()
        if let scalar = Unicode.Scalar(high) { return scalar }
        guard UTF16.isLeadSurrogate(UInt16(high)), bytes[position...].starts(with: [0x5C, 0x75]) else {
            throw syntaxProblem("a whole surrogate pair")
        }
        position += 2
        let low = try fourHexDigits()
        guard UTF16.isTrailSurrogate(UInt16(low)),
            let scalar = Unicode.Scalar(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
        else { throw syntaxProblem("a whole surrogate pair") }
        return scalar
    }

    private mutating func fourHexDigits() throws(Problem) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw syntaxProblem("four hexadecimal digits")
            }
            value = value << 4 + UInt32(digit)
            position += 1
        }
        return value
    }

    mutating func expectEnd() throws(Problem) {
        skipSpace()
        guard current == nil else { throw syntaxProblem("the end of the header") }
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(Problem) {
        guard take(character) else { throw syntaxProblem("'\(character)'") }
    }

    /// Whether the character comes next; if so, it is passed.
    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard current == UInt8(ascii: character) else { return false }
        position += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = current, Self.spaceBytes.contains(byte) { position += 1 }
    }

    private var current: UInt8? { position < bytes.endIndex ? bytes[position] : nil }

    private func syntaxProblem(_ expected: String) -> Problem {
        .headerSyntax(byte: offset + position - bytes.startIndex, expected: expected)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static let numberBytes = Set("-+.eE0123456789".utf8)
    private static let spaceBytes = Set(" \t\n\r".utf8)
    private static let escapes: [UInt8: Unicode.Scalar] = [
        UInt8(ascii: "\""): "\"", UInt8(ascii: "\\"): "\\", UInt8(ascii: "/"): "/",
        UInt8(ascii: "b"): "\u{8}", UInt8(ascii: "f"): "\u{C}", UInt8(ascii: "n"): "\n",
        UInt8(ascii: "r"): "\r", UInt8(ascii: "t"): "\t",
    ]
}
