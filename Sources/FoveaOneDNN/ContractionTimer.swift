import CKernels
import FoveaGraph
import FoveaPlanner
import FoveaRuntime

/// Kernels ready to run on random numbers, all in the same memory.
@Compute
struct ContractionTimer {
    /// The first kernels of all requests, the second ones and so on.
    private let calls: [[any KernelCall]]
    /// What the calls point into. One block, as a plan has it, because large ones are faster to walk.
    private let memory: AlignedMemory

    private init(_ choices: [[any ContractionKernel]]) throws {
        let bytes = choices.joined().reduce(into: [:]) { $0.merge($1.operandBytes, uniquingKeysWith: max) }
        // What is written has its own place, or results would become operands and grow beyond all numbers.
        var places: [ContractionOperand: Int] = [:]
        var byteCount = 0
        let alignment = 64
        for (operand, size) in bytes.sorted(by: { $0.key < $1.key }) {
            places[operand] = byteCount
            byteCount += (size + alignment - 1) / alignment * alignment
        }
        let memory = try AlignedMemory(byteCount: byteCount)
        memory.fillWithRandomNumbers()
        calls = try choices.map { choices in
            try choices.map { choice in
                var addresses: [Plan.Operand.Role: UnsafeMutableRawPointer] = [:]
                for operand in choice.operandBytes.keys {
                    addresses[operand.role] = places[operand].map { memory.start + $0 }
                }
                return try choice.call(Operands(of: "contraction", addresses))
            }
        }
        self.memory = memory
    }

    /// The least number of seconds that each of a request's kernels took, for every request.
    static func leastSeconds(_ requests: [[any ContractionKernel]]) throws -> [[Double]] {
        let count = requests.map(\.count).max() ?? 0
        let asked = (0..<count).map { place in requests.indices.filter { requests[$0].count > place } }
        let timer = try ContractionTimer(
            asked.enumerated().map { place, asked in asked.map { requests[$0][place] } })
        var seconds = requests.map { _ in [Double]() }
        for (asked, times) in zip(asked, try timer.leastSeconds()) {
            for (request, time) in zip(asked, times) { seconds[request].append(time) }
        }
        return seconds
    }

    /// The kernels of different requests take turns, as the calls of a plan do. Those of one request do not: they divide
    /// the work differently between threads, so each would find its memory in the other thread's cache. All of it is done
    /// several times over, so that what disturbs the machine for a while disturbs all.
    private func leastSeconds() throws -> [[Double]] {
        let (fewestRounds, runs) = (3, 4)
        let longEnough = Duration.milliseconds(25) * calls.joined().count
        var least = calls.map { [Double](repeating: .infinity, count: $0.count) }
        let clock = ContinuousClock()
        let start = clock.now
        var rounds = 0
        while rounds < fewestRounds || clock.now - start < longEnough {
            for (group, calls) in calls.enumerated() {
                for call in calls { try call.run() }
                for _ in 0..<runs {
                    for (place, call) in calls.enumerated() {
                        let elapsed = try clock.measure { try call.run() }
                        least[group][place] = min(least[group][place], elapsed / .seconds(1))
                    }
                }
            }
            rounds += 1
        }
        return least
    }
}

extension AlignedMemory {
    /// Fills the block with numbers between -1 and 1.
    fileprivate func fillWithRandomNumbers() {
        var generator = PhiloxGenerator(seed: 0, stream: 0, step: 0)
        // Repeated, because making as many as a layer has would take longer than timing it.
        let numbers = (0..<4096).map { _ in Float(generator.uniform() * 2 - 1) }
        numbers.withUnsafeBytes { numbers in
            guard let source = numbers.baseAddress else { return }
            for place in stride(from: 0, to: byteCount, by: numbers.count) {
                (start + place).copyMemory(from: source, byteCount: min(numbers.count, byteCount - place))
            }
        }
    }
}
