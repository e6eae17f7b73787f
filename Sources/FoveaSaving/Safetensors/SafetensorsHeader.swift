import FoveaGraph

/// The JSON part of a safetensors file.
struct SafetensorsHeader {
    struct Entry {
        var name: String
        var type: StoredType
        var shape: Shape
        /// Where the tensor's bytes are, counted from the start of the data.
        var bytes: Range<Int>
    }

    typealias Problem = SafetensorsError.Problem

    /// In the header's own order, which need not be that of the data.
    var entries: [Entry] = []
    var metadata: [String: String] = [:]

    /// The length of the number in front of the header.
    static let prefixByteCount = 8
    /// The reference implementation reads no header longer than this.
    static let byteLimit = 100_000_000
    static let metadataName = "__metadata__"

    init(entries: [Entry], metadata: [String: String]) {
        self.entries = entries
        self.metadata = metadata
    }

    /// - Parameters:
    ///   - text: the bytes of the header without its length.
    ///   - dataByteCount: the number of bytes after the header.
    init(parsing text: ArraySlice<UInt8>, dataByteCount: Int) throws(Problem) {
        guard text.first == UInt8(ascii: "{") else { throw .headerNotObject }
        guard String(validating: text, as: UTF8.self) != nil else { throw .headerNotUTF8 }
        var scanner = HeaderScanner(text, offset: Self.prefixByteCount)
        // The results are built up outside `self`, which a closure may not capture before it is complete.
        var metadata: [String: String] = [:]
        var entries: [Entry] = []
        try scanner.object { (scanner: inout HeaderScanner, name: String) throws(Problem) in
            if name == Self.metadataName {
                metadata = try Self.parseMetadata(&scanner)
            } else {
                entries.append(try Self.parseEntry(name, &scanner))
            }
        }
        try scanner.expectEnd()
        try Self.check(entries, dataByteCount: dataByteCount)
        self.init(entries: entries, metadata: metadata)
    }

    private static func parseMetadata(_ scanner: inout HeaderScanner) throws(Problem) -> [String: String] {
        var metadata: [String: String] = [:]
        try scanner.object { (scanner: inout HeaderScanner, key: String) throws(Problem) in
            guard scanner.isAtString() else { throw .metadataNotText(key: key) }
            metadata[key] = try scanner.string()
        }
        return metadata
    }

    private static func parseEntry(_ name: String, _ scanner: inout HeaderScanner) throws(Problem) -> Entry {
        var dtypeName: String?
        var extents: [String]?
        var offsets: [String]?
        try scanner.object { (scanner: inout HeaderScanner, field: String) throws(Problem) in
            switch field {
            case "dtype": dtypeName = try scanner.string()
            case "shape": extents = try scanner.numbers()
            case "data_offsets": offsets = try scanner.numbers()
            default: throw .unknownField(tensor: name, field: field)
            }
        }
        guard let dtypeName else { throw .missingField(tensor: name, field: "dtype") }
        guard let extents else { throw .missingField(tensor: name, field: "shape") }
        guard let offsets else { throw .missingField(tensor: name, field: "data_offsets") }

        guard let type = StoredType(safetensorsName: dtypeName) else {
            throw StoredType.unsupportedSafetensorsNames.contains(dtypeName)
                ? .unsupportedDType(tensor: name, dtype: dtypeName)
                : .unknownDType(tensor: name, dtype: dtypeName)
        }
        guard let shape = shape(extents, elementByteCount: type.byteCount) else {
            throw .invalidShape(tensor: name, shape: extents)
        }
        guard offsets.count == 2, let begin = Int(offsets[0]), let end = Int(offsets[1]), 0 <= begin,
            begin <= end
        else { throw .invalidOffsets(tensor: name, offsets: offsets) }
        let expected = shape.elementCount * type.byteCount
        guard end - begin == expected else {
            throw .sizeMismatch(tensor: name, byteCount: end - begin, expected: expected)
        }
        return Entry(name: name, type: type, shape: shape, bytes: begin..<end)
    }

    /// `nil` for an extent that is no whole number from 0 up, and for more bytes than `Int` counts.
    ///
    /// Extents of 0 are passed over in the product, so that it bounds every partial product too and
    /// strides can be computed whatever the order of the extents.
    private static func shape(_ extents: [String], elementByteCount: Int) -> Shape? {
        var dimensions: [Int] = []
        var byteCount = elementByteCount
        for text in extents {
            guard let extent = Int(text), extent >= 0 else { return nil }
            let (product, overflow) = byteCount.multipliedReportingOverflow(by: max(extent, 1))
            if overflow { return nil }
            byteCount = product
            dimensions.append(extent)
        }
        return Shape(dimensions)
    }

    /// The tensors must cover the data exactly: no byte twice, none left out.
    private static func check(_ entries: [Entry], dataByteCount: Int) throws(Problem) {
        var covered = 0
        var previous = ""
        // An empty tensor comes before the one that starts at the same place.
        let inOrder = entries.sorted {
            ($0.bytes.lowerBound, $0.bytes.upperBound) < ($1.bytes.lowerBound, $1.bytes.upperBound)
        }
        for entry in inOrder {
            let (begin, end) = (entry.bytes.lowerBound, entry.bytes.upperBound)
            guard end <= dataByteCount else {
                throw .outsideData(tensor: entry.name, end: end, dataByteCount: dataByteCount)
            }
            guard begin >= covered else { throw .overlap(tensor: previous, other: entry.name) }
            guard begin == covered else { throw .hole(before: entry.name, byteCount: begin - covered) }
            covered = end
            previous = entry.name
        }
        guard covered == dataByteCount else { throw .trailingBytes(dataByteCount - covered) }
    }

    /// The header's text without its length: metadata first, keys sorted by their UTF-8 bytes, then the
    /// entries as given, padded with spaces so that the data begins at a multiple of 8 bytes.
    func encoded() -> [UInt8] {
        var members: [String] = []
        if !metadata.isEmpty {
            let sorted = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            let pairs = sorted.map { "\(jsonString($0.key)):\(jsonString($0.value))" }
            members.append("\(jsonString(Self.metadataName)):{\(pairs.joined(separator: ","))}")
        }
        for entry in entries {
            let shape = entry.shape.dimensions.map(String.init).joined(separator: ",")
            members.append(
                "\(jsonString(entry.name)):{\"dtype\":\"\(entry.type.safetensorsName)\",\"shape\":[\(shape)],"
                    + "\"data_offsets\":[\(entry.bytes.lowerBound),\(entry.bytes.upperBound)]}")
        }
        var text = Array("{\(members.joined(separator: ","))}".utf8)
        let padding = (8 - text.count % 8) % 8
        text.append(contentsOf: repeatElement(UInt8(ascii: " "), count: padding))
        return text
    }
}

/// The text as a JSON string; only what JSON demands is escaped.
private func jsonString(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\u{8}": result += "\\b"
        case "\t": result += "\\t"
        case "\n": result += "\\n"
        case "\u{C}": result += "\\f"
        case "\r": result += "\\r"
        case "\u{0}"..<" ":
            let digits = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}

extension StoredType {
    var safetensorsName: String {
        switch self {
        case .float64: "F64"
        case .float32: "F32"
        case .float16: "F16"
        case .bfloat16: "BF16"
        case .int64: "I64"
        case .int32: "I32"
        case .int16: "I16"
        case .int8: "I8"
        case .uint64: "U64"
        case .uint32: "U32"
        case .uint16: "U16"
        case .uint8: "U8"
        case .bool: "BOOL"
        }
    }

    init?(safetensorsName name: String) {
        guard let type = Self.allCases.first(where: { $0.safetensorsName == name }) else { return nil }
        self = type
    }

    /// The format's other element types.
    static let unsupportedSafetensorsNames: Set<String> = [
        "C64", "F8_E4M3", "F8_E5M2", "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "F6_E2M3", "F6_E3M2", "F4",
    ]
}
