import CKernels
import FoveaGraph
import FoveaPlanner
import FoveaRuntime

extension OneDNNCatalog {
    func kernel(for request: ReductionRequest) throws -> any PreparedKernel {
        guard max(request.kept.count, request.reduced.count) <= FOVEA_MAX_RANK else {
            throw RunError.kernel("a reduction over more axes than a kernel holds")
        }
        return ReductionKernel(request: request)
    }
}

private struct ReductionKernel: OneDNNKernel {
    let request: ReductionRequest

    var implementation: String { "reduction:\(OneDNNBackend.vectorKind)" }

    func call(_ operands: Operands) throws -> any KernelCall {
        ReductionCall(
            request, source: try operands.address(.source), destination: try operands.address(.destination))
    }
}

private final class ReductionCall: KernelCall {
    private let request: ReductionRequest
    private var reduction = fovea_reduction()
    private let source: UnsafeRawPointer
    private let destination: UnsafeMutableRawPointer

    init(_ request: ReductionRequest, source: UnsafeRawPointer, destination: UnsafeMutableRawPointer) {
        self.request = request
        self.source = source
        self.destination = destination
        reduction.kept_rank = Int32(request.kept.count)
        reduction.reduced_rank = Int32(request.reduced.count)
        store(request.kept.map(\.extent), in: &reduction.kept_extents)
        store(request.kept.map(\.stride), in: &reduction.kept_strides)
        store(request.reduced.map(\.extent), in: &reduction.reduced_extents)
        store(request.reduced.map(\.stride), in: &reduction.reduced_strides)
    }

    func run() {
        withUnsafePointer(to: reduction) { reduction in
            switch request.kind {
            case .argMax:
                fovea_argmax(
                    fovea_dtype(request.dtype), reduction, source,
                    destination.assumingMemoryBound(to: Int32.self))
            case .combine(let kind):
                let kind: fovea_reduction_kind =
                    switch kind {
                    case .sum: FOVEA_SUM
                    case .mean: FOVEA_MEAN
                    case .max: FOVEA_MAX
                    }
                fovea_reduce(kind, fovea_dtype(request.dtype), reduction, source, destination)
            }
        }
    }
}
