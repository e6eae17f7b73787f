import Glibc

/// The bytes of a regular file, or of what is in its place, from the first to the last.
package final class ByteSource<Failure: ReadingFailure> {
    /// Fills memory with the bytes from a position on, as far as they go, and tells how many these were.
    package typealias Reader = (Int, UnsafeMutableRawBufferPointer) throws(Failure) -> Int

    private enum Origin {
        case file(Int32)
        case memory([UInt8])
        case reader(Reader)
    }

    /// What errors call it.
    package let path: String
    package let byteCount: Int
    private let origin: Origin
    /// Where bytes come from next; the system counts for files.
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
        origin = .file(descriptor)
        byteCount = Int(status.st_size)
    }

    package init(_ bytes: [UInt8], named path: String) {
        self.path = path
        origin = .memory(bytes)
        byteCount = bytes.count
    }

    /// Bytes that a function gets, such as those of a file on a server.
    package init(named path: String, byteCount: Int, reader: @escaping Reader) {
        self.path = path
        self.byteCount = byteCount
        origin = .reader(reader)
    }

    deinit { if case .file(let descriptor) = origin { close(descriptor) } }

    /// Fills `buffer` as far as the bytes go.
    ///
    /// - Returns: The number of bytes read, less than the size of `buffer` only at the end.
    /// - Throws: `Failure` when the disk fails.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(Failure) -> Int {
        switch origin {
        case .file(let descriptor): return try read(descriptor, into: buffer)
        case .memory(let memory):
            let part = memory[min(position, memory.count)...].prefix(buffer.count)
            buffer.copyBytes(from: part)
            position += part.count
            return part.count
        case .reader(let reader):
            let count = try reader(position, buffer)
            position += count
            return count
        }
    }

    /// Passes over bytes without reading them.
    package func skip(_ count: Int) {
        if case .file(let descriptor) = origin { lseek(descriptor, off_t(count), SEEK_CUR) }
        position += count
    }

    private func read(
        _ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer
    ) throws(Failure) -> Int {
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
