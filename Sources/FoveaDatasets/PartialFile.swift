import FoveaFiles
import Glibc

/// A file that is being downloaded, locked against other processes that download the same.
final class PartialFile {
    let path: String
    private(set) var byteCount: Int
    private let descriptor: Int32

    /// Opens or creates the file and waits until nobody else is writing to it.
    ///
    /// - Returns: nil when `target` has been completed while waiting.
    init?(_ path: String, target: String) async throws {
        while true {
            let descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else {
                throw DatasetError(
                    .fileAccess, file: path, "cannot be opened for writing: \(systemErrorText())")
            }
            // The lock is gone with the descriptor, also when the process is killed.
            // A file system without locks is used without.
            let locked = flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK
            var own = stat()
            let current =
                fstat(descriptor, &own) == 0 && leads(path, to: descriptor, followsLink: true)
            if locked, current, access(target, F_OK) != 0 {
                self.path = path
                self.descriptor = descriptor
                byteCount = Int(own.st_size)
                return
            }
            if locked, current { unlink(path) }
            close(descriptor)
            if access(target, F_OK) == 0 { return nil }
            if !locked { try await Task.sleep(for: .milliseconds(100)) }
        }
    }

    deinit { close(descriptor) }

    func truncate() throws(DatasetError) {
        guard ftruncate(descriptor, 0) == 0 else { throw failure("emptied") }
        byteCount = 0
    }

    func append(_ bytes: [UInt8]) throws(DatasetError) {
        let code = writeAll(bytes) { rest, _ in
            let count = write(descriptor, rest.baseAddress, rest.count)
            byteCount += max(0, count)
            return count
        }
        guard code == 0 else { throw failure("written", code) }
    }

    /// Waits until the bytes are on the disk.
    func synchronize() throws(DatasetError) {
        guard fsync(descriptor) == 0 else { throw failure("written") }
    }

    /// Gives the file its final name, on the disk too.
    func rename(to target: String) throws(DatasetError) {
        let code = renameLastingly(path, to: target).renaming
        guard code == 0 else { throw failure("renamed to \(target)", code) }
    }

    func remove() { unlink(path) }

    private func failure(_ action: String, _ code: Int32 = errno) -> DatasetError {
        DatasetError(.fileAccess, file: path, "cannot be \(action): \(systemErrorText(code))")
    }
}
