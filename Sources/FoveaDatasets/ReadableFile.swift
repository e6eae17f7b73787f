import FoveaFiles
import Glibc

/// A file that several threads read in different places.
final class ReadableFile: Sendable {
    let path: String
    /// In bytes, when it was opened.
    let size: Int
    private let descriptor: Int32

    init(_ path: String) throws(DatasetError) {
        func failure(_ action: String) -> DatasetError {
            DatasetError(.fileAccess, file: path, "cannot be \(action): \(systemErrorText())")
        }
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("opened") }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let error = failure("examined")
            close(descriptor)
            throw error
        }
        self.path = path
        self.descriptor = descriptor
        size = Int(status.st_size)
    }

    deinit { close(descriptor) }

    func bytes(at start: Int, count: Int) throws(DatasetError) -> [UInt8] {
        var code: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
            while done < count {
                let rest = UnsafeMutableRawBufferPointer(
                    rebasing: UnsafeMutableRawBufferPointer(buffer)[done..<count])
                let got = pread(descriptor, rest.baseAddress, rest.count, off_t(start + done))
                if got == 0 { break }
                if got > 0 {
                    done += got
                } else if errno != EINTR {
                    code = errno
                    break
                }
            }
        }
        guard code == 0 else {
            throw DatasetError(
                .fileAccess, file: path, "cannot be read: \(String(cString: strerror(code)))")
        }
        guard bytes.count == count else {
            throw DatasetError(
                .truncated, file: path,
                "it has become shorter while it was in use; remove the file, and it is made anew")
        }
        return bytes
    }
}
