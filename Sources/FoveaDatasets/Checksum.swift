import FoveaFiles

/// A published checksum, in lower-case hexadecimal.
public enum Checksum: Hashable, Sendable, CustomStringConvertible {
    case sha256(String)
    /// Finds damage, but no forgery; for publishers that give nothing else.
    case md5(String)

    /// The name of the method.
    var method: String {
        switch self {
        case .sha256: "SHA-256"
        case .md5: "MD5"
        }
    }

    /// The hexadecimal digits.
    public var digits: String {
        switch self {
        case .sha256(let digits), .md5(let digits): digits
        }
    }

    public var description: String { "\(method) \(digits)" }

    /// The checksum of a file by the same method.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - unpacking: Whether the data counts that a gzip file unpacks to, rather than the file as it is.
    ///   - limit: The most bytes that the data may have.
    /// - Throws: `DatasetError` when the file cannot be read or has more than `limit` bytes.
    func ofFile(_ path: String, unpacking: Bool, limit: Int) throws(DatasetError) -> Checksum {
        let source = try ByteSource(path)
        if !unpacking { return try ofBytes(path, limit: limit, source.read) }
        return try ofBytes(path, limit: limit, UnpackedFile(source).read)
    }

    private func ofBytes(
        _ path: String, limit: Int, _ read: (UnsafeMutableRawBufferPointer) throws(DatasetError) -> Int
    ) throws(DatasetError) -> Checksum {
        let unavailable = DatasetError(.fileAccess, file: path, "libcrypto cannot compute its \(method)")
        let kind: Digest.Method =
            switch self {
            case .sha256: .sha256
            case .md5: .md5
            }
        guard let digest = Digest(kind) else { throw unavailable }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)
        defer { buffer.deallocate() }
        var total = 0
        while true {
            let count = try read(buffer)
            total += count
            guard total <= limit else {
                throw DatasetError(.tooLarge, file: path, "holds more than the expected \(limit) bytes")
            }
            guard digest.add(UnsafeRawBufferPointer(rebasing: buffer[..<count])) else { throw unavailable }
            if count < buffer.count { break }
        }
        guard let bytes = digest.finish() else { throw unavailable }
        let digits = Digest.hexadecimal(bytes)
        switch self {
        case .sha256: return .sha256(digits)
        case .md5: return .md5(digits)
        }
    }
}
