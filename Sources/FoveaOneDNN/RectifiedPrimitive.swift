import CKernels
import FoveaPlanner

/// A convolution or product of the library's with a ReLU behind it, in which NaN stays NaN.
///
/// The library rectifies for nothing as it writes its results, but makes zeros of NaN: a network whose weights have become NaN
/// would still have a loss that looks sound. Where that could happen a pass over the results does it instead.
struct RectifiedPrimitive: Sendable {
    /// Without the ReLU.
    private let plain: Primitive
    /// With the ReLU, if it pays to look for numbers of which NaN could come.
    private let fused: Primitive?
    private let operands: [Block]
    private let result: Block
    /// What larger results become; infinity for a plain ReLU.
    private let ceiling: Float

    /// Elements of memory.
    struct Block {
        let role: Plan.Operand.Role
        let count: Int
    }

    /// - Parameters:
    ///   - plain: the primitive without the ReLU.
    ///   - operands: what the numbers of the result are computed from.
    ///   - ceiling: what larger results become.
    ///   - fused: the same with the ReLU in it. It is used if it reads and writes the same memory.
    init(
        _ plain: Primitive, operands: [Block], ceiling: Float? = nil, result: Block,
        fused: () throws -> Primitive
    ) rethrows {
        self.plain = plain
        self.operands = operands
        self.result = result
        self.ceiling = ceiling ?? .infinity
        // Reading the operands takes less time than reading and writing the results.
        let paysToLook = operands.reduce(0) { $0 + $1.count } <= 2 * result.count
        let other = paysToLook ? try fused() : nil
        self.fused = other?.usesMemory(like: plain) == true ? other : nil
    }

    func call(_ operands: Operands) throws -> any KernelCall {
        func memory(_ block: Block) throws -> RectifiedCall.Memory {
            .init(start: try operands.floats(block.role), count: block.count)
        }
        return RectifiedCall(
            plain: try PrimitiveCall(plain, operands),
            fused: try fused.map { try PrimitiveCall($0, operands) },
            operands: try self.operands.map(memory), result: try memory(result), ceiling: ceiling)
    }
}

private struct RectifiedCall: KernelCall {
    struct Memory {
        let start: UnsafeMutablePointer<Float>
        let count: Int
    }

    let plain: PrimitiveCall
    let fused: PrimitiveCall?
    let operands: [Memory]
    let result: Memory
    let ceiling: Float

    func run() throws {
        if let fused, operands.allSatisfy({ fovea_is_bounded(Int64($0.count), $0.start) != 0 }) {
            return try fused.run()
        }
        try plain.run()
        fovea_rectify(Int64(result.count), ceiling, result.start)
    }
}
