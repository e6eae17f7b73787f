import COpenSSL

package enum DataDigest {
    /// The SHA-256 of the bytes as 64 lower-case hexadecimal digits; `nil` when libcrypto fails.
    package static func sha256(_ bytes: UnsafeRawBufferPointer) -> String? {
        var digest = [UInt8](repeating: 0, count: 32)
        guard EVP_Digest(bytes.baseAddress, bytes.count, &digest, nil, EVP_sha256(), nil) == 1 else {
            return nil
        }
        let digits = Array("0123456789abcdef")
        return String(digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
