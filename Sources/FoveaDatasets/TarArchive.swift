import FoveaFiles

/// Reads the regular files of a tar archive, packed with gzip or not, one after the other: the old format, POSIX.1-1988
/// (ustar) and POSIX.1-2001 (pax), and GNU's long names and large sizes.
///
/// Nothing is written, and nothing in the archive is trusted. Refused are names that lead out of the archive's folder, links
/// and devices, checksums that are wrong, an archive without its end, and more data than the limits allow, so that one which
/// unpacks without end is given up.
struct TarArchive {
    struct Limits {
        /// The most members, directories and headers included.
        var memberCount = 10_000
        /// The most bytes of one file.
        var fileByteCount = 1 << 30
        /// The most bytes of the archive after unpacking.
        var byteCount = 4 << 30
    }

    struct Member: Equatable {
        /// The path in the archive, without `.` and doubled slashes.
        let name: String
        /// Where its data begins, after unpacking.
        let offset: Int
        let byteCount: Int
    }

    private let file: UnpackedFile
    private let limits: Limits
    private var memberCount = 0
    private var bytesRead = 0
    /// What is left of the present member: its data, and the zeros up to the next block.
    private var remaining = 0
    private var padding = 0

    init(_ file: UnpackedFile, limits: Limits = Limits()) {
        self.file = file
        self.limits = limits
    }

    /// Goes to the next regular file; what is left of the present one is passed over.
    ///
    /// - Returns: nil at the end of the archive.
    /// - Throws: `DatasetError`, naming the archive, when it is damaged or unsafe or exceeds a limit.
    mutating func next() throws(DatasetError) -> Member? {
        var extended = Extended()
        while true {
            try skip(remaining + padding)
            (remaining, padding) = (0, 0)
            let block = try readBlock()
            if block.allSatisfy({ $0 == 0 }) {
                guard extended.isEmpty else { throw wrongFormat("a header belongs to no file") }
                try readEnd()
                return nil
            }
            memberCount += 1
            guard memberCount <= limits.memberCount else {
                throw DatasetError(
                    .tooLarge, file: file.path,
                    "holds more than \(limits.memberCount) members; \(fromPublisher)")
            }
            let header = try header(block)
            switch header.kind {
            case UInt8(ascii: "x"), UInt8(ascii: "g"), UInt8(ascii: "L"): remaining = header.size
            // A directory's size is a hint; no data follows.
            case UInt8(ascii: "5"): remaining = 0
            default: remaining = extended.size ?? header.size
            }
            padding = (512 - remaining % 512) % 512
            switch header.kind {
            case UInt8(ascii: "x"):
                try extended.apply(records: readHeaderData("pax header"), file: file.path)
            case UInt8(ascii: "g"):
                // Nothing that holds for all files changes how they are read.
                _ = try readHeaderData("pax header")
            case UInt8(ascii: "L"):
                extended.name = try text(readHeaderData("long name").prefix { $0 != 0 }, "long name")
            case UInt8(ascii: "0"), 0, UInt8(ascii: "7"):
                let name = try safeName(extended.name ?? header.name)
                // Before POSIX a slash at the end of the name made a directory.
                if name.isEmpty || (extended.name ?? header.name).hasSuffix("/") {
                    extended = Extended()
                    continue
                }
                guard remaining <= limits.fileByteCount else {
                    throw DatasetError(
                        .tooLarge, file: file.path,
                        "'\(name)' has \(remaining) bytes, more than the limit of \(limits.fileByteCount); "
                            + fromPublisher
                    )
                }
                return Member(name: name, offset: bytesRead, byteCount: remaining)
            case UInt8(ascii: "5"):
                _ = try safeName(extended.name ?? header.name)
                extended = Extended()
            default:
                throw wrongFormat(
                    "'\(extended.name ?? header.name)' is a link, a device or of another kind that data sets have no "
                        + "use for", hint: fromPublisher)
            }
        }
    }

    /// The data of the file that `next` came to, or what is left of it.
    mutating func contents() throws(DatasetError) -> [UInt8] {
        let bytes = try readData(remaining)
        remaining = 0
        return bytes
    }

    // MARK: - Blocks

    private mutating func readBlock() throws(DatasetError) -> [UInt8] { try readData(512) }

    private mutating func readData(_ count: Int) throws(DatasetError) -> [UInt8] {
        try add(count)
        let bytes = try file.readBytes(count: count)
        guard bytes.count == count else { throw truncated() }
        return bytes
    }

    private mutating func skip(_ count: Int) throws(DatasetError) {
        guard file.isGzip else {
            try add(count)
            return file.skip(count)
        }
        var left = count
        while left > 0 {
            let part = min(left, 1 << 16)
            _ = try readData(part)
            left -= part
        }
    }

    /// Counts the bytes about to be read. The size of the file tells claims beyond it before memory is taken.
    private mutating func add(_ count: Int) throws(DatasetError) {
        bytesRead += count
        guard bytesRead <= limits.byteCount else { throw tooLarge() }
        guard bytesRead <= file.greatestByteCount else { throw truncated() }
    }

    /// Two blocks of zeros end an archive; only zeros may follow, which fill up the last record.
    private mutating func readEnd() throws(DatasetError) {
        guard try readBlock().allSatisfy({ $0 == 0 }) else {
            throw wrongFormat("a block of zeros is followed by data")
        }
        while true {
            let bytes = try file.readBytes(count: 1 << 16)
            guard bytes.allSatisfy({ $0 == 0 }) else { throw wrongFormat("data follows its end") }
            if bytes.count < 1 << 16 { return }
            bytesRead += bytes.count
            guard bytesRead <= limits.byteCount else { throw tooLarge() }
        }
    }

    /// The data of a header that describes the next file.
    private mutating func readHeaderData(_ what: String) throws(DatasetError) -> [UInt8] {
        guard remaining <= 1 << 16 else {
            throw DatasetError(
                .tooLarge, file: file.path, "a \(what) has \(remaining) bytes; \(fromPublisher)")
        }
        return try contents()
    }

    // MARK: - Headers

    private struct Header {
        var name: String
        var size: Int
        var kind: UInt8
    }

    private func header(_ block: [UInt8]) throws(DatasetError) -> Header {
        var sum = 0
        for (place, byte) in block.enumerated() { sum += (148..<156).contains(place) ? 32 : Int(byte) }
        guard try number(block[148..<156], "checksum") == sum else {
            throw wrongFormat(
                memberCount == 1
                    ? "is not a tar archive, or its first block is damaged"
                    : "the header of member \(memberCount) is damaged: its checksum is wrong")
        }
        var name = try text(block[0..<100].prefix { $0 != 0 }, "name")
        // POSIX's form; GNU's has other fields where the prefix would be.
        if block[257..<263].elementsEqual("ustar\0".utf8) {
            let prefix = try text(block[345..<500].prefix { $0 != 0 }, "name")
            if !prefix.isEmpty { name = prefix + "/" + name }
        }
        return Header(name: name, size: try number(block[124..<136], "size"), kind: block[156])
    }

    /// A number in octal digits, or, with the first bit set, in binary.
    private func number(_ field: ArraySlice<UInt8>, _ what: String) throws(DatasetError) -> Int {
        if let first = field.first, first >= 0x80 {
            var value = Int(first & 0x7F)
            for byte in field.dropFirst() {
                guard value < 1 << 47 else { throw wrongFormat("a header has an impossible \(what)") }
                value = value << 8 | Int(byte)
            }
            return value
        }
        let digits = field.drop { $0 == 32 }.prefix { $0 != 0 && $0 != 32 }
        let rest = field[digits.endIndex...]
        guard digits.allSatisfy({ (48..<56).contains($0) }), rest.allSatisfy({ $0 == 0 || $0 == 32 }) else {
            throw wrongFormat("a header has no readable \(what)")
        }
        return digits.reduce(0) { $0 << 3 | Int($1 - 48) }
    }

    private func text(_ bytes: ArraySlice<UInt8>, _ what: String) throws(DatasetError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self), !bytes.contains(0) else {
            throw wrongFormat("a header has a \(what) that is not UTF-8")
        }
        return text
    }

    /// The name as a path below the archive's folder.
    private func safeName(_ name: String) throws(DatasetError) -> String {
        let parts = name.split(separator: "/").filter { $0 != "." }
        guard !name.hasPrefix("/"), !parts.contains("..") else {
            throw wrongFormat(
                "'\(name)' leads out of the archive's folder", hint: "such an archive is not to be trusted")
        }
        return parts.joined(separator: "/")
    }

    private func wrongFormat(_ reason: String, hint: String = "copy or download it again") -> DatasetError {
        DatasetError(.wrongFormat, file: file.path, "\(reason); \(hint)")
    }

    private func tooLarge() -> DatasetError {
        DatasetError(
            .tooLarge, file: file.path,
            "unpacks to more than the limit of \(limits.byteCount) bytes; \(fromPublisher)")
    }

    private func truncated() -> DatasetError {
        DatasetError(.truncated, file: file.path, "ends before its last file does; copy or download it again")
    }
}

private let fromPublisher = "get the archive from its publisher"

/// What special headers say of the file after them.
private struct Extended {
    var name: String?
    var size: Int?

    var isEmpty: Bool { name == nil && size == nil }

    /// Takes what matters from records of the form `length key=value\n`.
    mutating func apply(records: [UInt8], file: String) throws(DatasetError) {
        let damaged = DatasetError(
            .wrongFormat, file: file, "a pax header is damaged; copy or download it again")
        var rest = records[...]
        while !rest.isEmpty {
            let digits = rest.prefix { (48..<58).contains($0) }
            guard (1...6).contains(digits.count), let length = Int(String(decoding: digits, as: UTF8.self)),
                length > digits.count + 2, length <= rest.count
            else { throw damaged }
            let record = rest.prefix(length)
            rest = rest.dropFirst(length)
            let body = record.dropFirst(digits.count + 1).dropLast()
            guard record[digits.endIndex] == 32, record.last == 10, let equals = body.firstIndex(of: 61),
                let key = String(validating: body[..<equals], as: UTF8.self)
            else { throw damaged }
            let value = body[(equals + 1)...]
            switch key {
            case "path":
                guard let text = String(validating: value, as: UTF8.self), !value.contains(0) else {
                    throw damaged
                }
                name = text
            case "size":
                guard value.count <= 15, let number = Int(String(decoding: value, as: UTF8.self)), number >= 0
                else { throw damaged }
                size = number
            default:
                // GNU's sparse files have holes, which would have to be filled.
                if key.hasPrefix("GNU.sparse") {
                    throw DatasetError(
                        .wrongFormat, file: file, "holds sparse files, which are not read; \(fromPublisher)")
                }
            }
        }
    }
}
