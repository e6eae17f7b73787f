import CKernels
import FoveaGraph
import FoveaPlanner

/// A plan with its memory and prepared calls.
@Compute
public final class OneDNNExecutable: Executable {
    public let inputs: [String: TensorType]
    public let plan: Plan
    private let seed: UInt64
    private let arena: AlignedMemory
    private var calls: [any KernelCall] = []
    private var inputAddresses: [String: UnsafeMutableRawPointer] = [:]
    private var missing: Set<String>
    private var outputs: [(address: UnsafeMutableRawPointer, layout: Layout, type: TensorType)] = []
    private var randomKeyAddress: UnsafeMutablePointer<Int32>?
    private var hasRun = false
    /// Memory that the calls point into.
    private var variables: [ResidentStorage] = []
    private var changedVariables: [ResidentStorage] = []
    private var constants: [AlignedMemory] = []

    init(_ graph: BoundGraph, plan: Plan, seed: UInt64) throws {
        self.seed = seed
        self.plan = plan
        inputs = try graph.inputs()
        missing = Set(inputs.keys)
        arena = try AlignedMemory(byteCount: plan.arenaByteCount)

        var resident: [Variable: ResidentStorage] = [:]
        for (variable, layout) in plan.variables {
            if let present = variable.currentStorage as? ResidentStorage {
                resident[variable] = present
            } else {
                let storage = try ResidentStorage(variable.value(), layout: layout)
                variable.move(to: storage)
                resident[variable] = storage
            }
        }
        variables = Array(resident.values)

        var addresses: [UnsafeMutableRawPointer] = []
        for value in plan.values {
            switch value.place {
            case .arena(let offset): addresses.append(arena.start + offset)
            case .variable(let variable):
                guard let storage = resident[variable] else {
                    throw RunError.kernel("variable '\(variable.name)' has no memory")
                }
                addresses.append(storage.memory.start)
            case .constant(let constant):
                let memory = try AlignedMemory(byteCount: value.byteCount)
                value.layout.pack(constant, into: memory.start)
                constants.append(memory)
                addresses.append(memory.start)
            }
        }
        for (name, value) in plan.inputs { inputAddresses[name] = addresses[value] }
        randomKeyAddress = plan.randomKey.map { addresses[$0].bindMemory(to: Int32.self, capacity: 4) }
        outputs = plan.outputs.map { value, shape in
            (addresses[value], plan.values[value].layout, TensorType(shape, plan.values[value].type.dtype))
        }
        let written = Set(plan.calls.flatMap(\.writes))
        changedVariables = written.compactMap {
            if case .variable(let variable) = plan.values[$0].place { resident[variable] } else { nil }
        }
        calls = try plan.calls.map { try Self.call($0, plan, addresses, resident) }
    }

    private static func call(
        _ call: Plan.Call, _ plan: Plan, _ addresses: [UnsafeMutableRawPointer],
        _ resident: [Variable: ResidentStorage]
    ) throws -> any KernelCall {
        let operands = Operands(
            of: call.kernel.name,
            Dictionary(
                call.operands.map { ($0.role, addresses[$0.value]) }, uniquingKeysWith: { first, _ in first })
        )
        switch call.kernel {
        case .elementwise(let kernel):
            return try ElementwiseCall(
                kernel, address: { addresses[$0] }, dtype: { plan.values[$0].type.dtype })
        case .reduction(let kernel):
            return try ReductionCall(
                kernel, source: operands.address(.source), destination: operands.address(.destination))
        case .gather(let kernel):
            let indices = try operands.address(.indices)
            return GatherCall(
                kernel: kernel, source: try operands.address(.source),
                indices: indices.bindMemory(to: Int32.self, capacity: kernel.count),
                destination: try operands.address(.destination))
        case .convolution(let choice):
            return try operands.call(
                choice, threads: OneDNNBackend.threadCount,
                keptKernel: plan.variableOfKeptWeights(call).flatMap { resident[$0] })
        case .pooling(let choice): return try operands.call(choice)
        case .matmul(let choice): return try operands.call(choice, threads: OneDNNBackend.threadCount)
        case .normalization(let choice): return try operands.call(choice)
        case .softmax(let kernel):
            return SoftmaxCall(
                kernel, source: try operands.address(.source),
                destination: try operands.address(.destination))
        case .merge(let request): return try operands.call(request)
        case .reorder(let request): return try operands.call(request)
        }
    }

    public func setInput(_ name: String, fill: (UnsafeMutableRawBufferPointer) throws -> Void) throws {
        guard let type = inputs[name], let address = inputAddresses[name] else { throw unknownInput(name) }
        try fill(
            UnsafeMutableRawBufferPointer(
                start: address, count: type.shape.elementCount * type.dtype.byteCount))
        missing.remove(name)
    }

    public func run(step: UInt64) throws {
        if let name = missing.min() { throw RunError.missingInput(name) }
        if let randomKeyAddress {
            let key = randomKey(seed: seed, step: step)
            for place in key.indices { randomKeyAddress[place] = key[place] }
        }
        for variable in changedVariables { variable.noteChange() }
        for call in calls { try call.run() }
        fovea_watch_contention()
        hasRun = true
    }

    /// Seconds that each call of the plan took, the least of some runs.
    public func callTimes(runs: Int) throws -> [Double] {
        var best = [Double](repeating: .infinity, count: calls.count)
        let clock = ContinuousClock()
        for variable in changedVariables { variable.noteChange() }
        for _ in 0..<runs {
            for (place, call) in calls.enumerated() {
                let elapsed = try clock.measure { try call.run() }
                best[place] = min(best[place], elapsed / .seconds(1))
            }
        }
        return best
    }

    public var outputCount: Int { outputs.count }

    public func output(_ index: Int) throws -> TensorValue {
        guard hasRun, outputs.indices.contains(index) else {
            throw RunError.noOutput(index, count: outputs.count)
        }
        let output = outputs[index]
        return try output.layout.unpacked(output.address, output.type)
    }
}
