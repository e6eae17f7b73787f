import Glibc

/// Files written whole or not at all.
public enum AtomicFile {
    /// Puts the bytes into a file so that, whatever happens, the path leads to the whole new content or to
    /// what was there before.
    ///
    /// The bytes go to a temporary file in the same folder, which is brought to the disk and then renamed.
    /// On failure the temporary file is removed; only a process killed at that moment leaves one behind
    /// (`.fovea-….tmp`), which the next one that writes the same file removes. A replaced file's permissions are kept; a
    /// symbolic link is replaced, not followed.
    ///
    /// - Throws: `FileError`. Only after one of `.synchronizeFolder` is the new file in place.
    public static func write(_ bytes: [UInt8], to path: some PathConvertible) throws(FileError) {
        try write(bytes, to: path.filePath) { Glibc.write($0, $1.baseAddress, $1.count) }
    }

    /// `write(_:to:)` with the system call that writes given, so that tests can have a full disk.
    static func write(
        _ bytes: [UInt8], to path: String, using systemWrite: (Int32, UnsafeRawBufferPointer) -> Int
    ) throws(FileError) {
        let permissions = try replacedPermissions(path)
        let folderDescriptor = openFolderOf(path)
        guard folderDescriptor >= 0 else { throw FileError(path: path, operation: .create, code: errno) }
        defer { _ = close(folderDescriptor) }

        let temporary = try TemporaryFile(for: path, permissions: permissions ?? 0o666)
        do throws(FileError) {
            try fill(
                temporary.descriptor, with: bytes, permissions: permissions, path: path, using: systemWrite)
        } catch {
            temporary.remove()
            throw error
        }
        try temporary.rename(to: path, folder: folderDescriptor)
    }

    /// Finds out whether `write(_:to:)` may create its file, without changing what the path leads to, and removes what a
    /// killed process left of it.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - byteCount: for how many bytes there should be room, as far as the file system and the limit on the size of files
    ///     tell; only writing them makes sure.
    /// - Throws: the `FileError` that `write(_:to:)` would throw before its first byte, or for want of room.
    public static func checkWritable(_ path: some PathConvertible, byteCount: Int = 0) throws(FileError) {
        let path = path.filePath
        let temporary = try TemporaryFile(for: path, permissions: replacedPermissions(path) ?? 0o666)
        defer {
            close(temporary.descriptor)
            temporary.remove()
        }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0,
            UInt64(byteCount) > limit.rlim_cur
        {
            throw FileError(path: path, operation: .write, code: EFBIG)
        }
        var room = statvfs()
        // What does not know its size has no blocks.
        if fstatvfs(temporary.descriptor, &room) == 0, room.f_blocks > 0,
            Double(byteCount) > Double(room.f_bavail) * Double(room.f_frsize)
        {
            throw FileError(path: path, operation: .write, code: ENOSPC)
        }
    }

    /// The permissions of the file at the path; `nil` when there is none.
    ///
    /// Anything but an ordinary file is refused, because a rename would replace it: `/dev/null`, say.
    private static func replacedPermissions(_ path: String) throws(FileError) -> mode_t? {
        guard !path.utf8.contains(0) else { throw FileError(path: path, operation: .create, code: EINVAL) }
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT { return nil }
            throw FileError(path: path, operation: .inspect, code: errno)
        }
        try requireOrdinaryFile(status, path: path, operation: .create)
        return status.st_mode & 0o777
    }

    /// Writes, synchronizes and closes; the descriptor is closed also on failure.
    private static func fill(
        _ descriptor: Int32, with bytes: [UInt8], permissions: mode_t?, path: String,
        using systemWrite: (Int32, UnsafeRawBufferPointer) -> Int
    ) throws(FileError) {
        var operation = FileError.Operation.write
        var code = writeAll(bytes) { rest, _ in systemWrite(descriptor, rest) }
        if code == 0, let permissions, fchmod(descriptor, permissions) != 0 { code = errno }
        if code == 0, fsync(descriptor) != 0 { (code, operation) = (errno, .synchronize) }
        let closed = close(descriptor)
        if code == 0, closed != 0 { (code, operation) = (errno, .close) }
        guard code == 0 else { throw FileError(path: path, operation: operation, code: code) }
    }

    /// All bytes of an ordinary file.
    ///
    /// - Throws: `FileError`, also for devices, pipes and folders (reading them might never end) and for
    ///   a file larger than the machine's memory.
    public static func read(_ path: some PathConvertible) throws(FileError) -> [UInt8] {
        let path = path.filePath
        guard !path.utf8.contains(0) else { throw FileError(path: path, operation: .open, code: EINVAL) }
        // Without O_NONBLOCK, opening a pipe waits for a writer.
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(path: path, operation: .open, code: errno) }
        defer { _ = close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw FileError(path: path, operation: .inspect, code: errno)
        }
        try requireOrdinaryFile(status, path: path, operation: .read)
        let memory = sysconf(Int32(_SC_PHYS_PAGES)).multipliedReportingOverflow(
            by: sysconf(Int32(_SC_PAGESIZE)))
        guard memory.overflow || status.st_size <= memory.partialValue else {
            throw FileError(path: path, operation: .read, code: EFBIG)
        }

        var code: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: status.st_size) { buffer, count in
            while count < buffer.count, count < status.st_size {
                let rest = UnsafeMutableRawBufferPointer(
                    rebasing: UnsafeMutableRawBufferPointer(buffer)[count...])
                let got = Glibc.read(descriptor, rest.baseAddress, rest.count)
                if got == 0 { break }
                if got > 0 {
                    count += got
                } else if errno != EINTR {
                    code = errno
                    break
                }
            }
        }
        guard code == 0 else { throw FileError(path: path, operation: .read, code: code) }
        return bytes
    }

    private static func requireOrdinaryFile(
        _ status: stat, path: String, operation: FileError.Operation
    ) throws(FileError) {
        switch status.st_mode & S_IFMT {
        case S_IFREG: return
        case S_IFDIR: throw FileError(path: path, operation: operation, code: EISDIR)
        default: throw FileError(path: path, operation: operation, code: ENOTSUP)
        }
    }
}
