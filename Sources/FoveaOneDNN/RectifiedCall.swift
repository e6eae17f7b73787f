import CKernels
import FoveaPlanner

/// A convolution or product of the library's with a ReLU behind it, in which NaN stays NaN.
///
/// The library rectifies for nothing as it writes its results, but makes zeros of NaN: a network whose weights have become NaN
/// would still have a loss that looks sound. Where that could happen a pass over the results does it instead.
struct RectifiedCall: KernelCall {
    /// Elements of memory.
    struct Block {
        let start: UnsafeMutablePointer<Float>
        let count: Int
    }

    /// Without the ReLU.
    let plain: any KernelCall
    /// With the ReLU, if it pays to look for numbers of which NaN could come.
    let fused: (any KernelCall)?
    /// What the numbers of the result are computed from.
    let operands: [Block]
    let result: Block

    /// Reading the operands takes less time than reading and writing the results.
    static func paysToLook(operands: [Block], result: Block) -> Bool {
        operands.reduce(0) { $0 + $1.count } <= 2 * result.count
    }

    func run() throws {
        if let fused, operands.allSatisfy({ fovea_is_bounded(Int64($0.count), $0.start) != 0 }) {
            return try fused.run()
        }
        try plain.run()
        fovea_rectify(Int64(result.count), result.start)
    }
}
