import CKernels
import FoveaGraph
import FoveaPlanner
import FoveaRuntime

extension OneDNNCatalog {
    func kernel(for request: ElementwiseRequest) throws -> any PreparedKernel {
        guard request.extents.count <= FOVEA_MAX_RANK, request.program.registerCount <= FOVEA_MAX_REGISTERS
        else {
            throw RunError.kernel(
                "elementwise work over \(request.extents.count) axes with \(request.program.registerCount) registers is "
                    + "more than a kernel holds")
        }
        return ElementwiseKernel(request: request)
    }
}

private struct ElementwiseKernel: OneDNNKernel {
    let request: ElementwiseRequest

    var implementation: String { "elementwise:\(OneDNNBackend.vectorKind)" }

    func call(_ operands: Operands) throws -> any KernelCall {
        try ElementwiseCall(request, element: operands.element)
    }
}

/// A compiled program with its operands' addresses.
private final class ElementwiseCall: KernelCall {
    private var program = fovea_program()
    private let instructions: UnsafeMutableBufferPointer<fovea_instruction>
    private let operands: UnsafeMutableBufferPointer<fovea_operand>

    init(
        _ request: ElementwiseRequest, element: (Plan.ValueID) throws -> Operands.Element
    ) throws {
        instructions = .allocate(capacity: request.program.instructions.count)
        operands = .allocate(capacity: max(request.operands.count, 1))
        operands.initialize(repeating: fovea_operand())
        for (place, instruction) in request.program.instructions.enumerated() {
            instructions.initializeElement(at: place, to: fovea_instruction(instruction))
            if case .sum(let operand, _, let divisor) = instruction {
                operands[operand].divisor = Int64(divisor)
            }
        }
        for (place, operand) in request.operands.enumerated() {
            if let value = operand.value {
                let element = try element(value)
                operands[place].base = element.address
                operands[place].dtype = fovea_dtype(element.dtype)
            }
            operands[place].aliased = operand.isAliased ? 1 : 0
            operands[place].offset = Int64(operand.offset)
            operands[place].limit = Int64(operand.limit ?? 0)
            store(operand.strides, in: &operands[place].strides)
        }
        program.rank = Int32(request.extents.count)
        store(request.extents, in: &program.extents)
        program.instruction_count = Int32(instructions.count)
        program.operand_count = Int32(request.operands.count)
        program.instructions = UnsafePointer(instructions.baseAddress)
        program.operands = UnsafePointer(operands.baseAddress)
    }

    deinit {
        instructions.deallocate()
        operands.deallocate()
    }

    func run() { withUnsafePointer(to: program) { fovea_run_program($0) } }
}
