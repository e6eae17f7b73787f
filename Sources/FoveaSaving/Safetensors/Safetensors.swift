import FoveaDatasets
import FoveaFiles
import FoveaGraph

/// Named tensors and text in the safetensors format (<https://github.com/huggingface/safetensors>).
///
/// A file is the header's length (8 bytes, little-endian), the header (JSON: element type, shape and
/// place of every tensor, and text under `__metadata__`) and the tensors' bytes, little-endian and
/// row-major. Files of other programs are read too; nothing in them is trusted.
///
/// Element types are `F32`, `BF16`, `I32`, `U8` and `BOOL`; in a `BOOL` every byte but 0 is `true`.
public struct Safetensors: Sendable {
    /// In the order of the header.
    public var tensors: [(name: String, value: TensorValue)]
    /// Text saved beside the tensors. The key `Safetensors.checksumKey` is reserved: it is checked and
    /// taken out on reading, and computed on writing.
    public var metadata: [String: String]

    /// The metadata key of the SHA-256 of all bytes after the header, in hexadecimal.
    public static let checksumKey = "fovea.data_sha256"

    public init(tensors: [(name: String, value: TensorValue)] = [], metadata: [String: String] = [:]) {
        self.tensors = tensors
        self.metadata = metadata
    }

    /// Reads a whole file's bytes.
    ///
    /// - Parameters:
    ///   - bytes: the file's content.
    ///   - file: what error messages call the file.
    /// - Throws: `SafetensorsError` for any bytes that break the format's rules, for element types Fovea
    ///   does not have, and for data that does not fit its checksum where there is one.
    public init(parsing bytes: [UInt8], file: String) throws(SafetensorsError) {
        do throws(SafetensorsError.Problem) {
            try self.init(bytes)
        } catch {
            throw SafetensorsError(file: file, problem: error)
        }
    }

    /// Reads a file.
    ///
    /// - Throws: `FileError` when the file cannot be read, else as `init(parsing:file:)`.
    public init(contentsOf path: some PathConvertible) throws {
        try self.init(parsing: AtomicFile.read(path), file: path.filePath)
    }

    /// The bytes of a file; the same for the same content, whenever they are asked for.
    ///
    /// The header lists the tensors in the given order. In the data, larger element types come first,
    /// which with a header padded to 8 bytes puts every tensor at a multiple of its element's size.
    ///
    /// - Parameter checksum: whether to put the data's SHA-256 into the metadata.
    /// - Throws: `SafetensorsError` when two tensors have one name, when one is called `__metadata__`, and
    ///   when names and metadata pass the format's limit of 100 MB.
    public func serialized(checksum: Bool = true) throws(SafetensorsError) -> [UInt8] {
        try serialized(checksum: checksum, file: "safetensors data")
    }

    /// Writes a file with a checksum, whole or not at all.
    ///
    /// - Throws: `FileError` when the file cannot be written, else as `serialized(checksum:)`.
    public func write(to path: some PathConvertible) throws {
        try AtomicFile.write(serialized(checksum: true, file: path.filePath), to: path)
    }

    /// What has been read already, in types that Fovea has.
    init(_ stored: StoredSafetensors, file: String) throws(SafetensorsError) {
        do throws(SafetensorsError.Problem) {
            try self.init(stored)
        } catch {
            throw SafetensorsError(file: file, problem: error)
        }
    }

    private init(_ bytes: [UInt8]) throws(SafetensorsError.Problem) {
        try self.init(StoredSafetensors(bytes))
    }

    private init(_ file: StoredSafetensors) throws(SafetensorsError.Problem) {
        metadata = file.metadata
        tensors = []
        for tensor in file.tensors {
            guard let dtype = tensor.type.dtype else {
                throw .unsupportedDType(tensor: tensor.name, dtype: tensor.type.safetensorsName)
            }
            let value = tensor.bytes.withUnsafeBytes {
                try? TensorValue(shape: tensor.shape, dtype: dtype, bytes: $0)
            }
            guard let value else {
                throw .invalidShape(tensor: tensor.name, shape: tensor.shape.dimensions.map(String.init))
            }
            tensors.append((tensor.name, value))
        }
    }

    private func serialized(checksum: Bool, file: String) throws(SafetensorsError) -> [UInt8] {
        do throws(SafetensorsError.Problem) {
            return try encoded(checksum: checksum)
        } catch {
            throw SafetensorsError(file: file, problem: error)
        }
    }

    private func encoded(checksum: Bool) throws(SafetensorsError.Problem) -> [UInt8] {
        var names: Set<String> = [SafetensorsHeader.metadataName]
        for (name, _) in tensors {
            guard name != SafetensorsHeader.metadataName else { throw .reservedName(name) }
            guard names.insert(name).inserted else { throw .duplicateName(name) }
        }
        var entries = tensors.map { name, value in
            SafetensorsHeader.Entry(
                name: name, type: StoredType(value.dtype), shape: value.shape, bytes: 0..<0)
        }
        var data: [UInt8] = []
        data.reserveCapacity(tensors.reduce(0) { $0 + $1.value.withUnsafeBytes(\.count) })
        for elementByteCount in Set(entries.map(\.type.byteCount)).sorted(by: >) {
            for index in entries.indices where entries[index].type.byteCount == elementByteCount {
                let begin = data.count
                tensors[index].value.withUnsafeBytes { data.append(contentsOf: $0) }
                entries[index].bytes = begin..<data.count
            }
        }
        var metadata = metadata
        metadata[Self.checksumKey] = checksum ? try Self.checksum(data[...]) : nil

        let header = SafetensorsHeader(entries: entries, metadata: metadata).encoded()
        guard header.count <= SafetensorsHeader.byteLimit else {
            throw .headerTooLong(length: UInt64(header.count), allowed: SafetensorsHeader.byteLimit)
        }
        let length = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Array($0) }
        data.insert(contentsOf: length + header, at: 0)
        return data
    }

    static func checksum(_ data: ArraySlice<UInt8>) throws(SafetensorsError.Problem) -> String {
        guard let digest = data.withUnsafeBytes(Digest.sha256) else { throw .checksumUnavailable }
        return Digest.hexadecimal(digest)
    }
}
