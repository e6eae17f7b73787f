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
            func allowedCPUs() throws -> Set<String> {
                let tasks = "/proc/self/task"
                return try Set(
                    FileManager.default.contentsOfDirectory(atPath: tasks).compactMap { task in
                        // A thread may have ended meanwhile.
                        let status = try? String(contentsOfFile: "\(tasks)/\(task)/status", encoding: .utf8)
                        return status?.split(separator: "\n").first { $0.hasPrefix("Cpus_allowed_list") }
                            .map(String.init)
                    })
            }
            let before = try allowedCPUs()
            let count = 20_011
            let numbers = Buffer<Float>(repeating: 0, count: count)
            _ = withThreads([2, 3]) {
                for _ in 0..<20 {
                    // Longer than threads spin.
                    usleep(3000)
                    Self.count(to: 50, numbers.pointer.baseAddress!, count)
                    #expect(Set(numbers.elements) == [50])
                }
            }
            usleep(20_000)
            #expect(try allowedCPUs() == before)
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
