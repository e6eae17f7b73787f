import CKernels
import FoveaPlanner

extension OneDNNCatalog {
    func kernel(for request: MergeRequest) throws -> (any PreparedKernel)? {
        request.count < MergeKernel.leastCount ? nil : MergeKernel(request: request)
    }
}

/// A sum, product or maximum of two tensors, perhaps with ReLU. The library's kernels take as long and lose NaN.
private struct MergeKernel: OneDNNKernel {
    let request: MergeRequest

    /// Elements below which an elementwise pass does as well.
    static let leastCount = 8192

    var implementation: String { "merge:\(OneDNNBackend.vectorKind)" }

    func call(_ operands: Operands) throws -> any KernelCall {
        MergeCall(
            request: request, a: try operands.floats(.source), b: try operands.floats(.otherSource),
            result: try operands.floats(.destination))
    }
}

private struct MergeCall: KernelCall {
    let request: MergeRequest
    let a, b: UnsafePointer<Float>
    let result: UnsafeMutablePointer<Float>

    func run() {
        fovea_combine(
            request.kind.opcode, request.isRectified ? 1 : 0, Int64(request.count), a, b, result)
    }
}
