import FoveaGraph
import FoveaRuntime

@testable import FoveaPlanner

/// Runs a plan call by call on bytes, in whatever layouts it uses.
///
/// It is stricter than kernels are: fresh and scratch memory holds NaN, padding must be zero wherever a kernel would sum
/// over it, and what pooling remembers must still be there when it is read.
@Compute
final class PlanInterpreter: Executable {
    let plan: Plan
    let inputs: [String: TensorType]
    private var memory: [UInt8]
    /// Variables and constants, behind the arena.
    private var starts: [Int] = []
    private var isSet = Set<String>()
    var winners: [Plan.ValueID: TensorValue] = [:]

    init(_ graph: BoundGraph, catalog: any KernelCatalog) throws {
        inputs = try graph.inputs()
        plan = try Plan(graph, catalog: catalog)
        var end = plan.arenaByteCount
        for value in plan.values {
            guard case .arena(let offset) = value.place else {
                starts.append(end)
                end += (value.byteCount + 63) / 64 * 64
                continue
            }
            starts.append(offset)
        }
        memory = [UInt8](repeating: 0xFF, count: end)
        for (id, value) in plan.values.enumerated() {
            if case .constant(let constant) = value.place { write(constant.doubles, id) }
        }
    }

    // MARK: - Memory

    func load(_ id: Plan.ValueID, _ place: Int) -> Double {
        let dtype = plan.values[id].type.dtype
        let start = starts[id] + place * dtype.byteCount
        precondition(place >= 0 && (place + 1) * dtype.byteCount <= plan.values[id].byteCount)
        return memory.withUnsafeBytes { bytes in
            switch dtype {
            case .float32: Double(bytes.loadUnaligned(fromByteOffset: start, as: Float.self))
            case .bfloat16:
                Double(Float(bfloat16Pattern: bytes.loadUnaligned(fromByteOffset: start, as: UInt16.self)))
            case .int32: Double(bytes.loadUnaligned(fromByteOffset: start, as: Int32.self))
            case .uint8, .bool: Double(bytes[start])
            }
        }
    }

    func store(_ number: Double, _ id: Plan.ValueID, _ place: Int) {
        let dtype = plan.values[id].type.dtype
        let start = starts[id] + place * dtype.byteCount
        precondition(place >= 0 && (place + 1) * dtype.byteCount <= plan.values[id].byteCount)
        memory.withUnsafeMutableBytes { bytes in
            switch dtype {
            case .float32: bytes.storeBytes(of: Float(number), toByteOffset: start, as: Float.self)
            case .bfloat16:
                bytes.storeBytes(of: Float(number).bfloat16Pattern, toByteOffset: start, as: UInt16.self)
            case .int32: bytes.storeBytes(of: Int32(number), toByteOffset: start, as: Int32.self)
            case .uint8, .bool: bytes[start] = UInt8(number)
            }
        }
    }

    /// The memory place of every element, in row-major order.
    func places(_ layout: Layout) -> [Int] {
        switch layout {
        case .padded(let padded): padded.places()
        case .dense(let modes):
            modes.reduce([0]) { starts, mode in
                starts.flatMap { start in (0..<mode.extent).map { start + $0 * mode.stride } }
            }
        }
    }

    func read(_ id: Plan.ValueID) -> [Double] { places(plan.values[id].layout).map { load(id, $0) } }

    /// Reads a value as a library kernel does: padding takes part in its sums.
    func readAll(_ id: Plan.ValueID, _ shape: Shape) throws -> TensorValue {
        let value = plan.values[id]
        let places = places(value.layout)
        let padding = Set(0..<value.layout.memoryCount(value.type.shape)).subtracting(places)
        guard padding.allSatisfy({ load(id, $0) == 0 }) else {
            throw Fault("padding of \(value.name) is not zero")
        }
        return TensorValue(shape: shape, dtype: value.type.dtype, doubles: places.map { load(id, $0) })
    }

    func write(_ numbers: [Double], _ id: Plan.ValueID) {
        let value = plan.values[id]
        if case .padded = value.layout {
            for place in 0..<value.layout.memoryCount(value.type.shape) { store(0, id, place) }
        }
        for (number, place) in zip(numbers, places(value.layout)) { store(number, id, place) }
    }

    struct Fault: Error, CustomStringConvertible {
        let description: String
        init(_ description: String) { self.description = description }
    }

    // MARK: - Runs

    var outputCount: Int { plan.outputs.count }

    func output(_ index: Int) -> RunOutput {
        let (id, shape) = plan.outputs[index]
        let value = TensorValue(shape: shape, dtype: plan.values[id].type.dtype, doubles: read(id))
        return RunOutput(TensorType(shape, value.dtype)) { value }
    }

    func table(timedRuns: Int) -> String { plan.table() }

    func setInput(_ name: String, fill: (UnsafeMutableRawBufferPointer) throws -> Void) throws {
        guard let (_, id) = plan.inputs.first(where: { $0.name == name }) else {
            throw Fault("no input \(name)")
        }
        let range = starts[id]..<(starts[id] + plan.values[id].byteCount)
        try memory.withUnsafeMutableBytes { try fill(UnsafeMutableRawBufferPointer(rebasing: $0[range])) }
        isSet.insert(name)
    }

    func run(step: UInt64, seed: UInt64) throws {
        guard isSet == Set(inputs.keys) else { throw Fault("inputs were not set") }
        for (id, value) in plan.values.enumerated() {
            if case .variable(let variable) = value.place { write(try variable.value().doubles, id) }
        }
        if let key = plan.randomKey {
            let words = [seed, seed >> 32, step, step >> 32].map { Double(Int32(truncatingIfNeeded: $0)) }
            write(words, key)
        }
        for call in plan.calls { try run(call) }
        for (id, value) in plan.values.enumerated() {
            guard case .variable(let variable) = value.place else { continue }
            try variable.assign(
                TensorValue(shape: variable.shape, dtype: variable.dtype, doubles: read(id)))
        }
    }

    private func run(_ call: Plan.Call) throws {
        for operand in call.operands where [.scratchpad, .packedWeights].contains(operand.role) {
            for byte in 0..<plan.values[operand.value].byteCount {
                memory[starts[operand.value] + byte] = 0xFF
            }
        }
        func id(_ role: Plan.Operand.Role) throws -> Plan.ValueID {
            guard let operand = call.operands.first(where: { $0.role == role }) else {
                throw Fault("no \(role)")
            }
            return operand.value
        }
        switch call.request {
        case let request as ElementwiseRequest: try run(request)
        case let request as ReductionRequest: run(request, try id(.source), try id(.destination))
        case let request as GatherRequest:
            try run(request, try id(.source), try id(.indices), try id(.destination))
        case let request as ConvolutionRequest: try run(request, call.kernel, id)
        case let request as ExpandedDepthwiseRequest: try run(request, call.kernel, id)
        case let request as PoolingRequest: try run(request, id)
        case let request as MatMulRequest: try run(request, call, id)
        case let request as SoftmaxRequest:
            let rule = Softmax(axis: 1, isLogarithmic: request.isLogarithmic)
            let shape = Shape([request.outer, request.extent, request.inner])
            let source = try readAll(id(.source), shape)
            write(rule.evaluate([source], TensorType(shape, .float32)).doubles, try id(.destination))
        case let request as NormalizationRequest: try run(request, id)
        case let request as MergeRequest:
            let ids = [try id(.source), try id(.otherSource), try id(.destination)]
            guard Set(ids.map { plan.values[$0].layout }).count == 1,
                plan.values[ids[2]].layout.memoryCount(plan.values[ids[2]].type.shape) == request.count
            else { throw Fault("what is merged is not laid out alike") }
            let inputs = ids[..<2].map { TensorValue(read($0).map { Float($0) }) }
            let sums = request.kind.evaluate(inputs, TensorType(inputs[0].shape, .float32)).doubles
            write(request.isRectified ? sums.map { max($0, 0) } : sums, ids[2])
        case let request as ReorderRequest:
            let (source, destination) = (try id(.source), try id(.destination))
            guard request.isPart else { return write(read(source), destination) }
            func places(_ side: ReorderRequest.Side) -> [Int] {
                PaddedLayout(extents: request.extents, strides: side.strides, blocks: side.blocks).places()
                    .map { $0 + side.offset }
            }
            for (from, to) in zip(places(request.from), places(request.to)) {
                store(load(source, from), destination, to)
            }
        default: throw Fault("\(call.request.name) is no kind of call that there is")
        }
    }
}
