import FoveaFiles

/// A published checksum, in lower-case hexadecimal.
public enum Checksum: Hashable, Sendable, CustomStringConvertible {
    case sha256(String)
    /// Finds damage, but no forgery; for publishers that give nothing else.
    case md5(String)
    /// The first digits of SHA-256, as names of files have them.
    case sha256Prefix(String)

    /// The name of the method.
    var method: String {
        switch self {
        case .sha256: "SHA-256"
        case .md5: "MD5"
        case .sha256Prefix(let digits): "SHA-256 (first \(digits.count) digits)"
        }
    }

    /// The hexadecimal digits.
    public var digits: String {
        switch self {
        case .sha256(let digits), .md5(let digits), .sha256Prefix(let digits): digits
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
        guard let digest = Digest(digestMethod) else { throw unavailable }
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
        return alike(Digest.hexadecimal(bytes))
    }

    private var digestMethod: Digest.Method {
        switch self {
        case .sha256, .sha256Prefix: .sha256
        case .md5: .md5
        }
    }

    /// A checksum of this kind with other digits, of which it takes as many as this has.
    private func alike(_ digits: String) -> Checksum {
        switch self {
        case .sha256: .sha256(digits)
        case .md5: .md5(digits)
        case .sha256Prefix(let own): .sha256Prefix(String(digits.prefix(own.count)))
        }
    }

    /// The checksum of bytes by the same method; nil when libcrypto cannot compute it.
    package func ofBytes(_ bytes: [UInt8]) -> Checksum? {
        guard let digest = Digest(digestMethod), bytes.withUnsafeBytes(digest.add) else { return nil }
        return digest.finish().map { alike(Digest.hexadecimal($0)) }
    }
}
