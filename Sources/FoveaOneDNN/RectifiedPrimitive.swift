import CKernels
import FoveaGraph
import FoveaPlanner

/// A convolution or product of the library's with a ReLU behind it, in which NaN stays NaN.
///
/// The library rectifies for nothing as it writes its results, but makes zeros of NaN: a network whose weights have become NaN
/// would still have a loss that looks sound. Where that could happen a pass over the results does it instead.
struct RectifiedPrimitive: Sendable {
    /// Without the ReLU.
    private let plain: PartedPrimitive
    /// With the ReLU, if it pays to look for numbers of which NaN could come.
    private let fused: PartedPrimitive?
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
        _ plain: PartedPrimitive, operands: [Block], ceiling: Float? = nil, result: Block,
        fused: () throws -> PartedPrimitive
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
        RectifiedCall(
            plain: try plain.call(operands), fused: try fused?.call(operands),
            operands: try self.operands.map { block in
                BoundCheck(
                    start: try operands.floats(block.role), count: block.count,
                    origin: operands.origins[block.role])
            },
            result: try operands.floats(result.role), count: result.count, ceiling: ceiling)
    }
}

private final class RectifiedCall: KernelCall {
    private let plain: any KernelCall
    private let fused: (any KernelCall)?
    private let operands: [BoundCheck]
    private let result: UnsafeMutablePointer<Float>
    private let count: Int
    private let ceiling: Float
    /// Whether the results of the last run cannot be NaN or large.
    fileprivate private(set) var hasBoundedResult = false

    init(
        plain: any KernelCall, fused: (any KernelCall)?, operands: [BoundCheck],
        result: UnsafeMutablePointer<Float>, count: Int, ceiling: Float
    ) {
        (self.plain, self.fused, self.operands) = (plain, fused, operands)
        (self.result, self.count, self.ceiling) = (result, count, ceiling)
    }

    func run() throws {
        hasBoundedResult = false
        if let fused, operands.allSatisfy({ $0.isBounded() }) {
            try fused.run()
            hasBoundedResult = ceiling <= BoundCheck.limit
            return
        }
        try plain.run()
        fovea_rectify(Int64(count), ceiling, result)
    }
}

/// Tells whether an operand's numbers are so small that sums of their products are numbers, and looks at them only where that
/// is not known already.
private final class BoundCheck {
    /// What `fovea_is_bounded` takes for small.
    static let limit: Float = 0x1p48

    private let start: UnsafePointer<Float>
    private let count: Int
    private let origin: Operands.Origin?
    /// What lasting numbers were when they were looked at last.
    private var seen: (version: Int, isBounded: Bool)?

    init(start: UnsafeMutablePointer<Float>, count: Int, origin: Operands.Origin?) {
        (self.start, self.count, self.origin) = (UnsafePointer(start), count, origin)
    }

    @Compute
    func isBounded() -> Bool {
        switch origin {
        case .call(let call as RectifiedCall) where call.hasBoundedResult: return true
        case .lasting(let source):
            if let seen, seen.version == source.version { return seen.isBounded }
            let isBounded = look()
            seen = (source.version, isBounded)
            return isBounded
        default: return look()
        }
    }

    private func look() -> Bool { fovea_is_bounded(Int64(count), start) != 0 }
}
