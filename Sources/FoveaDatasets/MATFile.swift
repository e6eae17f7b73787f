import FoveaFiles
import FoveaGraph

/// A reader for MATLAB's files of level 5, which MATLAB 5 to 7 and `scipy.io.savemat` write: numbers in arrays of any rank,
/// plain or packed with zlib, in either byte order.
///
/// Nothing in a file is trusted: sizes are checked against the file and a limit before memory is taken. Files of version 7.3
/// are HDF5 files and are not read. MathWorks, "MAT-File Format", 2023.
public enum MATFile {
    /// The most bytes of elements that are read unless told otherwise: 1 GiB.
    public static let defaultLimit = 1 << 30

    /// An array of numbers.
    public struct Array: Equatable, Sendable {
        /// The extents. The first index changes fastest in `elements`, unlike in a `TensorValue`.
        public let extents: [Int]
        public let elements: Elements
    }

    /// The numbers of an array, in the order of the file.
    public enum Elements: Equatable, Sendable {
        /// Of the class uint8.
        case bytes([UInt8])
        /// Of any other class; 64-bit integers are rounded to 53 bits.
        case numbers([Double])

        public var count: Int {
            switch self {
            case .bytes(let all): all.count
            case .numbers(let all): all.count
            }
        }
    }

    /// The arrays of a file that have the names asked for.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - names: the variables wanted; others are passed over.
    ///   - limit: the most bytes that the elements of all of them may take.
    /// - Throws: `DatasetError`, naming the file, when it is missing, unreadable, damaged, cut short, not of level 5, larger
    ///   than `limit`, has no variable of a name, or a wanted variable is no array of real numbers.
    public static func read(
        _ path: some PathConvertible, names: Set<String>, limit: Int = defaultLimit
    ) throws(DatasetError) -> [String: Array] {
        try read(UnpackedFile(path.filePath), names: names, limit: limit)
    }

    static func read(
        _ file: UnpackedFile, names: Set<String>, limit: Int
    ) throws(DatasetError) -> [String: Array] {
        let isSwapped = try readHeader(of: file)
        var found: [String: Array] = [:]
        var left = limit
        // Level 5 has no end mark: a file ends between two elements.
        while let tag = try readTag(of: file, isSwapped: isSwapped) {
            guard tag.byteCount <= file.greatestByteCount else { throw truncated(file.path) }
            let element = MATElement(file, count: tag.byteCount, isSwapped: isSwapped)
            switch tag.type {
            case MATType.matrix.rawValue:
                if let (name, array) = try element.readMatrix(names: names, limit: left) {
                    try add(name, array)
                }
            case MATType.compressed.rawValue:
                let inflater = try Inflater(.zlib, path: file.path) { (memory) throws(DatasetError) in
                    try element.readSome(into: memory)
                }
                if let (name, array) = try unpacked(inflater) { try add(name, array) }
            default: break
            }
            try element.skipRest()
            if found.count == names.count { return found }
        }
        let missing = names.subtracting(found.keys).sorted()
        guard missing.isEmpty else {
            throw DatasetError(
                .wrongFormat, file: file.path,
                "has no variable \(missing.joined(separator: ", ")); it is another file or was cut short")
        }
        return found

        func add(_ name: String, _ array: Array) throws(DatasetError) {
            guard found[name] == nil else {
                throw DatasetError(
                    .wrongFormat, file: file.path, "has two variables '\(name)'; save it again with one")
            }
            found[name] = array
            left -= array.elements.count * (array.isBytes ? 1 : 8)
        }

        /// What a packed element holds: one matrix and nothing else.
        func unpacked(_ inflater: Inflater) throws(DatasetError) -> (String, Array)? {
            let start = MATElement(inflater, path: file.path, count: 8, isSwapped: isSwapped)
            let tag = (type: try start.readUInt32(), byteCount: Int(try start.readUInt32()))
            guard tag.type == MATType.matrix.rawValue else { return nil }
            let element = MATElement(inflater, path: file.path, count: tag.byteCount, isSwapped: isSwapped)
            let result = try element.readMatrix(names: names, limit: left)
            // Of what nobody asked for, the rest need not be unpacked.
            if result != nil {
                try element.skipRest()
                try expectEnd(of: inflater)
            }
            return result
        }

        func expectEnd(of inflater: Inflater) throws(DatasetError) {
            let rest = try readingBytes(count: 1) { (memory) throws(DatasetError) in
                try inflater.read(into: memory)
            }
            guard rest.isEmpty else {
                throw DatasetError(
                    .trailingBytes, file: file.path,
                    "has data behind a packed variable; copy or download it again")
            }
        }
    }

    /// - Returns: whether the byte order is not this machine's.
    private static func readHeader(of file: UnpackedFile) throws(DatasetError) -> Bool {
        let header = try file.readBytes(count: 128)
        if header.starts(with: [0x89] + Swift.Array("HDF\r\n".utf8)) { throw isVersion73(file.path) }
        guard header.count == 128 else {
            throw DatasetError(
                header.starts(with: "MATLAB".utf8) || header.isEmpty ? .truncated : .wrongFormat,
                file: file.path,
                "has \(header.count) bytes; a MATLAB file starts with a header of 128; copy or download it again"
            )
        }
        let order = header[126...]
        let isLittle = order.elementsEqual("IM".utf8)
        guard isLittle || order.elementsEqual("MI".utf8) else {
            throw DatasetError(
                .wrongFormat, file: file.path,
                "is not a MATLAB file of level 5: its header does not tell the byte order; save it with -v7")
        }
        let version = isLittle ? header[125] : header[124]
        if version == 2 { throw isVersion73(file.path) }
        guard version == 1 else {
            throw DatasetError(
                .wrongFormat, file: file.path,
                "is a MATLAB file of the unknown version \(version); save it with -v7")
        }
        return isLittle != (1.littleEndian == 1)
    }

    private static func isVersion73(_ path: String) -> DatasetError {
        DatasetError(
            .wrongFormat, file: path,
            "is a MATLAB file of version 7.3, which is HDF5 and not read; save it with -v7")
    }

    /// The tag of the next element, or nil at the end of the file.
    private static func readTag(
        of file: UnpackedFile, isSwapped: Bool
    ) throws(DatasetError) -> (type: UInt32, byteCount: Int)? {
        let bytes = try file.readBytes(count: 8)
        if bytes.isEmpty { return nil }
        guard bytes.count == 8 else { throw truncated(file.path) }
        let words = bytes.withUnsafeBytes {
            [$0.load(as: UInt32.self), $0.load(fromByteOffset: 4, as: UInt32.self)]
        }
        .map { isSwapped ? $0.byteSwapped : $0 }
        return (words[0], Int(words[1]))
    }

    static func truncated(_ path: String) -> DatasetError {
        DatasetError(.truncated, file: path, "ends inside a variable; copy or download it again")
    }
}

extension MATFile.Array {
    var isBytes: Bool { if case .bytes = elements { true } else { false } }
}

/// How the numbers of an element are stored.
enum MATType: UInt32 {
    case int8 = 1
    case uint8, int16, uint16, int32, uint32, single
    case double = 9
    case int64 = 12
    case uint64, matrix, compressed

    /// The size of a number; nil for what holds others.
    var byteCount: Int? {
        switch self {
        case .int8, .uint8: 1
        case .int16, .uint16: 2
        case .int32, .uint32, .single: 4
        case .double, .int64, .uint64: 8
        case .matrix, .compressed: nil
        }
    }
}
