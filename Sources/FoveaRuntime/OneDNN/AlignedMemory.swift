import Glibc

/// A block of zeroed memory that starts on a cache line.
final class AlignedMemory {
    let start: UnsafeMutableRawPointer
    let byteCount: Int

    /// - Throws: `RunError` when the system has no such block.
    init(byteCount: Int) throws {
        let size = max(byteCount, 64)
        var pointer: UnsafeMutableRawPointer?
        guard posix_memalign(&pointer, 64, size) == 0, let pointer else {
            throw RunError.kernel(
                "no \(size) bytes of memory for a compiled graph; use a smaller batch size or network")
        }
        // Padding inside blocked layouts must be zero, and is never written afterwards.
        memset(pointer, 0, size)
        start = pointer
        self.byteCount = byteCount
    }

    deinit { free(start) }
}
