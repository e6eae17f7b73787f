import Foundation
import FoveaGraph
import Synchronization
import Testing

@Suite struct StartedThreadTests {
    @Test func aThreadRunsUnderItsName() async throws {
        let name = await withCheckedContinuation { continuation in
            do {
                try startThread(named: "fovea-test") {
                    let comm = try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)
                    continuation.resume(returning: comm ?? "")
                }
            } catch { continuation.resume(returning: "\(error)") }
        }
        #expect(name == "fovea-test\n")
    }

    /// No system has memory for such a stack.
    @Test func aThreadThatCannotBeStartedIsAnError() {
        let hasRun = Atomic(false)
        let error = #expect(throws: ThreadError.self) {
            try startThread(named: "fovea-test", stackSize: 1 << 60) {
                hasRun.store(true, ordering: .relaxed)
            }
        }
        #expect(error?.code == EAGAIN || error?.code == ENOMEM || error?.code == EINVAL)
        #expect(error?.description.contains("no thread can be started: ") == true)
        #expect(error?.description.contains("ulimit -u") == true)
        let isStarted = hasRun.load(ordering: .relaxed)
        #expect(!isStarted)
    }

    @Test func someThreadsCanBeStarted() throws { try checkThreads(3) }
}
