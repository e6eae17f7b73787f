import Glibc

/// A new file beside the one that is to be written, which is to take its place.
///
/// Its name says which file that is (`.fovea-…-….tmp`), and it is locked until it is given up, so what a process left that was
/// killed is told from what another process is writing.
struct TemporaryFile {
    let name: String
    /// Open for writing; to be closed by whoever fills the file, because that may fail.
    let descriptor: Int32
    /// The same open file, which keeps the lock from then until the file has been renamed.
    let lock: Int32

    /// Removes what killed processes left of earlier files for the same path, and makes a new one.
    ///
    /// - Throws: `FileError` for `path`.
    init(for path: String, permissions: mode_t) throws(FileError) {
        Self.removeLeftovers(of: path)
        while true {
            let random = String(UInt64.random(in: 0 ... .max), radix: 36)
            let name = folder(of: path) + Self.prefix(for: path) + random + Self.suffix
            let descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, permissions)
            guard descriptor >= 0 else { throw FileError(path: path, operation: .create, code: errno) }
            // A file system without locks is used without.
            let isLocked = flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK
            // Before it was locked, another process may have taken the file for what a killed one left.
            if isLocked, leads(name, to: descriptor) {
                self.name = name
                self.descriptor = descriptor
                lock = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
                return
            }
            close(descriptor)
        }
    }

    /// Gives the file the name for which it was made, in place of what had it.
    ///
    /// - Returns: 0, or the system's error number; then the file is removed.
    func rename(to path: String) -> Int32 {
        let code = Glibc.rename(name, path) == 0 ? 0 : errno
        if code == 0 { close(lock) } else { remove() }
        return code
    }

    func remove() {
        unlink(name)
        close(lock)
    }

    /// Removes the temporary files for a path that no process has locked.
    private static func removeLeftovers(of path: String) {
        let folder = folder(of: path)
        guard let stream = opendir(folder) else { return }
        defer { closedir(stream) }
        let prefix = prefix(for: path)
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasPrefix(prefix), name.hasSuffix(suffix) { removeLeftover(folder + name) }
        }
    }

    private static func removeLeftover(_ name: String) {
        // Network file systems lock only what can be written to.
        var descriptor = open(name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        if descriptor < 0 { descriptor = open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) }
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        // A file that was renamed meanwhile is somebody's result by now.
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0, leads(name, to: descriptor) { unlink(name) }
    }

    private static let suffix = ".tmp"

    /// With a hash of the file's name (FNV-1a), which itself might be too long.
    private static func prefix(for path: String) -> String {
        let name = path.utf8.split(separator: UInt8(ascii: "/")).last ?? path.utf8[...]
        let hash = name.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        return ".fovea-\(String(hash, radix: 36))-"
    }
}

/// The folder that a path leads into, with a slash at its end.
package func folder(of path: String) -> String {
    // In UTF-8, because a Character can be a slash with a mark on it.
    let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
    return slash.map { String(decoding: path.utf8[...$0], as: UTF8.self) } ?? "./"
}

/// Whether a name is that of an open file.
private func leads(_ name: String, to descriptor: Int32) -> Bool {
    var (named, opened) = (stat(), stat())
    return lstat(name, &named) == 0 && fstat(descriptor, &opened) == 0 && named.st_dev == opened.st_dev
        && named.st_ino == opened.st_ino
}
