import Dispatch
import Foundation
import Synchronization

/// The one thread that all computation runs on.
///
/// The kernels' worker threads belong to the operating-system thread that calls them, so a computation that hopped
/// between threads would start a new set of workers at each. Code marked `@Compute` runs on this thread whatever task
/// called it.
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
    private let jobs = Mutex<[UnownedJob]>([])
    private let waiting = DispatchSemaphore(value: 0)

    init() {
        let thread = Thread { [self] in
            // Foundation keeps a name only once `start` has returned.
            waiting.wait()
            Thread.current.name = "fovea-compute"
            while true {
                waiting.wait()
                let job = jobs.withLock { $0.removeFirst() }
                job.runSynchronously(on: asUnownedSerialExecutor())
            }
        }
        thread.stackSize = 8 << 20
        thread.start()
        waiting.signal()
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        jobs.withLock { $0.append(job) }
        waiting.signal()
    }
}
