import CKernels
import FoveaGraph
import FoveaPlanner

extension OneDNNCatalog {
    func kernel(for request: ReorderRequest) throws -> any PreparedKernel {
        ReorderKernel(request: request, primitive: try Primitive(request))
    }
}

private struct ReorderKernel: PrimitiveKernel {
    let request: ReorderRequest
    let primitive: Primitive

    func call(_ operands: Operands) throws -> any KernelCall {
        let call = try PrimitiveCall(primitive, operands)
        for (argument, role, side) in [
            (FOVEA_ARG_SOURCE, Plan.Operand.Role.source, request.from),
            (FOVEA_ARG_DESTINATION, .destination, request.to),
        ] where side.offset > 0 {
            call.bind(argument, try operands.address(role) + side.offset * request.dtype.byteCount)
        }
        return call
    }
}

extension Primitive {
    fileprivate convenience init(_ request: ReorderRequest) throws {
        // The library has no truth values; they are bytes like others to move.
        let dtype = request.dtype == .bool ? .uint8 : request.dtype
        func memory(_ side: ReorderRequest.Side) -> fovea_memory {
            fovea_memory(
                request.extents, strides: side.strides, blocks: side.blocks,
                order: AxisOrder.plain(request.extents.count), dtype)
        }
        var (from, to) = (memory(request.from), memory(request.to))
        try self.init(fovea_reorder_create(&from, &to))
    }
}
