import CKernels
import FoveaGraph
import FoveaPlanner

/// Runs plans on the CPU: convolutions, matrix products, pooling and softmax by oneDNN, all else by vector loops that share
/// oneDNN's threads.
public struct OneDNNBackend: Backend {
    public let precision: Precision

    public init(precision: Precision = .float32) { self.precision = precision }
    public var name: String { "onednn" }

    /// The library's version, such as `2.6.3`.
    public static var libraryVersion: String { String(cString: fovea_onednn_version()) }

    /// The vector instructions that elementwise work uses: `avx512`, `avx2` or `baseline`.
    public static var vectorKind: String { String(cString: fovea_vector_kind()) }

    /// Threads that computation uses; `OMP_NUM_THREADS` sets it.
    @Compute
    public static var threadCount: Int { Int(fovea_thread_count()) }

    public func compile(_ graph: BoundGraph, seed: UInt64) throws -> any Executable {
        try OneDNNExecutable(graph, plan: plan(graph), seed: seed)
    }

    /// The calls that `compile` would prepare.
    @Compute
    public func plan(_ graph: BoundGraph) throws -> Plan {
        var layouts: [Variable: Layout] = [:]
        for variable in graph.variables {
            if let resident = variable.currentStorage as? ResidentStorage { layouts[variable] = resident.layout }
        }
        return try Plan(graph, catalog: OneDNNCatalog(precision: precision), residentLayouts: layouts)
    }
}

@Compute
private final class OneDNNExecutable: Executable {
    let inputs: [String: TensorType]
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
    private var constants: [AlignedMemory] = []

    init(_ graph: BoundGraph, plan: Plan, seed: UInt64) throws {
        self.seed = seed
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
        calls = try plan.calls.map { try Self.call($0, plan.values, addresses) }
    }

    private static func call(
        _ call: Plan.Call, _ values: [Plan.Value], _ addresses: [UnsafeMutableRawPointer]
    ) throws -> any KernelCall {
        func address(_ role: Plan.Operand.Role) throws -> UnsafeMutableRawPointer {
            guard let operand = call.operands.first(where: { $0.role == role }) else {
                throw RunError.kernel("a planned \(call.kernel.name) lacks its \(role.rawValue)")
            }
            return addresses[operand.value]
        }
        func bound(_ primitive: Primitive) -> any KernelCall {
            for operand in call.operands {
                if let argument = fovea_argument(operand.role) { primitive.bind(argument, addresses[operand.value]) }
            }
            return PrimitiveCall(primitive: primitive)
        }
        switch call.kernel {
        case .elementwise(let kernel):
            return try ElementwiseCall(kernel, address: { addresses[$0] }, dtype: { values[$0].type.dtype })
        case .reduction(let kernel):
            return try ReductionCall(kernel, source: address(.source), destination: address(.destination))
        case .gather(let kernel):
            let indices = try address(.indices)
            return GatherCall(
                kernel: kernel, source: try address(.source),
                indices: indices.bindMemory(to: Int32.self, capacity: kernel.count),
                destination: try address(.destination))
        case .convolution(let choice):
            return bound(try Primitive(choice.request, isWinograd: choice.isWinograd))
        case .pooling(let choice): return bound(try Primitive(choice.request))
        case .matmul(let request): return bound(try Primitive(request))
        case .softmax(let request): return bound(try Primitive(request))
        case .reorder(let request): return bound(try Primitive(request))
        }
    }

    func setInput(_ name: String, fill: (UnsafeMutableRawBufferPointer) throws -> Void) throws {
        guard let type = inputs[name], let address = inputAddresses[name] else { throw unknownInput(name) }
        try fill(UnsafeMutableRawBufferPointer(
            start: address, count: type.shape.elementCount * type.dtype.byteCount))
        missing.remove(name)
    }

    func run(step: UInt64) throws {
        if let name = missing.min() { throw RunError.missingInput(name) }
        if let randomKeyAddress {
            for (place, word) in randomKey(seed: seed, step: step).enumerated() { randomKeyAddress[place] = word }
        }
        for call in calls { try call.run() }
        hasRun = true
    }

    var outputCount: Int { outputs.count }

    func output(_ index: Int) throws -> TensorValue {
        guard hasRun, outputs.indices.contains(index) else { throw RunError.noOutput(index, count: outputs.count) }
        let output = outputs[index]
        return try output.layout.unpacked(output.address, output.type)
    }
}

extension fovea_argument {
    /// The library's name for an operand; nil for those of other kernels.
    fileprivate init?(_ role: Plan.Operand.Role) {
        switch role {
        case .source: self = FOVEA_ARG_SOURCE
        case .weights: self = FOVEA_ARG_WEIGHTS
        case .bias: self = FOVEA_ARG_BIAS
        case .destination: self = FOVEA_ARG_DESTINATION
        case .winners: self = FOVEA_ARG_WORKSPACE
        case .scratchpad: self = FOVEA_ARG_SCRATCHPAD
        case .indices, .element: return nil
        }
    }
}
