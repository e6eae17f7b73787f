import CKernels
import FoveaGraph
import FoveaPlanner
import FoveaRuntime

/// A plan with its memory and prepared calls.
@Compute
final class OneDNNExecutable: Executable {
    let inputs: [String: TensorType]
    private let plan: Plan
    private let arena: Arena
    /// Where the variables are during a run.
    private let variables: [(variable: Variable, storage: ResidentStorage)]
    private let changedVariables: [ResidentStorage]
    /// Kernels that the arena holds packed for the runs that follow.
    private let keptKernels: [any Versioned]
    /// What lasting calls read, and what was in it when they ran.
    private let sourcesOfLastingResults: [ResidentStorage]
    private var seenVersions: [Int]?
    private let lastingResults = LastingResults()
    private let constants: [Plan.ValueID: AlignedMemory]
    /// Inputs without a value in the arena.
    private var missing: Set<String> = []
    private var prepared: PreparedCalls?
    /// How many runs there were.
    private var runs = 0

    /// What points into memory.
    private struct PreparedCalls {
        let calls: [any KernelCall]
        let inputs: [String: UnsafeMutableRawPointer]
        let outputs: [(address: UnsafeMutableRawPointer, layout: Layout, type: TensorType)]
        let randomKey: UnsafeMutablePointer<Int32>?
        /// The arena's memory when they were made.
        let start: UnsafeMutableRawPointer
    }

    init(_ graph: BoundGraph, plan: Plan, arena: Arena) throws {
        self.plan = plan
        self.arena = arena
        inputs = try graph.inputs()

        var resident: [Variable: ResidentStorage] = [:]
        for (variable, layout) in plan.variables {
            resident[variable] = try ResidentStorage.of(variable, layout: layout)
        }
        variables = plan.variables.compactMap { variable, _ in resident[variable].map { (variable, $0) } }
        let written = Set(plan.calls.flatMap(\.writes))
        changedVariables = written.compactMap {
            if case .variable(let variable) = plan.values[$0].place { resident[variable] } else { nil }
        }
        let results = lastingResults
        keptKernels = plan.calls.compactMap { Self.keptWeights($0, plan, resident, results) }
        let read = plan.variablesOfLastingCalls
        sourcesOfLastingResults = variables.filter { read.contains($0.variable) }.map(\.storage)
        var constants: [Plan.ValueID: AlignedMemory] = [:]
        for (id, value) in plan.values.enumerated() {
            guard case .constant(let constant) = value.place else { continue }
            let memory = try AlignedMemory(byteCount: value.byteCount)
            value.layout.pack(constant, into: memory.start)
            constants[id] = memory
        }
        self.constants = constants
        try enterArena()
    }

    /// Takes the arena over from whoever has used it last.
    private func enterArena() throws {
        try arena.reserve(byteCount: plan.arenaByteCount)
        guard let start = arena.memory?.start else { return }
        if arena.enter(self) {
            missing = Set(inputs.keys)
            for kernel in keptKernels { kernel.noteChange() }
            seenVersions = nil
        }
        if prepared?.start != start {
            prepared = try preparedCalls(at: start)
            seenVersions = nil
        }
    }

    private func preparedCalls(at start: UnsafeMutableRawPointer) throws -> PreparedCalls {
        let resident = Dictionary(variables, uniquingKeysWith: { first, _ in first })
        var addresses: [UnsafeMutableRawPointer] = []
        for (id, value) in plan.values.enumerated() {
            switch value.place {
            case .arena(let offset): addresses.append(start + offset)
            case .variable(let variable):
                guard let storage = resident[variable] else {
                    throw RunError.kernel("variable '\(variable.name)' has no memory")
                }
                addresses.append(storage.memory.start)
            case .constant:
                guard let memory = constants[id] else {
                    throw RunError.kernel("constant '\(value.name)' has no memory")
                }
                addresses.append(memory.start)
            }
        }
        return PreparedCalls(
            calls: try calls(addresses, resident),
            inputs: Dictionary(
                plan.inputs.map { ($0.name, addresses[$0.value]) }, uniquingKeysWith: { first, _ in first }),
            outputs: plan.outputs.map { value, shape in
                (
                    addresses[value], plan.values[value].layout,
                    TensorType(shape, plan.values[value].type.dtype)
                )
            },
            randomKey: plan.randomKey.map { addresses[$0].bindMemory(to: Int32.self, capacity: 4) },
            start: start)
    }

    private func calls(
        _ addresses: [UnsafeMutableRawPointer], _ resident: [Variable: ResidentStorage]
    ) throws -> [any KernelCall] {
        let written = Set(plan.calls.flatMap(\.writes))
        var origins: [Plan.ValueID: Operands.Origin] = [:]
        for (id, value) in plan.values.enumerated() where !written.contains(id) {
            if case .variable(let variable) = value.place {
                origins[id] = resident[variable].map { .lasting($0) }
            }
        }
        return try plan.calls.enumerated().map { place, planned in
            guard let kernel = planned.kernel as? any OneDNNKernel else {
                throw RunError.kernel("\(planned.kernel.implementation) is a kernel of another backend")
            }
            let call = try kernel.call(
                Operands(
                    of: planned, { (addresses[$0], plan.values[$0].type.dtype) },
                    keptWeights: Self.keptWeights(planned, plan, resident, lastingResults),
                    origin: { origins[$0] }))
            for value in planned.writes {
                origins[value] = place < plan.lastingCallCount ? .lasting(lastingResults) : .call(call)
            }
            return call
        }
    }

    private static func keptWeights(
        _ call: Plan.Call, _ plan: Plan, _ resident: [Variable: ResidentStorage], _ computed: any Versioned
    ) -> (any Versioned)? {
        switch plan.keptWeights(call) {
        case .variable(let variable): resident[variable]
        case .computed: computed
        case nil: nil
        }
    }

    func setInput(_ name: String, fill: (UnsafeMutableRawBufferPointer) throws -> Void) throws {
        try enterArena()
        guard let type = inputs[name], let address = prepared?.inputs[name] else { throw unknownInput(name) }
        try fill(
            UnsafeMutableRawBufferPointer(
                start: address, count: type.shape.elementCount * type.dtype.byteCount))
        missing.remove(name)
    }

    func run(step: UInt64, seed: UInt64) throws {
        guard let prepared = try readyCalls() else { return }
        if let address = prepared.randomKey {
            let key = randomKey(seed: seed, step: step)
            for place in key.indices { address[place] = key[place] }
        }
        let versions = sourcesOfLastingResults.map(\.version)
        if versions == seenVersions {
            for call in prepared.calls[plan.lastingCallCount...] { try call.run() }
        } else {
            lastingResults.noteChange()
            seenVersions = nil
            for call in prepared.calls { try call.run() }
            seenVersions = versions
        }
    }

    /// The calls, with everything that they read in its place.
    private func readyCalls() throws -> PreparedCalls? {
        try enterArena()
        if let name = missing.min() { throw RunError.missingInput(name) }
        // Another backend, or a plan with other layouts, may have taken them elsewhere.
        for (variable, storage) in variables where variable.currentStorage !== storage {
            try storage.write(variable.value())
            variable.move(to: storage)
        }
        for variable in changedVariables { variable.noteChange() }
        runs += 1
        return prepared
    }

    var outputCount: Int { plan.outputs.count }

    func output(_ index: Int) throws -> RunOutput {
        guard runs > 0, let prepared, prepared.outputs.indices.contains(index) else {
            throw RunError.noOutput(index, count: outputCount)
        }
        return RunOutput(prepared.outputs[index].type) { [self, run = runs] in
            try value(ofOutput: index, run: run)
        }
    }

    private func value(ofOutput index: Int, run: Int) throws -> TensorValue {
        guard runs == run, arena.user === self, let output = prepared?.outputs[index] else {
            throw RunError.outputGone
        }
        return try output.layout.unpacked(output.address, output.type)
    }

    func table(timedRuns: Int) throws -> String {
        guard let calls = try readyCalls()?.calls else { return plan.table() }
        var least = [Double](repeating: .infinity, count: calls.count)
        let clock = ContinuousClock()
        for _ in 0...timedRuns {
            for (place, call) in calls.enumerated() {
                let elapsed = try clock.measure { try call.run() }
                least[place] = min(least[place], elapsed / .seconds(1))
            }
        }
        return plan.table(seconds: least)
    }
}

/// What the lasting calls of an executable have computed.
private final class LastingResults: Versioned {
    private(set) var version = 0

    func noteChange() { version &+= 1 }
}
