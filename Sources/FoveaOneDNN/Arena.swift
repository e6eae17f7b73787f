import FoveaGraph
import FoveaRuntime

/// Memory that executables compute in, one after the other.
@Compute
final class Arena: Workspace {
    private(set) var memory: AlignedMemory?
    /// Whose numbers are in the memory.
    private(set) weak var user: OneDNNExecutable?

    nonisolated init() {}

    /// Makes room. What was there before is lost if there was less.
    ///
    /// - Throws: `RunError` when the system has no such block.
    func reserve(byteCount: Int) throws {
        if let memory, memory.byteCount >= byteCount { return }
        // So that the old one is given back first.
        (memory, user) = (nil, nil)
        memory = try AlignedMemory(byteCount: byteCount)
    }

    /// Gives the memory to an executable.
    ///
    /// - Returns: whether another one had it.
    func enter(_ executable: OneDNNExecutable) -> Bool {
        defer { user = executable }
        return user !== executable
    }
}
