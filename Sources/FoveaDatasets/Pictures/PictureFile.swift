import Glibc

extension Picture {
    /// The bytes of a regular file of at most ``greatestFileByteCount``.
    static func readFile(_ path: String) throws(PictureError) -> [UInt8] {
        // Opening a pipe that nobody writes to would otherwise wait for ever.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR {
                throw PictureError(.missingFile, file: path, "there is no such file; check the path")
            }
            throw PictureError(.unreadable, file: path, "cannot be opened: \(systemErrorText())")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw PictureError(.unreadable, file: path, "cannot be examined: \(systemErrorText())")
        }
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw PictureError(.unreadable, file: path, "is a folder; give the path of a picture")
        default:
            throw PictureError(.unreadable, file: path, "is not a regular file; give the path of a picture")
        }
        let size = Int(status.st_size)
        guard size <= greatestFileByteCount else {
            throw PictureError(
                .tooLarge, file: path,
                "has \(size) bytes, but at most \(greatestFileByteCount) are read; scale the picture down with "
                    + "another program")
        }
        var failure: PictureError?
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { memory, filled in
            while filled < size {
                let count = read(descriptor, memory.baseAddress?.advanced(by: filled), size - filled)
                if count > 0 {
                    filled += count
                } else if count == 0 {
                    return
                } else if errno != EINTR {
                    failure = PictureError(.unreadable, file: path, "cannot be read: \(systemErrorText())")
                    return
                }
            }
        }
        if let failure { throw failure }
        return bytes
    }
}
