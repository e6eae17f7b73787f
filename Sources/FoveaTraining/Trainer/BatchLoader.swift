import Dispatch
import FoveaDatasets
import FoveaGraph
import FoveaRuntime
import Synchronization

/// Gathers the examples of the next batch, on a thread of its own, while the compute thread runs the batch before it.
///
/// Nothing is allocated per batch: a batch is gathered in memory that the loader keeps, and copied from there into the
/// executable, whose memory for inputs may hold other values during a run. The thread starts when the first of several
/// batches is about to run; it ends when the last is gathered, or with the loader.
@Compute
final class BatchLoader {
    private let staging: Staging
    private let order: [Int]
    private let batches: [Range<Int>]
    private var next = 0
    private var hasThread = false

    /// - Parameters:
    ///   - sources: what is gathered, by the name of the input that it becomes; the first axis counts examples.
    ///   - order: which examples, one after the other.
    ///   - batches: the places in `order` of each batch.
    init(_ sources: [String: TensorValue], order: [Int], batches: [Range<Int>]) {
        staging = Staging(sources, capacity: batches.map(\.count).max() ?? 0)
        self.order = order
        self.batches = batches
    }

    deinit { staging.close() }

    /// Sets the inputs of an executable, compiled for as many examples, to the next batch; there must be one.
    ///
    /// - Throws: `DatasetError` when an example of the batch does not exist; the next call goes on behind that batch.
    func load(into executable: any Executable) throws {
        let batch = batches[next]
        if hasThread { staging.isFull.wait() } else { staging.gather(order[batch]) }
        next += 1
        defer {
            if next == 1, batches.count > 1 { hasThread = startThread() }
            staging.isEmpty.signal()
        }
        try staging.copy(batch.count, to: executable)
    }

    /// Whether there is one; without it, batches are gathered when they are asked for.
    private func startThread() -> Bool {
        do throws(ThreadError) {
            try FoveaGraph.startThread(named: "fovea-loader") { [staging, order, batches] in
                for batch in batches.dropFirst() {
                    staging.isEmpty.wait()
                    if staging.isClosed { return }
                    staging.gather(order[batch])
                    staging.isFull.signal()
                }
            }
            return true
        } catch { return false }
    }
}

/// Memory for one batch, which two threads use in turn: one waits for `isEmpty` to fill it, the other for `isFull`.
private final class Staging: Sendable {
    private struct Source {
        let input: String
        let examples: TensorValue
        /// As long as the longest batch.
        var batch: [UInt8]
    }

    private struct State {
        var sources: [Source]
        var error: (any Error)?
        var isClosed = false
    }

    private let state: Mutex<State>
    let isFull = DispatchSemaphore(value: 0)
    let isEmpty = DispatchSemaphore(value: 0)

    init(_ sources: [String: TensorValue], capacity: Int) {
        let sources = sources.map { input, examples in
            Source(
                input: input, examples: examples,
                batch: [UInt8](repeating: 0, count: capacity * examples.rowByteCount))
        }
        state = Mutex(State(sources: sources))
    }

    func gather(_ indices: ArraySlice<Int>) {
        state.withLock { state in
            state.error = nil
            do {
                for place in state.sources.indices {
                    let examples = state.sources[place].examples
                    let byteCount = indices.count * examples.rowByteCount
                    try state.sources[place].batch.withUnsafeMutableBytes { memory in
                        try examples.copyRows(at: indices, into: .init(rebasing: memory[..<byteCount]))
                    }
                }
            } catch { state.error = error }
        }
    }

    @Compute
    func copy(_ count: Int, to executable: any Executable) throws {
        try state.withLock { state in
            if let error = state.error { throw error }
            for source in state.sources {
                let byteCount = count * source.examples.rowByteCount
                try executable.setInput(source.input) { memory in
                    source.batch.withUnsafeBytes {
                        memory.copyMemory(from: .init(rebasing: $0[..<byteCount]))
                    }
                }
            }
        }
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Lets a thread that waits for its turn end instead.
    func close() {
        state.withLock { $0.isClosed = true }
        isEmpty.signal()
    }
}
