import CKernels
import FoveaGraph
import FoveaPlanner

/// Several kernels for the same contraction, ready to run on random numbers in the same memory.
@Compute
struct ContractionTimer {
    private let calls: [any KernelCall]
    /// What the calls point into.
    private let memory: [Plan.Operand.Role: AlignedMemory]

    init(_ choices: [ContractionChoice]) throws {
        let bytes = choices.reduce(into: [:]) { $0.merge($1.operandBytes, uniquingKeysWith: max) }
        let memory = try bytes.mapValues { try AlignedMemory(byteCount: $0) }
        for (role, memory) in memory where role != .scratchpad { memory.fillWithRandomNumbers() }
        let operands = Operands(of: "contraction", memory.mapValues(\.start))
        calls = try choices.map { try $0.call(operands, threads: OneDNNBackend.threadCount) }
        self.memory = memory
    }

    /// The least time of each kernel in some rounds, after one that does not count.
    ///
    /// The kernels take turns, so that what disturbs one disturbs all. Short ones get more rounds.
    func leastSeconds() throws -> [Double] {
        let (fewestRounds, mostRounds) = (8, 200)
        let longEnough = Duration.milliseconds(25) * calls.count
        var least = [Double](repeating: .infinity, count: calls.count)
        let clock = ContinuousClock()
        for call in calls { try call.run() }
        let start = clock.now
        var round = 0
        while round < fewestRounds || (round < mostRounds && clock.now - start < longEnough) {
            for (place, call) in calls.enumerated() {
                let elapsed = try clock.measure { try call.run() }
                least[place] = min(least[place], elapsed / .seconds(1))
            }
            fovea_watch_contention()
            round += 1
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
