import CKernels
import FoveaGraph
import FoveaPlanner
import FoveaRuntime

/// A call with everything it needs at hand: running it looks nothing up.
protocol KernelCall {
    @Compute func run() throws
}

struct PrimitiveCall: KernelCall {
    let primitive: Primitive
    func run() throws { try primitive.run() }
}

/// A compiled elementwise program with its operands' addresses.
final class ElementwiseCall: KernelCall {
    private var program = fovea_program()
    private let instructions: UnsafeMutableBufferPointer<fovea_instruction>
    private let operands: UnsafeMutableBufferPointer<fovea_operand>

    init(
        _ kernel: ElementwiseKernel, address: (Plan.ValueID) throws -> UnsafeMutableRawPointer,
        dtype: (Plan.ValueID) -> DType
    ) throws {
        guard kernel.extents.count <= FOVEA_MAX_RANK, kernel.program.registerCount <= FOVEA_MAX_REGISTERS
        else {
            throw RunError.kernel(
                "elementwise work over \(kernel.extents.count) axes with \(kernel.program.registerCount) registers is "
                    + "more than a kernel holds")
        }
        instructions = .allocate(capacity: kernel.program.instructions.count)
        operands = .allocate(capacity: max(kernel.operands.count, 1))
        operands.initialize(repeating: fovea_operand())
        for (place, instruction) in kernel.program.instructions.enumerated() {
            instructions.initializeElement(at: place, to: fovea_instruction(instruction))
            if case .sum(let operand, _, let divisor) = instruction {
                operands[operand].divisor = Int64(divisor)
            }
        }
        for (place, operand) in kernel.operands.enumerated() {
            if let value = operand.value {
                operands[place].base = try address(value)
                operands[place].dtype = fovea_dtype(dtype(value))
            }
            operands[place].aliased = operand.isAliased ? 1 : 0
            operands[place].offset = Int64(operand.offset)
            operands[place].limit = Int64(operand.limit ?? 0)
            store(operand.strides, in: &operands[place].strides)
        }
        program.rank = Int32(kernel.extents.count)
        store(kernel.extents, in: &program.extents)
        program.instruction_count = Int32(instructions.count)
        program.operand_count = Int32(kernel.operands.count)
        program.instructions = UnsafePointer(instructions.baseAddress)
        program.operands = UnsafePointer(operands.baseAddress)
    }

    deinit {
        instructions.deallocate()
        operands.deallocate()
    }

    func run() { withUnsafePointer(to: program) { fovea_run_program($0) } }
}

final class ReductionCall: KernelCall {
    private let kernel: ReductionKernel
    private var reduction = fovea_reduction()
    private let source: UnsafeRawPointer
    private let destination: UnsafeMutableRawPointer

    init(_ kernel: ReductionKernel, source: UnsafeRawPointer, destination: UnsafeMutableRawPointer) throws {
        guard max(kernel.kept.count, kernel.reduced.count) <= FOVEA_MAX_RANK else {
            throw RunError.kernel("a reduction over more axes than a kernel holds")
        }
        self.kernel = kernel
        self.source = source
        self.destination = destination
        reduction.kept_rank = Int32(kernel.kept.count)
        reduction.reduced_rank = Int32(kernel.reduced.count)
        store(kernel.kept.map(\.extent), in: &reduction.kept_extents)
        store(kernel.kept.map(\.stride), in: &reduction.kept_strides)
        store(kernel.reduced.map(\.extent), in: &reduction.reduced_extents)
        store(kernel.reduced.map(\.stride), in: &reduction.reduced_strides)
    }

    func run() {
        withUnsafePointer(to: reduction) { reduction in
            switch kernel.kind {
            case .argMax:
                fovea_argmax(
                    fovea_dtype(kernel.dtype), reduction, source,
                    destination.assumingMemoryBound(to: Int32.self))
            case .combine(let kind):
                let kind: fovea_reduction_kind =
                    switch kind {
                    case .sum: FOVEA_SUM
                    case .mean: FOVEA_MEAN
                    case .max: FOVEA_MAX
                    }
                fovea_reduce(kind, fovea_dtype(kernel.dtype), reduction, source, destination)
            }
        }
    }
}

struct GatherCall: KernelCall {
    let kernel: GatherKernel
    let source: UnsafeRawPointer
    let indices: UnsafePointer<Int32>
    let destination: UnsafeMutableRawPointer

    func run() {
        let (groups, outer, extent) = (Int64(kernel.groups), Int64(kernel.outer), Int64(kernel.extent))
        let (inner, count) = (Int64(kernel.inner), Int64(kernel.count))
        if kernel.isScatter {
            fovea_scatter_add(
                groups, outer, extent, inner, count, source.assumingMemoryBound(to: Float.self), indices,
                destination.assumingMemoryBound(to: Float.self))
        } else {
            fovea_gather(
                Int32(kernel.elementByteCount), groups, outer, extent, inner, count, source, indices,
                destination)
        }
    }
}

struct SoftmaxCall: KernelCall {
    private let softmax: fovea_softmax
    private let source: UnsafePointer<Float>
    private let destination: UnsafeMutablePointer<Float>

    init(_ kernel: SoftmaxKernel, source: UnsafeRawPointer, destination: UnsafeMutableRawPointer) {
        softmax = fovea_softmax(
            is_logarithmic: kernel.isLogarithmic ? 1 : 0, outer: Int64(kernel.outer),
            extent: Int64(kernel.extent), inner: Int64(kernel.inner))
        self.source = source.assumingMemoryBound(to: Float.self)
        self.destination = destination.assumingMemoryBound(to: Float.self)
    }

    func run() { withUnsafePointer(to: softmax) { fovea_run_softmax($0, source, destination) } }
}

/// Fills a C array, which Swift sees as a tuple, from the front.
private func store<Tuple>(_ numbers: [Int], in tuple: inout Tuple) {
    withUnsafeMutableBytes(of: &tuple) { memory in
        for (place, number) in numbers.enumerated() {
            memory.storeBytes(of: Int64(number), toByteOffset: place * 8, as: Int64.self)
        }
    }
}
