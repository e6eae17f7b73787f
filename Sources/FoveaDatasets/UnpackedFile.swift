import COpenSSL
import CZlib
import Glibc

/// A regular file that is read from its beginning; a gzip file, told by its first bytes, is unpacked on the way.
struct UnpackedFile: ~Copyable {
    let path: String
    /// The size of the file on disk.
    let storedByteCount: Int
    let isGzip: Bool
    private let handle: gzFile

    /// - Throws: `DatasetError` when the file is missing, not a regular file or may not be read.
    init(_ path: String) throws(DatasetError) {
        // Opening a pipe that nobody writes to would otherwise wait for ever.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR {
                throw DatasetError(.missingFile, file: path, "there is no such file; check the path")
            }
            throw DatasetError(.fileAccess, file: path, "cannot be opened: \(systemErrorText())")
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw DatasetError(.fileAccess, file: path, "is not a regular file; give the path of a data file")
        }
        guard let handle = gzdopen(descriptor, "r") else {
            close(descriptor)
            throw DatasetError(.fileAccess, file: path, "there is not enough memory to read it")
        }
        gzbuffer(handle, 1 << 17)
        self.path = path
        self.handle = handle
        storedByteCount = Int(status.st_size)
        isGzip = gzdirect(handle) == 0
    }

    deinit { gzclose_r(handle) }

    /// No file of this size unpacks to more: deflate spends at least 2 bits on each 258 bytes.
    var greatestByteCount: Int {
        guard isGzip else { return storedByteCount }
        let (product, overflow) = storedByteCount.multipliedReportingOverflow(by: 1032)
        return overflow ? .max : product
    }

    /// Fills `memory` as far as the data goes.
    ///
    /// - Returns: The number of bytes read, less than the size of `memory` only at the end of the data.
    /// - Throws: `DatasetError` when the disk fails or the gzip stream is damaged or cut short.
    func read(into memory: UnsafeMutableRawBufferPointer) throws(DatasetError) -> Int {
        var filled = 0
        while filled < memory.count {
            let part = UnsafeMutableRawBufferPointer(rebasing: memory[filled...].prefix(1 << 30))
            let count = gzread(handle, part.baseAddress, UInt32(part.count))
            if count > 0 { filled += Int(count) }
            if count < part.count {
                try checkStream()
                break
            }
        }
        return filled
    }

    /// Up to `count` bytes, fewer only at the end of the data.
    ///
    /// The memory is not written before data for it has been read, so a false claim costs none.
    func readBytes(count: Int) throws(DatasetError) -> [UInt8] {
        var failure: DatasetError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { memory, initializedCount in
            do throws(DatasetError) {
                initializedCount = try read(into: UnsafeMutableRawBufferPointer(memory))
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    private func checkStream() throws(DatasetError) {
        var code: Int32 = Z_OK
        let text = gzerror(handle, &code).map { String(cString: $0) } ?? ""
        switch code {
        case Z_OK, Z_STREAM_END: return
        case Z_BUF_ERROR:
            throw DatasetError(
                .truncated, file: path, "the gzip file is cut short; copy or download it again")
        case Z_ERRNO:
            throw DatasetError(.fileAccess, file: path, "cannot be read: \(systemErrorText())")
        default:
            throw DatasetError(
                .corruptGzip, file: path, "the gzip file is damaged (\(text)); copy or download it again")
        }
    }
}

/// The SHA-256 of a file's data after unpacking, in lower-case hexadecimal.
///
/// - Parameter limit: The most bytes that the data may have.
/// - Throws: `DatasetError` when the file cannot be read or has more than `limit` bytes.
func unpackedSHA256(of path: String, limit: Int) throws(DatasetError) -> String {
    let file = try UnpackedFile(path)
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    let unavailable = DatasetError(.fileAccess, file: path, "libcrypto cannot compute its SHA-256")
    guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else { throw unavailable }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)
    defer { buffer.deallocate() }
    var total = 0
    while true {
        let count = try file.read(into: buffer)
        total += count
        guard total <= limit else {
            throw DatasetError(.tooLarge, file: path, "holds more than the expected \(limit) bytes")
        }
        guard EVP_DigestUpdate(context, buffer.baseAddress, count) == 1 else { throw unavailable }
        if count < buffer.count { break }
    }
    var digest = [UInt8](repeating: 0, count: 32)
    guard EVP_DigestFinal_ex(context, &digest, nil) == 1 else { throw unavailable }
    return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

/// What the last failed system call says.
func systemErrorText() -> String { String(cString: strerror(errno)) }
