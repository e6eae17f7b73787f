import FoveaRuntime
import Glibc

/// A block of zeroed memory that starts on a cache line. Large ones come from the system and go back to it at once: those that
/// `malloc` has given out it keeps, so that memory that has grown step by step would stay as large as its steps together.
final class AlignedMemory {
    let start: UnsafeMutableRawPointer
    let byteCount: Int
    /// Of a large block.
    private let mappedByteCount: Int?

    private static let (cacheLine, hugePage) = (64, 2 << 20)

    /// - Throws: `RunError` when the system has no such block, or one larger than the machine's memory.
    init(byteCount: Int) throws {
        let size = max(byteCount, Self.cacheLine)
        // The system would give it away, and end the process when it is used.
        let machine = sysconf(CInt(_SC_PHYS_PAGES)).multipliedReportingOverflow(
            by: sysconf(CInt(_SC_PAGESIZE)))
        guard machine.overflow || size <= machine.partialValue else {
            throw RunError.kernel(
                "a compiled graph needs \(size) bytes of memory, more than the \(machine.partialValue) that this machine has; "
                    + "use a smaller batch size or network")
        }
        let block = size < Self.hugePage ? Self.small(size) : Self.mapped(size)
        guard let block else {
            throw RunError.kernel(
                "no \(size) bytes of memory for a compiled graph; use a smaller batch size or network")
        }
        start = block
        self.byteCount = byteCount
        mappedByteCount = size < Self.hugePage ? nil : size
    }

    deinit {
        if let mappedByteCount { munmap(start, mappedByteCount) } else { free(start) }
    }

    // Padding inside blocked layouts must be zero, and is never written afterwards.

    private static func small(_ size: Int) -> UnsafeMutableRawPointer? {
        var pointer: UnsafeMutableRawPointer?
        guard posix_memalign(&pointer, cacheLine, size) == 0, let pointer else { return nil }
        memset(pointer, 0, size)
        return pointer
    }

    /// Zeroed by the system, and aligned to huge pages: walking large arrays takes fewer address translations with these.
    private static func mapped(_ size: Int) -> UnsafeMutableRawPointer? {
        let (room, overflow) = size.addingReportingOverflow(hugePage)
        guard !overflow,
            let all = mmap(nil, room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            all != MAP_FAILED
        else { return nil }
        let before = (hugePage - Int(bitPattern: all) % hugePage) % hugePage
        let start = all + before
        // What is given back ends with whole pages.
        let page = sysconf(CInt(_SC_PAGESIZE))
        let end = (before + size + page - 1) / page * page
        if before > 0 { munmap(all, before) }
        if end < room { munmap(all + end, room - end) }
        // A system that refuses loses only time.
        madvise(start, size / hugePage * hugePage, MADV_HUGEPAGE)
        return start
    }
}
