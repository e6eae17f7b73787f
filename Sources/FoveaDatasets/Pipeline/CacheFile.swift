import CZlib
import FoveaFiles
import FoveaGraph
import Glibc

/// Examples in a file.
///
/// A header of 64 bytes, the examples (`ExampleCoding`, or 8 bytes of 255 and what the error says with which the example could
/// not be computed), and a table: where each example begins and the last one ends, 8 bytes each, and the CRC-32 of each example, 4 bytes each. The header has `FOVEADS1`, the number of examples and the place
/// of the table, 8 bytes each, 32 bytes that say what the examples are made of, the CRC-32 of all this and of the table,
/// and four zeros. Numbers begin with their low byte; the elements of tensors are in the machine's byte order.
final class CacheFile: Sendable {
    static let magic = Array("FOVEADS1".utf8)
    static let headerSize = 64
    /// Larger ones are neither written nor read, so that a damaged file cannot ask for all memory.
    static let exampleLimit = 1 << 30
    /// What stands for an error begins with this, which no example does.
    static let errorMark = UInt64.max

    private let file: ReadableFile
    private let offsets: [UInt64]
    private let checksums: [UInt32]

    /// Opens the file and checks that it is whole, as far as its size and its table tell.
    ///
    /// - Throws: `DatasetError`, also when it is of other data.
    init(_ path: String, identity: [UInt8], count: Int) throws(DatasetError) {
        file = try ReadableFile(path)
        let size = file.size
        func damaged(_ kind: DatasetError.Kind, _ problem: String) -> DatasetError {
            DatasetError(kind, file: path, "\(problem); remove the file, and it is made anew")
        }
        guard size >= Self.headerSize else { throw damaged(.truncated, "it ends within its header") }
        let header = try file.bytes(at: 0, count: Self.headerSize)
        guard Array(header[..<8]) == Self.magic else {
            throw DatasetError(
                .wrongFormat, file: path,
                "it is no file of cached examples; give another name, or remove it if it is not needed")
        }
        guard Array(header[24..<56]) == identity else {
            throw DatasetError(
                .wrongFormat, file: path,
                "its examples were made of something else, or in another way; give another name, or remove it"
            )
        }
        let tableStart = header.number(at: 16)
        guard header.number(at: 8) == UInt64(count) else {
            throw damaged(.wrongFormat, "it has \(header.number(at: 8)) examples, not \(count)")
        }
        let tableSize = 8 * (count + 1) + 4 * count
        guard tableStart >= UInt64(Self.headerSize), tableStart <= UInt64(Int.max - tableSize) else {
            throw damaged(.wrongFormat, "its table cannot be where it says")
        }
        guard size >= Int(tableStart) + tableSize else { throw damaged(.truncated, "it is not complete") }
        guard size == Int(tableStart) + tableSize else { throw damaged(.trailingBytes, "it is too long") }
        let table = try file.bytes(at: Int(tableStart), count: tableSize)
        guard
            header[56..<60].elementsEqual(bytes(of: crc(table, after: crc(Array(header[..<56])))))
                && header[60...].allSatisfy({ $0 == 0 })
        else { throw damaged(.wrongChecksum, "its header or table is damaged") }
        offsets = (0...count).map { table.number(at: 8 * $0) }
        checksums = (0..<count).map { place in
            let start = 8 * (count + 1) + 4 * place
            return table[start..<(start + 4)].reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
        guard offsets[0] == UInt64(Self.headerSize), offsets[count] == tableStart,
            zip(offsets, offsets.dropFirst()).allSatisfy({
                $0 <= $1 && $1 - $0 <= UInt64(Self.exampleLimit)
            })
        else { throw damaged(.wrongFormat, "the parts of its table contradict each other") }
    }

    /// - Throws: `DatasetError` when this part of the file cannot be read or is damaged, or stands for an error.
    func example(at index: Int) throws(DatasetError) -> Example {
        let start = Int(offsets[index])
        let bytes = try file.bytes(at: start, count: Int(offsets[index + 1]) - start)
        let isWhole = crc(bytes) == checksums[index]
        if isWhole, bytes.count >= 8, bytes.number(at: 0) == Self.errorMark {
            throw DatasetError(.wrongFormat, String(decoding: bytes[8...], as: UTF8.self))
        }
        guard isWhole, let example = ExampleCoding.example(bytes) else {
            throw DatasetError(
                .wrongChecksum, file: file.path,
                "example \(index) is damaged; remove the file, and it is made anew")
        }
        return example
    }

    /// Whether there is something under this name.
    ///
    /// - Throws: `DatasetError` when that is no ordinary file.
    static func exists(_ path: String) throws(DatasetError) -> Bool {
        guard !path.utf8.contains(0) else {
            throw DatasetError(.invalidArgument, file: path, "a name of a file may not contain a zero byte")
        }
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT { return false }
            throw DatasetError(.fileAccess, file: path, "cannot be examined: \(systemErrorText())")
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw DatasetError(.fileAccess, file: path, "is no ordinary file, which a cache has to be")
        }
        return true
    }

    /// What the examples are made of, in 32 bytes: SHA-256.
    static func identity(fingerprint: String, description: String) throws(DatasetError) -> [UInt8] {
        let text = Array("\(description.utf8.count) \(description)\(fingerprint)".utf8)
        guard let digest = text.withUnsafeBytes(Digest.sha256) else {
            throw DatasetError(.fileAccess, "libcrypto cannot compute the SHA-256 of a fingerprint")
        }
        return digest
    }
}

/// Writes a `CacheFile` under its name with `.partial` behind, which becomes the final one when all is written. The file is
/// locked against others that write the same one, and takes the place of what a process left there that was killed.
final class CacheFileWriter {
    private let path: String
    private let temporary: String
    private let descriptor: Int32
    private var offsets: [UInt64] = [UInt64(CacheFile.headerSize)]
    private var checksums: [UInt32] = []
    private var isFinished = false

    /// Waits until nobody else is writing the file.
    ///
    /// - Returns: nil when it has been completed while waiting.
    init?(_ path: String) throws(DatasetError) {
        self.path = path
        temporary = path + ".partial"
        descriptor = try Self.locked(temporary)
        if try CacheFile.exists(path) { return nil }
        guard ftruncate(descriptor, 0) == 0 else { throw failure("emptied") }
        // Tells that what may be left is no foreign file.
        try write(
            CacheFile.magic + [UInt8](repeating: 0, count: CacheFile.headerSize - CacheFile.magic.count),
            at: 0)
    }

    /// While the lock is held, so that nobody else has begun to write under this name.
    deinit {
        if !isFinished { unlink(temporary) }
        close(descriptor)
    }

    /// Opens a file of this name that nobody else has locked.
    private static func locked(_ path: String) throws(DatasetError) -> Int32 {
        while true {
            let descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o666)
            guard descriptor >= 0 else {
                throw DatasetError(.fileAccess, file: path, "cannot be created: \(systemErrorText())")
            }
            // The lock is gone with the descriptor, also when the process is killed.
            // A file system without locks is used without.
            while flock(descriptor, LOCK_EX) != 0, errno == EINTR {}
            var own = stat()
            guard fstat(descriptor, &own) == 0, leads(path, to: descriptor) else {
                // Who had the lock has renamed or removed the file.
                close(descriptor)
                continue
            }
            var start = [UInt8](repeating: 0, count: CacheFile.magic.count)
            let count = pread(descriptor, &start, start.count, 0)
            guard own.st_mode & S_IFMT == S_IFREG, count >= 0, CacheFile.magic.starts(with: start[..<count])
            else {
                close(descriptor)
                throw DatasetError(
                    .wrongFormat, file: path,
                    "is in the way: while a cache is written it has this name; give another name, or remove this file"
                )
            }
            return descriptor
        }
    }

    func append(_ example: Result<Example, any Error>) throws(DatasetError) {
        let bytes =
            switch example {
            case .success(let example): ExampleCoding.bytes(example)
            case .failure(let error): bytes(of: CacheFile.errorMark) + Array("\(error)".utf8)
            }
        guard bytes.count <= CacheFile.exampleLimit else {
            throw DatasetError(
                .tooLarge, file: path,
                "example \(checksums.count) has \(bytes.count) bytes, more than \(CacheFile.exampleLimit)")
        }
        let start = offsets[offsets.count - 1]
        try write(bytes, at: start)
        offsets.append(start + UInt64(bytes.count))
        checksums.append(crc(bytes))
    }

    func finish(_ identity: [UInt8]) throws(DatasetError) {
        let end = offsets[offsets.count - 1]
        let table = offsets.flatMap(bytes(of:)) + checksums.flatMap(bytes(of:))
        let header =
            CacheFile.magic + bytes(of: UInt64(checksums.count)) + bytes(of: end) + identity
        try write(table, at: end)
        try write(header + bytes(of: crc(table, after: crc(header))), at: 0)
        guard fsync(descriptor) == 0 else { throw failure("written") }
        // Whether the new name lasts as well is left to the file system; some cannot say.
        let code = renameLastingly(temporary, to: path).renaming
        guard code == 0 else { throw failure("renamed", code) }
        isFinished = true
    }

    private func write(_ bytes: [UInt8], at start: UInt64) throws(DatasetError) {
        let code = writeAll(bytes) { rest, place in
            pwrite(descriptor, rest.baseAddress, rest.count, off_t(start) + place)
        }
        guard code == 0 else { throw failure("written", code) }
    }

    private func failure(_ action: String, _ code: Int32 = errno) -> DatasetError {
        DatasetError(.fileAccess, file: path, "cannot be \(action): \(systemErrorText(code))")
    }
}

/// The CRC-32 of bytes, or of what has that CRC-32 and then these bytes.
private func crc(_ bytes: [UInt8], after start: UInt32 = 0) -> UInt32 {
    bytes.withUnsafeBufferPointer { UInt32(crc32_z(UInt(start), $0.baseAddress, $0.count)) }
}

/// The lowest byte first.
private func bytes(of number: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: number.littleEndian, Array.init)
}

extension [UInt8] {
    /// The number in 8 bytes that exist.
    fileprivate func number(at start: Int) -> UInt64 {
        self[start..<(start + 8)].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// An example in bytes: the numbers of inputs and targets, 1 when there is a weight and 2 more when the target is the input,
/// the weight's bits; then each tensor: its type, rank and extents, and its elements. Numbers take 8 bytes.
enum ExampleCoding {
    private static let types: [DType] = [.float32, .bfloat16, .int32, .uint8, .bool]

    static func bytes(_ example: Example) -> [UInt8] {
        var all: [UInt8] = []
        func add(_ number: Int) { all += FoveaDatasets.bytes(of: UInt64(number)) }
        add(example.inputs.count)
        add(example.targets.count)
        add((example.weight == nil ? 0 : 1) + (example.targetIsInput ? 2 : 0))
        add(Int(example.weight?.bitPattern ?? 0))
        for value in example.inputs + example.targets {
            add(types.firstIndex(of: value.dtype) ?? types.count)
            add(value.shape.rank)
            for extent in value.shape.dimensions { add(extent) }
            value.withUnsafeBytes { all += $0 }
        }
        return all
    }

    /// Nil when the bytes are none of `bytes(_:)`.
    static func example(_ bytes: [UInt8]) -> Example? {
        var rest = bytes[...]
        func number(below limit: Int) -> Int? {
            guard rest.count >= 8 else { return nil }
            let number = rest.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            rest = rest.dropFirst(8)
            return number < UInt64(limit) ? Int(number) : nil
        }
        func tensors(_ count: Int) -> [TensorValue]? {
            var values: [TensorValue] = []
            for _ in 0..<count {
                guard let type = number(below: types.count), let rank = number(below: rest.count) else {
                    return nil
                }
                var (dimensions, size) = ([Int](), types[type].byteCount)
                for _ in 0..<rank {
                    guard let extent = number(below: Int.max) else { return nil }
                    let (product, overflow) = size.multipliedReportingOverflow(by: extent)
                    if overflow { return nil }
                    size = product
                    dimensions.append(extent)
                }
                guard rest.count >= size,
                    let value = rest.prefix(size).withUnsafeBytes({
                        try? TensorValue(shape: Shape(dimensions), dtype: types[type], bytes: $0)
                    })
                else { return nil }
                rest = rest.dropFirst(size)
                values.append(value)
            }
            return values
        }
        guard let inputCount = number(below: bytes.count), let targetCount = number(below: bytes.count),
            let flags = number(below: 4), let weight = number(below: 1 << 32),
            let inputs = tensors(inputCount), let targets = tensors(targetCount), rest.isEmpty
        else { return nil }
        return Example(
            inputs: inputs, targets: targets,
            weight: flags & 1 == 1 ? Float(bitPattern: UInt32(weight)) : nil, targetIsInput: flags & 2 == 2)
    }
}
