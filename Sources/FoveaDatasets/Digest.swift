import COpenSSL

/// A digest of bytes that come one after the other, computed by libcrypto.
///
/// It is here, where downloads are checked, and not beside the writers of files, so that programs without data sets need no
/// libcrypto: a digest in Swift would take several times as long, and large files are read for little else.
package final class Digest {
    package enum Method: String {
        case sha256 = "SHA-256"
        case md5 = "MD5"
    }

    private let context: OpaquePointer

    /// - Returns: nil when libcrypto does not have the method.
    package init?(_ method: Method) {
        guard let context = EVP_MD_CTX_new() else { return nil }
        self.context = context
        let kind =
            switch method {
            case .sha256: EVP_sha256()
            case .md5: EVP_md5()
            }
        guard EVP_DigestInit_ex(context, kind, nil) == 1 else { return nil }
    }

    deinit { EVP_MD_CTX_free(context) }

    /// - Returns: whether libcrypto took them.
    package func add(_ bytes: UnsafeRawBufferPointer) -> Bool {
        EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1
    }

    /// The digest of all bytes; to be asked for once. nil when libcrypto fails.
    package func finish() -> [UInt8]? {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        guard EVP_DigestFinal_ex(context, &digest, &length) == 1 else { return nil }
        return Array(digest.prefix(Int(length)))
    }

    /// The SHA-256 of bytes, which has 32; nil when libcrypto fails.
    package static func sha256(_ bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        guard let digest = Digest(.sha256), digest.add(bytes) else { return nil }
        return digest.finish()
    }

    /// Two lower-case digits for each byte.
    package static func hexadecimal(_ digest: [UInt8]) -> String {
        digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
