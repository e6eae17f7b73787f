/// What the elements of a dataset or an attribute are.
enum HDF5Datatype: Hashable {
    case number(StoredType)
    /// Bytes that only their writer knows.
    case opaque(byteCount: Int)
    case text(byteCount: Int, isSpacePadded: Bool)
    /// Text of any length, kept in the global heap.
    case heapText

    /// What an element takes where it is stored.
    var byteCount: Int {
        switch self {
        case .number(let type): type.byteCount
        case .opaque(let byteCount), .text(let byteCount, _): byteCount
        case .heapText: Self.heapReferenceByteCount
        }
    }

    /// A length (4), the address of a collection (8) and the number of an object in it (4).
    static let heapReferenceByteCount = 16

    static let refusedClasses = [
        2: "times", 4: "bit fields", 6: "compounds", 7: "references", 10: "arrays as elements",
        11: "complex numbers",
    ]
}

/// The numbers that HDF5 describes a floating-point type with.
struct HDF5FloatFormat: Hashable {
    let byteCount: Int
    let exponentLocation: Int
    let exponentSize: Int
    let bias: Int

    init(_ byteCount: Int, exponentLocation: Int, exponentSize: Int, bias: Int) {
        self.byteCount = byteCount
        self.exponentLocation = exponentLocation
        self.exponentSize = exponentSize
        self.bias = bias
    }

    static let all: [(type: StoredType, format: HDF5FloatFormat)] = [
        (.float16, HDF5FloatFormat(2, exponentLocation: 10, exponentSize: 5, bias: 15)),
        (.bfloat16, HDF5FloatFormat(2, exponentLocation: 7, exponentSize: 8, bias: 127)),
        (.float32, HDF5FloatFormat(4, exponentLocation: 23, exponentSize: 8, bias: 127)),
        (.float64, HDF5FloatFormat(8, exponentLocation: 52, exponentSize: 11, bias: 1023)),
    ]
}

extension HDF5Datatype {
    init(_ cursor: inout HDF5Cursor) throws(HDF5Problem) {
        let head = try cursor.byte()
        let (version, type) = (head >> 4, head & 15)
        guard (1...5).contains(version) else {
            throw HDF5Problem("a data type has version \(version), which Fovea does not read")
        }
        let bits = try cursor.length(byteCount: 3)
        let byteCount = try cursor.uint32()
        guard byteCount > 0 else { throw HDF5Problem("a data type is damaged: its elements have no bytes") }
        switch type {
        case 0: self = .number(try Self.integer(&cursor, bits: bits, byteCount: byteCount))
        case 1: self = .number(try Self.float(&cursor, bits: bits, byteCount: byteCount))
        case 3: self = .text(byteCount: byteCount, isSpacePadded: bits & 15 == 2)
        case 5: self = .opaque(byteCount: byteCount)
        case 8: self = .number(try Self.bool(&cursor, version: version, memberCount: bits & 0xFFFF))
        case 9:
            guard bits & 15 == 1, byteCount == Self.heapReferenceByteCount else {
                throw HDF5Problem("it has sequences of varying length, which Fovea does not read")
            }
            self = .heapText
        default:
            let name = Self.refusedClasses[type] ?? "elements of the unknown class \(type)"
            throw HDF5Problem("it has \(name), which Fovea does not read: only numbers and texts")
        }
    }

    private static func integer(
        _ cursor: inout HDF5Cursor, bits: Int, byteCount: Int
    ) throws(HDF5Problem) -> StoredType {
        let (offset, precision) = (try cursor.uint16(), try cursor.uint16())
        try requireLittleEndian(bits & 1 == 0)
        let types: [StoredType] =
            bits & 8 != 0 ? [.int8, .int16, .int32, .int64] : [.uint8, .uint16, .uint32, .uint64]
        guard offset == 0, precision == 8 * byteCount,
            let type = types.first(where: { $0.byteCount == byteCount })
        else {
            throw HDF5Problem(
                "it has integers of \(precision) bits in \(byteCount) bytes, which Fovea does not read")
        }
        return type
    }

    private static func float(
        _ cursor: inout HDF5Cursor, bits: Int, byteCount: Int
    ) throws(HDF5Problem) -> StoredType {
        let (offset, precision) = (try cursor.uint16(), try cursor.uint16())
        let exponentLocation = try cursor.byte()
        let exponentSize = try cursor.byte()
        let (mantissaLocation, mantissaSize) = (try cursor.byte(), try cursor.byte())
        let format = HDF5FloatFormat(
            byteCount, exponentLocation: exponentLocation, exponentSize: exponentSize,
            bias: try cursor.uint32())
        try requireLittleEndian(bits & 0x41 == 0)
        guard offset == 0, precision == 8 * byteCount, mantissaLocation == 0,
            mantissaSize == exponentLocation,
            bits & 0x30 == 0x20, bits >> 8 & 0xFF == precision - 1,
            let type = HDF5FloatFormat.all.first(where: { $0.format == format })?.type
        else {
            throw HDF5Problem(
                "it has floating-point numbers of \(precision) bits that are none of IEEE's or bfloat16")
        }
        return type
    }

    /// h5py keeps truth values as an enumeration of int8.
    private static func bool(
        _ cursor: inout HDF5Cursor, version: Int, memberCount: Int
    ) throws(HDF5Problem) -> StoredType {
        let problem = HDF5Problem(
            "it has an enumeration other than FALSE and TRUE, which Fovea does not read")
        guard memberCount == 2, try cursor.byte() & 15 == 0 else { throw problem }
        try cursor.skip(3)
        guard try cursor.uint32() == 1 else { throw problem }
        try cursor.skip(4)
        for name in ["FALSE", "TRUE"] {
            guard try cursor.text() == name else { throw problem }
            // Older versions fill names up to 8 bytes, in which both fit.
            if version < 3 { try cursor.skip(8 - name.utf8.count - 1) }
        }
        guard try cursor.take(2).elementsEqual([0, 1]) else { throw problem }
        return .bool
    }

    private static func requireLittleEndian(_ isLittleEndian: Bool) throws(HDF5Problem) {
        guard isLittleEndian else {
            throw HDF5Problem(
                "its numbers are big-endian, which Fovea does not read; write them from NumPy with a type such as '<f4'"
            )
        }
    }
}
