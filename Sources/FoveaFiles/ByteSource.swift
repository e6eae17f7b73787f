import Glibc

/// The bytes of a regular file, or of memory in its place, from the first to the last.
package final class ByteSource<Failure: ReadingFailure> {
    /// What errors call it.
    package let path: String
    package let byteCount: Int
    private let descriptor: Int32?
    private let memory: [UInt8]
    private var position = 0

    /// - Throws: `Failure` when the file is missing, not a regular file or may not be read.
    package init(_ path: String) throws(Failure) {
        // Opening a pipe that nobody writes to would otherwise wait for ever.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR {
                throw Failure(.missingFile, file: path, message: "there is no such file; check the path")
            }
            throw Failure(.fileAccess, file: path, message: "cannot be opened: \(systemErrorText())")
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            let kind = status.st_mode & S_IFMT == S_IFDIR ? "a folder" : "not a regular file"
            throw Failure(.fileAccess, file: path, message: "is \(kind); give the path of a file")
        }
        self.path = path
        self.descriptor = descriptor
        byteCount = Int(status.st_size)
        memory = []
    }

    package init(_ bytes: [UInt8], named path: String) {
        self.path = path
        descriptor = nil
        byteCount = bytes.count
        memory = bytes
    }

    deinit { if let descriptor { close(descriptor) } }

    /// Fills `buffer` as far as the bytes go.
    ///
    /// - Returns: The number of bytes read, less than the size of `buffer` only at the end.
    /// - Throws: `Failure` when the disk fails.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
        guard let descriptor else {
            let part = memory[position...].prefix(buffer.count)
            buffer.copyBytes(from: part)
            position += part.count
            return part.count
        }
        var filled = 0
        while filled < buffer.count, let start = buffer.baseAddress {
            let count = Glibc.read(descriptor, start + filled, min(buffer.count - filled, 1 << 30))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw Failure(.fileAccess, file: path, message: "cannot be read: \(systemErrorText())")
            }
            if count == 0 { break }
            filled += count
        }
        return filled
    }
}

/// What the last failed system call says, or that with a number, with a hint where there is one.
package func systemErrorText(_ code: Int32 = errno) -> String {
    let text = String(cString: strerror(code))
    return switch code {
    case EACCES, EPERM: text + "; check the permissions"
    case ENOSPC, EDQUOT: text + "; make room on the disk"
    case ELOOP: text + "; remove the link that leads to itself"
    case EIO: text + "; check the disk"
    case EMFILE: text + "; allow more open files with ulimit -n"
    default: text
    }
}
