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

    /// Gives the file the name for which it was made, in place of what had it, and brings that name to the disk.
    ///
    /// - Parameter folder: the open folder of `path`.
    /// - Throws: `FileError`. Only after one of `.synchronizeFolder` has the file its name; otherwise it is removed.
    func rename(to path: String, folder: Int32) throws(FileError) {
        let codes = renameLastingly(name, to: path, folder: folder)
        guard codes.renaming == 0 else {
            remove()
            throw FileError(path: path, operation: .rename, code: codes.renaming)
        }
        close(lock)
        guard codes.lasting == 0 else {
            throw FileError(path: path, operation: .synchronizeFolder, code: codes.lasting)
        }
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
