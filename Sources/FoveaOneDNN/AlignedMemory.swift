import FoveaRuntime
import Glibc

/// A block of zeroed memory that starts on a cache line.
final class AlignedMemory {
    let start: UnsafeMutableRawPointer
    let byteCount: Int

    /// - Throws: `RunError` when the system has no such block, or one larger than the machine's memory.
    init(byteCount: Int) throws {
        let (cacheLine, hugePage) = (64, 2 << 20)
        let size = max(byteCount, cacheLine)
        let isLarge = size >= hugePage
        var pointer: UnsafeMutableRawPointer?
        // The system would give it away, and end the process when it is used.
        let machine = sysconf(CInt(_SC_PHYS_PAGES)).multipliedReportingOverflow(
            by: sysconf(CInt(_SC_PAGESIZE)))
        guard machine.overflow || size <= machine.partialValue else {
            throw RunError.kernel(
                "a compiled graph needs \(size) bytes of memory, more than the \(machine.partialValue) that this machine has; "
                    + "use a smaller batch size or network")
        }
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
