import FoveaFiles

/// One element of a MATLAB file while it is read: so many bytes of a file or of what is unpacked from it.
final class MATElement {
    private let path: String
    private let isSwapped: Bool
    private let source: Inflater.Supply
    private var remaining: Int

    init(_ file: UnpackedFile, count: Int, isSwapped: Bool) {
        path = file.path
        self.isSwapped = isSwapped
        source = file.read
        remaining = count
    }

    init(_ inflater: Inflater, path: String, count: Int, isSwapped: Bool) {
        self.path = path
        self.isSwapped = isSwapped
        source = inflater.read
        remaining = count
    }

    // MARK: - Bytes

    /// Up to as many bytes as `memory` has room for; none at the element's end.
    func readSome(into memory: UnsafeMutableRawBufferPointer) throws(DatasetError) -> Int {
        let part = UnsafeMutableRawBufferPointer(rebasing: memory.prefix(remaining))
        guard try source(part) == part.count else { throw MATFile.truncated(path) }
        remaining -= part.count
        return part.count
    }

    func skipRest() throws(DatasetError) {
        if remaining == 0 { return }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: min(remaining, 1 << 16), alignment: 16)
        defer { buffer.deallocate() }
        while remaining > 0 { _ = try readSome(into: buffer) }
    }

    private func readBytes(_ count: Int) throws(DatasetError) -> [UInt8] {
        guard count <= remaining else { throw damaged("a part is longer than the whole") }
        return try readingBytes(count: count) { (memory) throws(DatasetError) in
            try self.readSome(into: memory)
        }
    }

    func readUInt32() throws(DatasetError) -> UInt32 {
        let word = try readBytes(4).withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
        return isSwapped ? word.byteSwapped : word
    }

    // MARK: - Parts

    /// A part's type, size and, where it is four bytes at most, its data, which then lies in the tag itself.
    private struct Part {
        let type: MATType
        let byteCount: Int
        let small: [UInt8]?
    }

    private func readPart() throws(DatasetError) -> Part {
        let word = try readUInt32()
        let isSmall = word >> 16 != 0
        guard let type = MATType(rawValue: word & 0xFFFF) else {
            throw damaged("a part has the unknown type \(word & 0xFFFF)")
        }
        guard isSmall else { return Part(type: type, byteCount: Int(try readUInt32()), small: nil) }
        let count = Int(word >> 16)
        guard count <= 4 else { throw damaged("a small part claims \(count) bytes") }
        return Part(type: type, byteCount: count, small: Array(try readBytes(4).prefix(count)))
    }

    private func readData(_ part: Part) throws(DatasetError) -> [UInt8] {
        if let small = part.small { return small }
        let bytes = try readBytes(part.byteCount)
        // Parts begin at multiples of 8 bytes; the last one need not be filled up.
        _ = try readBytes(min((8 - part.byteCount % 8) % 8, remaining))
        return bytes
    }

    /// A short part of a certain type.
    private func readPart(_ type: MATType, atMost limit: Int, _ what: String) throws(DatasetError) -> [UInt8]
    {
        let part = try readPart()
        guard part.type == type, part.byteCount <= limit else { throw damaged("its \(what) cannot be read") }
        return try readData(part)
    }

    // MARK: - Matrices

    /// The name and the numbers of a matrix, or nil when its name is none of those wanted.
    ///
    /// - Parameter limit: the most bytes that the elements may take.
    func readMatrix(names: Set<String>, limit: Int) throws(DatasetError) -> (String, MATFile.Array)? {
        let flags = words(try readPart(.uint32, atMost: 8, "flags"))
        guard flags.count == 2 else { throw damaged("its flags cannot be read") }
        // Function handles and objects of later versions go on in another way.
        let kind = flags[0] & 0xFF
        guard (1...15).contains(kind) else { return nil }
        let extents = words(try readPart(.int32, atMost: 4 * 64, "extents")).map {
            Int(Int32(bitPattern: $0))
        }
        guard let name = String(validating: try readPart(.int8, atMost: 4096, "name"), as: UTF8.self) else {
            throw damaged("its name is not text")
        }
        guard names.contains(name) else { return nil }
        guard (6...15).contains(kind), flags[0] & 0x800 == 0 else {
            throw DatasetError(
                .wrongElementType, file: path,
                "the variable '\(name)' is no full array of real numbers (class \(kind)); save it as one")
        }
        let isBytes = kind == 9
        var count = 1
        for extent in extents {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard extent >= 0, !overflow, product <= limit / (isBytes ? 1 : 8) else {
                throw DatasetError(
                    .tooLarge, file: path,
                    "the variable '\(name)' claims \(extents.map(String.init).joined(separator: "×")) elements, more "
                        + "than the limit of \(limit) bytes")
            }
            count = product
        }
        guard extents.count >= 2 else { throw damaged("the variable '\(name)' has fewer than two extents") }
        let part = try readPart()
        guard let width = part.type.byteCount, part.byteCount % width == 0, part.byteCount / width == count,
            !isBytes || part.type == .uint8
        else {
            throw damaged(
                "the variable '\(name)' has \(part.byteCount) bytes of data for \(count) elements")
        }
        let data = try readData(part)
        let elements: MATFile.Elements = isBytes ? .bytes(data) : .numbers(numbers(data, of: part.type))
        return (name, MATFile.Array(extents: extents, elements: elements))
    }

    private func words(_ bytes: [UInt8]) -> [UInt32] {
        loaded(bytes, as: UInt32.self)
    }

    private func numbers(_ bytes: [UInt8], of type: MATType) -> [Double] {
        switch type {
        case .int8: bytes.map { Double(Int8(bitPattern: $0)) }
        case .uint8, .matrix, .compressed: bytes.map { Double($0) }
        case .int16: loaded(bytes, as: Int16.self).map { Double($0) }
        case .uint16: loaded(bytes, as: UInt16.self).map { Double($0) }
        case .int32: loaded(bytes, as: Int32.self).map { Double($0) }
        case .uint32: loaded(bytes, as: UInt32.self).map { Double($0) }
        case .int64: loaded(bytes, as: Int64.self).map { Double($0) }
        case .uint64: loaded(bytes, as: UInt64.self).map { Double($0) }
        case .single: loaded(bytes, as: UInt32.self).map { Double(Float(bitPattern: $0)) }
        case .double: loaded(bytes, as: UInt64.self).map { Double(bitPattern: $0) }
        }
    }

    private func loaded<Word: FixedWidthInteger>(_ bytes: [UInt8], as: Word.Type) -> [Word] {
        let width = Word.bitWidth / 8
        return bytes.withUnsafeBytes { memory in
            (0..<(memory.count / width)).map {
                let word = memory.loadUnaligned(fromByteOffset: $0 * width, as: Word.self)
                return isSwapped ? word.byteSwapped : word
            }
        }
    }

    private func damaged(_ reason: String) -> DatasetError {
        DatasetError(.wrongFormat, file: path, "is damaged: \(reason); copy or download it again")
    }
}
