import CKernels
import FoveaPlanner

extension OneDNNCatalog {
    func kernel(for request: GatherRequest) throws -> any PreparedKernel { GatherKernel(request: request) }
}

private struct GatherKernel: OneDNNKernel {
    let request: GatherRequest

    var implementation: String { "\(request.name):\(OneDNNBackend.vectorKind)" }

    func call(_ operands: Operands) throws -> any KernelCall {
        GatherCall(
            request: request, source: try operands.address(.source),
            indices: try operands.address(.indices).bindMemory(to: Int32.self, capacity: request.count),
            destination: try operands.address(.destination))
    }
}

private struct GatherCall: KernelCall {
    let request: GatherRequest
    let source: UnsafeRawPointer
    let indices: UnsafePointer<Int32>
    let destination: UnsafeMutableRawPointer

    func run() {
        let (groups, outer, extent) = (Int64(request.groups), Int64(request.outer), Int64(request.extent))
        let (inner, count) = (Int64(request.inner), Int64(request.count))
        if request.isScatter {
            fovea_scatter_add(
                groups, outer, extent, inner, count, source.assumingMemoryBound(to: Float.self), indices,
                destination.assumingMemoryBound(to: Float.self))
        } else {
            fovea_gather(
                Int32(request.elementByteCount), groups, outer, extent, inner, count, source, indices,
                destination)
        }
    }
}
