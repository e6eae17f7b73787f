import CKernels
import FoveaPlanner

extension OneDNNCatalog {
    func kernel(for request: SoftmaxRequest) throws -> any PreparedKernel { SoftmaxKernel(request: request) }
}

private struct SoftmaxKernel: OneDNNKernel {
    let request: SoftmaxRequest

    var implementation: String { "softmax:\(OneDNNBackend.vectorKind)" }

    func call(_ operands: Operands) throws -> any KernelCall {
        let softmax = fovea_softmax(
            is_logarithmic: request.isLogarithmic ? 1 : 0, outer: Int64(request.outer),
            extent: Int64(request.extent), inner: Int64(request.inner))
        return SoftmaxCall(
            softmax: softmax, source: try operands.floats(.source),
            destination: try operands.floats(.destination))
    }
}

private struct SoftmaxCall: KernelCall {
    let softmax: fovea_softmax
    let source: UnsafePointer<Float>
    let destination: UnsafeMutablePointer<Float>

    func run() { withUnsafePointer(to: softmax) { fovea_run_softmax($0, source, destination) } }
}
