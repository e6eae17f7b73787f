import Glibc

/// The bytes of a regular file, or of memory in its place, from the first to the last.
final class ByteSource {
    /// What errors call it.
    let path: String
    let byteCount: Int
    private let descriptor: Int32?
    private let memory: [UInt8]
    private var position = 0

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
            let kind = status.st_mode & S_IFMT == S_IFDIR ? "a folder" : "not a regular file"
            throw DatasetError(.fileAccess, file: path, "is \(kind); give the path of a file")
        }
        self.path = path
        self.descriptor = descriptor
        byteCount = Int(status.st_size)
        memory = []
    }

    init(_ bytes: [UInt8], named path: String) {
        self.path = path
        descriptor = nil
        byteCount = bytes.count
        memory = bytes
    }

    deinit { if let descriptor { close(descriptor) } }

    /// Fills `buffer` as far as the bytes go.
    ///
    /// - Returns: The number of bytes read, less than the size of `buffer` only at the end.
    /// - Throws: `DatasetError` when the disk fails.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws(DatasetError) -> Int {
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
                throw DatasetError(.fileAccess, file: path, "cannot be read: \(systemErrorText())")
            }
            if count == 0 { break }
            filled += count
        }
        return filled
    }
}

/// What the last failed system call says, with a hint where there is one.
func systemErrorText() -> String {
    let code = errno
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
