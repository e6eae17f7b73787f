import Foundation
import FoveaGraph
import Testing

@Suite struct ComputeTests {
    @Test func everythingRunsOnOneThread() async {
        let threads = await withTaskGroup(of: Set<ObjectIdentifier>.self) { group in
            for task in 0..<40 {
                group.addTask {
                    var seen = Set<ObjectIdentifier>()
                    for _ in 0..<5 {
                        seen.insert(await Compute.run { ObjectIdentifier(Thread.current) })
                        await Task.yield()
                        if task % 2 == 0 { seen.insert(await onCompute()) }
                    }
                    return seen
                }
            }
            return await group.reduce(into: Set<ObjectIdentifier>()) { $0.formUnion($1) }
        }
        #expect(threads.count == 1)
        let name = await Compute.run {
            try? String(contentsOfFile: "/proc/thread-self/comm", encoding: .utf8)
        }
        #expect(name == "fovea-compute\n")
    }

    @Compute private func onCompute() -> ObjectIdentifier { ObjectIdentifier(Thread.current) }

    @Test func runPassesErrorsOn() async {
        struct Failure: Error {}
        await #expect(throws: Failure.self) { try await Compute.run { throw Failure() } }
        let seven = await Compute.run { 7 }
        #expect(seven == 7)
    }

    /// A computation is not interrupted by another, so state that only it touches needs no lock.
    @Test func computationsDoNotOverlap() async {
        let counter = Counter()
        await withTaskGroup { group in
            for _ in 0..<50 {
                group.addTask {
                    await Compute.run {
                        let before = counter.value
                        for _ in 0..<1000 { counter.value += 1 }
                        counter.value = before + 1
                    }
                }
            }
        }
        #expect(await Compute.run { counter.value } == 50)
    }

    @Compute private final class Counter {
        nonisolated init() {}
        var value = 0
    }
}
