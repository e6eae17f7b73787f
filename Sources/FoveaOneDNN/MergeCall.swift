import CKernels
import FoveaPlanner

/// A sum, product or maximum of two tensors, perhaps with ReLU. The library's kernels take as long and lose NaN.
struct MergeCall: KernelCall {
    let request: MergeRequest
    let a, b: UnsafePointer<Float>
    let result: UnsafeMutablePointer<Float>

    func run() {
        fovea_combine(request.opcode, request.isRectified ? 1 : 0, Int64(request.count), a, b, result)
    }
}
