import CKernels
import Dispatch
import Foundation
import FoveaGraph
import Testing

extension KernelTests {
    @Suite struct ThreadPoolTests {
        /// Adds ones to numbers so often; each loop is short, but long enough to be shared. A part that was left out or computed twice
        /// shows in the sums.
        private static func count(to loops: Int, _ numbers: UnsafeMutablePointer<Float>, _ count: Int) {
            let ones = UnsafeMutablePointer<Float>.allocate(capacity: count)
            defer { ones.deallocate() }
            ones.initialize(repeating: 1, count: count)
            numbers.initialize(repeating: 0, count: count)
            for _ in 0..<loops { fovea_combine(FOVEA_OP_ADD, 0, Int64(count), numbers, ones, numbers) }
        }

        @Test @Compute func manyShortLoops() {
            let (loops, count) = (4000, 20_011)
            for sums in withThreads(
                [1, 2, 3, 8],
                { () -> Set<Float> in
                    let numbers = Buffer<Float>(repeating: 0, count: count)
                    Self.count(to: loops, numbers.pointer.baseAddress!, count)
                    return Set(numbers.elements)
                })
            {
                #expect(sums == [Float(loops)])
            }
        }

        /// Threads that slept are woken on other CPUs, and may then run on all as before.
        @Test @Compute func loopsAfterPauses() throws {
            func allowedCPUs(_ status: String) -> String? {
                // A thread may have ended meanwhile.
                let lines = try? String(contentsOfFile: "/proc/\(status)/status", encoding: .utf8).split(
                    separator: "\n")
                return lines?.first { $0.hasPrefix("Cpus_allowed_list") }.map(String.init)
            }
            let ours = try #require(allowedCPUs("thread-self"))
            let count = 20_011
            let numbers = Buffer<Float>(repeating: 0, count: count)
            func countAfterPauses() {
                for _ in 0..<20 {
                    // Longer than threads spin.
                    usleep(3000)
                    Self.count(to: 50, numbers.pointer.baseAddress!, count)
                    #expect(Set(numbers.elements) == [50])
                }
                usleep(20_000)
            }
            _ = withThreads([2, 3], countAfterPauses)
            // On a busy machine a thread may not have had its turn since it was woken, or have fallen asleep while it was placed.
            var others: [String] = []
            for _ in 0..<100 {
                others = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")
                    .compactMap { allowedCPUs("self/task/\($0)") }.filter { $0 != ours }
                if others.isEmpty { break }
                _ = withThreads([3], countAfterPauses)
            }
            #expect(others.isEmpty)
        }

        /// One of the threads has the workers, the others compute alone.
        @Test @Compute func loopsOfSeveralThreads() {
            let (threads, loops, count) = (4, 1000, 20_011)
            let right = withThreads([2, 3]) { () -> Int in
                let results = Buffer<Int32>(repeating: 0, count: threads)
                nonisolated(unsafe) let rights = results.pointer
                DispatchQueue.concurrentPerform(iterations: threads) { thread in
                    let numbers = UnsafeMutablePointer<Float>.allocate(capacity: count)
                    defer { numbers.deallocate() }
                    Self.count(to: loops, numbers, count)
                    let isRight = (0..<count).allSatisfy { numbers[$0] == Float(loops) }
                    rights[thread] = isRight ? 1 : 0
                }
                return results.elements.count { $0 == 1 }
            }
            #expect(right == [threads, threads])
        }
    }
}
