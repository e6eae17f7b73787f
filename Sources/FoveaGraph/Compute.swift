import Dispatch
import Synchronization

/// The one thread that all computation runs on.
///
/// It shares out its loops to worker threads, which have one loop at a time. Code marked `@Compute` runs on this thread whatever
/// task called it, so that what it works on stays in the same caches. Where the system lets the process start no thread,
/// computations run on the threads that ask for them, one after the other.
@globalActor
public actor Compute {
    public static let shared = Compute()
    private let executor = ComputeExecutor()

    public nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Runs a whole computation on the compute thread, without hops between its parts.
    @Compute
    public static func run<Result: Sendable>(_ body: @Compute () throws -> Result) async rethrows -> Result {
        try body()
    }
}

private final class ComputeExecutor: SerialExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        var hasThread = false
        /// Whether a thread that has asked for a computation runs it, because there is no other.
        var isLent = false
    }

    private let state = Mutex(State())
    private let waiting = DispatchSemaphore(value: 0)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let isForThisThread = state.withLock { state in
            state.jobs.append(job)
            if state.isLent { return false }
            if !state.hasThread { state.hasThread = startThread() }
            state.isLent = !state.hasThread
            return state.isLent
        }
        if isForThisThread { runAll() } else { waiting.signal() }
    }

    private func startThread() -> Bool {
        do throws(ThreadError) {
            try FoveaGraph.startThread(named: "fovea-compute") { [self] in
                while true {
                    waiting.wait()
                    let job = state.withLock { $0.jobs.removeFirst() }
                    job.runSynchronously(on: asUnownedSerialExecutor())
                }
            }
            return true
        } catch { return false }
    }

    /// Runs what there is, and what comes meanwhile, on the thread that asked. The next computation tries to start a thread
    /// again.
    private func runAll() {
        while let job = state.withLock({ state -> UnownedJob? in
            state.isLent = !state.jobs.isEmpty
            return state.isLent ? state.jobs.removeFirst() : nil
        }) {
            job.runSynchronously(on: asUnownedSerialExecutor())
        }
    }
}
