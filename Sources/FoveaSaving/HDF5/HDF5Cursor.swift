/// Reads a part of a file from front to back. Whatever the bytes say, it stays inside.
struct HDF5Cursor {
    /// What is read, for messages.
    private let name: String
    private let bytes: ArraySlice<UInt8>
    private(set) var position: Int

    init(_ bytes: ArraySlice<UInt8>, _ name: String) {
        self.bytes = bytes
        self.name = name
        position = bytes.startIndex
    }

    var remaining: Int { bytes.endIndex - position }

    mutating func take(_ count: Int) throws(HDF5Problem) -> ArraySlice<UInt8> {
        guard 0 <= count, count <= remaining else {
            throw HDF5Problem("\(name) is damaged: it ends too early")
        }
        defer { position += count }
        return bytes[position..<position + count]
    }

    mutating func skip(_ count: Int) throws(HDF5Problem) { _ = try take(count) }

    /// Passes what fills up to a multiple of 8 bytes, counted from the beginning; at the end it may be missing.
    mutating func align() {
        position += min(remaining, (8 - (position - bytes.startIndex) % 8) % 8)
    }

    mutating func word(byteCount: Int) throws(HDF5Problem) -> UInt64 {
        try take(byteCount).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    mutating func byte() throws(HDF5Problem) -> Int { Int(try word(byteCount: 1)) }
    mutating func uint16() throws(HDF5Problem) -> Int { Int(try word(byteCount: 2)) }
    mutating func uint32() throws(HDF5Problem) -> Int { Int(try word(byteCount: 4)) }

    /// A number of bytes or elements.
    mutating func length(byteCount: Int = 8) throws(HDF5Problem) -> Int {
        guard let length = Int(exactly: try word(byteCount: byteCount)) else {
            throw HDF5Problem("\(name) is damaged: a length is more than any file has")
        }
        return length
    }

    /// A place in the file; nil for the address that stands for none.
    mutating func address() throws(HDF5Problem) -> Int? {
        let word = try word(byteCount: 8)
        guard word != .max else { return nil }
        guard let address = Int(exactly: word) else {
            throw HDF5Problem("\(name) is damaged: an address is outside the file")
        }
        return address
    }

    mutating func expect(_ signature: String) throws(HDF5Problem) {
        guard try take(signature.utf8.count).elementsEqual(signature.utf8) else {
            throw HDF5Problem("\(name) is damaged: it does not begin with '\(signature)'")
        }
    }

    /// - Parameter what: what has versions, for the message.
    mutating func expectVersion(_ versions: ClosedRange<Int>) throws(HDF5Problem) -> Int {
        let version = try byte()
        guard versions.contains(version) else {
            throw HDF5Problem("\(name) has version \(version), which Fovea does not read")
        }
        return version
    }

    /// Text up to the first NUL, which is passed; where there is none, up to the end.
    mutating func text() throws(HDF5Problem) -> String {
        let text = bytes[position...].prefix { $0 != 0 }
        position = min(text.endIndex + 1, bytes.endIndex)
        return try Self.text(text)
    }

    static func text(_ bytes: ArraySlice<UInt8>) throws(HDF5Problem) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw HDF5Problem(
                "a text is not UTF-8: \(String(decoding: bytes, as: UTF8.self).debugDescription)")
        }
        return text
    }
}
