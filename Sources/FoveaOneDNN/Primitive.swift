import CKernels
import FoveaGraph
import FoveaPlanner
import FoveaRuntime

/// What oneDNN runs for an operation. Calls may share it, each with operands of its own.
final class Primitive: Sendable {
    // The library lets threads share primitives, which do not change.
    fileprivate nonisolated(unsafe) let handle: OpaquePointer

    init(_ handle: OpaquePointer?) throws {
        guard let handle else { throw Self.failure }
        self.handle = handle
    }

    deinit { fovea_primitive_destroy(handle) }

    /// Why the library has just refused something.
    fileprivate static var failure: RunError {
        .kernel("oneDNN: " + String(cString: fovea_onednn_message()))
    }

    var implementation: String { String(cString: fovea_primitive_implementation(handle)) }

    func byteCount(_ argument: fovea_argument) -> Int { fovea_primitive_bytes(handle, argument) }

    func layout(_ argument: fovea_argument, order: [Int]) throws -> Layout {
        guard let memory = memory(argument) else {
            throw RunError.kernel("oneDNN: \(implementation) uses a layout that cannot be described")
        }
        return memory.layout(order: order)
    }

    func memory(_ argument: fovea_argument) -> fovea_memory? {
        var memory = fovea_memory()
        return fovea_primitive_memory(handle, argument, &memory) != 0 ? memory : nil
    }

    /// In the library's order of axes; nil where the layout cannot be described.
    private func plainLayout(_ argument: fovea_argument) -> Layout? {
        memory(argument).map { $0.layout(order: AxisOrder.plain(Int($0.rank))) }
    }

    /// Whether operands of the two have the same layouts.
    func usesMemory(like other: Primitive) -> Bool {
        [FOVEA_ARG_SOURCE, FOVEA_ARG_WEIGHTS, FOVEA_ARG_DESTINATION].allSatisfy { argument in
            let layout = plainLayout(argument)
            return layout != nil && layout == other.plainLayout(argument)
        }
    }
}

/// A kernel that runs a primitive or several.
protocol PrimitiveKernel: OneDNNKernel {
    var primitive: PartedPrimitive { get }
}

extension PrimitiveKernel {
    var implementation: String { primitive.implementation }

    var scratchpadBytes: Int { primitive.scratchpadBytes }

    func call(_ operands: Operands) throws -> any KernelCall { try primitive.call(operands) }
}

/// A primitive with the memory of its operands.
final class PrimitiveCall: KernelCall {
    private let primitive: Primitive
    let handle: OpaquePointer

    convenience init(_ primitive: Primitive, _ operands: Operands) throws {
        try self.init(primitive, operands.addresses)
    }

    init(_ primitive: Primitive, _ addresses: [Plan.Operand.Role: UnsafeMutableRawPointer]) throws {
        guard let handle = fovea_primitive_call_create(primitive.handle) else { throw Primitive.failure }
        self.primitive = primitive
        self.handle = handle
        for (role, address) in addresses {
            if let argument = fovea_argument(role) { bind(argument, address) }
        }
    }

    deinit { fovea_primitive_call_destroy(handle) }

    func bind(_ argument: fovea_argument, _ pointer: UnsafeMutableRawPointer) {
        fovea_primitive_call_bind(handle, argument, pointer)
    }

    func run() throws {
        let status = fovea_primitive_call_run(handle)
        guard status == 0 else { throw failure(status) }
    }

    func failure(_ status: Int32) -> RunError {
        .kernel("oneDNN: \(primitive.implementation) failed with status \(status)")
    }
}

/// Height and width, as the library is told them.
func pair(_ size: Size2D) -> (Int64, Int64) { (Int64(size.height), Int64(size.width)) }

extension fovea_argument {
    /// The library's name for an operand; nil for those of other kernels.
    init?(_ role: Plan.Operand.Role) {
        switch role {
        case .source: self = FOVEA_ARG_SOURCE
        case .weights: self = FOVEA_ARG_WEIGHTS
        case .bias: self = FOVEA_ARG_BIAS
        case .destination: self = FOVEA_ARG_DESTINATION
        case .winners: self = FOVEA_ARG_WORKSPACE
        case .scratchpad: self = FOVEA_ARG_SCRATCHPAD
        case .mean, .variance, .scale, .offset, .sourceGradient, .scaleGradient, .offsetGradient: return nil
        case .otherSource, .packedWeights, .indices, .element, .depthwiseWeights, .depthwiseBias: return nil
        }
    }
}
