import Glibc

/// A block of zeroed memory that starts on a cache line.
final class AlignedMemory {
    let start: UnsafeMutableRawPointer
    let byteCount: Int

    /// - Throws: `RunError` when the system has no such block.
    init(byteCount: Int) throws {
        let (cacheLine, hugePage) = (64, 2 << 20)
        let size = max(byteCount, cacheLine)
        let isLarge = size >= hugePage
        var pointer: UnsafeMutableRawPointer?
        guard posix_memalign(&pointer, isLarge ? hugePage : cacheLine, size) == 0, let pointer else {
            throw RunError.kernel(
                "no \(size) bytes of memory for a compiled graph; use a smaller batch size or network")
        }
        // Walking large arrays takes fewer address translations so. A system that refuses loses only time.
        if isLarge { madvise(pointer, size / hugePage * hugePage, MADV_HUGEPAGE) }
        // Padding inside blocked layouts must be zero, and is never written afterwards.
        memset(pointer, 0, size)
        start = pointer
        self.byteCount = byteCount
    }

    deinit { free(start) }
}
