/// The instructions that are known, by their bytes in the file.
enum PickleInstruction: UInt8 {
    case mark = 0x28
    case emptyTuple = 0x29
    case stop = 0x2E
    case binBytes = 0x42
    case shortBinBytes = 0x43
    case binFloat = 0x47
    case binInt = 0x4A
    case binInt1 = 0x4B
    case binInt2 = 0x4D
    case none = 0x4E
    case binPersistentID = 0x51
    case reduce = 0x52
    case binString = 0x54
    case shortBinString = 0x55
    case binUnicode = 0x58
    case emptyList = 0x5D
    case append = 0x61
    case build = 0x62
    case global = 0x63
    case appends = 0x65
    case binGet = 0x68
    case longBinGet = 0x6A
    case binPut = 0x71
    case longBinPut = 0x72
    case setItem = 0x73
    case tuple = 0x74
    case setItems = 0x75
    case emptyDictionary = 0x7D
    case proto = 0x80
    case tuple1 = 0x85
    case tuple2 = 0x86
    case tuple3 = 0x87
    case newTrue = 0x88
    case newFalse = 0x89
    case long1 = 0x8A
    case shortBinUnicode = 0x8C
    case binUnicode8 = 0x8D
    case stackGlobal = 0x93
    case memoize = 0x94
    case frame = 0x95
}

/// The bytes of a pickle, taken one after the other.
struct PickleReader {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    mutating func byte() throws(PickleProblem) -> UInt8 {
        guard let byte = rest.popFirst() else { throw .cutShort }
        return byte
    }

    mutating func bytes(_ count: Int) throws(PickleProblem) -> ArraySlice<UInt8> {
        guard count <= rest.count else { throw .cutShort }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    /// A whole number from 0 up, little-endian.
    mutating func count(byteCount: Int) throws(PickleProblem) -> Int {
        let number = try bytes(byteCount).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard let count = Int(exactly: number) else { throw .damaged }
        return count
    }

    mutating func signed() throws(PickleProblem) -> Int {
        Int(Int32(truncatingIfNeeded: try count(byteCount: 4)))
    }

    /// A whole number of any size in two's complement, little-endian.
    mutating func long() throws(PickleProblem) -> PickleValue {
        let digits = try bytes(count(byteCount: 1))
        guard digits.count <= 8 else { return .large(Array(digits)) }
        let isNegative = (digits.last ?? 0) & 0x80 != 0
        return .integer(digits.reversed().reduce(isNegative ? -1 : 0) { $0 << 8 | Int($1) })
    }

    /// The one number that pickles have with its highest byte first.
    mutating func float() throws(PickleProblem) -> Double {
        Double(bitPattern: try bytes(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }

    mutating func text(lengthByteCount: Int) throws(PickleProblem) -> String {
        try text(bytes(count(byteCount: lengthByteCount)))
    }

    mutating func line() throws(PickleProblem) -> String {
        guard let end = rest.firstIndex(of: UInt8(ascii: "\n")) else { throw .cutShort }
        defer { rest = rest[(end + 1)...] }
        return try text(rest[..<end])
    }

    private func text(_ bytes: ArraySlice<UInt8>) throws(PickleProblem) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .damaged }
        return text
    }
}
