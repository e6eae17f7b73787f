import COpenSSL
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
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        let unavailable = DatasetError(.fileAccess, file: path, "libcrypto cannot compute its \(method)")
        let kind =
            switch self {
            case .sha256: EVP_sha256()
            case .md5: EVP_md5()
            }
        guard EVP_DigestInit_ex(context, kind, nil) == 1 else { throw unavailable }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)
        defer { buffer.deallocate() }
        var total = 0
        while true {
            let count = try read(buffer)
            total += count
            guard total <= limit else {
                throw DatasetError(.tooLarge, file: path, "holds more than the expected \(limit) bytes")
            }
            guard EVP_DigestUpdate(context, buffer.baseAddress, count) == 1 else { throw unavailable }
            if count < buffer.count { break }
        }
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        guard EVP_DigestFinal_ex(context, &digest, &length) == 1 else { throw unavailable }
        let digits = digest.prefix(Int(length)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        switch self {
        case .sha256: return .sha256(digits)
        case .md5: return .md5(digits)
        }
    }
}
