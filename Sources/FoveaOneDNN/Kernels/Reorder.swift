import CKernels
import FoveaGraph
import FoveaPlanner

extension OneDNNCatalog {
    func kernel(for request: ReorderRequest) throws -> any PreparedKernel {
        ReorderKernel(request: request, primitive: try PartedPrimitive(request, threads: threads))
    }
}

private struct ReorderKernel: PrimitiveKernel {
    let request: ReorderRequest
    let primitive: PartedPrimitive
}

extension PartedPrimitive {
    /// Parts are ranges along the axis on which neighbours are farthest apart.
    fileprivate init(_ request: ReorderRequest, threads: Int) throws {
        // The library has no truth values; they are bytes like others to move.
        let dtype = request.dtype == .bool ? .uint8 : request.dtype
        let (elements, elementBytes) = (request.extents.reduce(1, *), request.dtype.byteCount)
        let nanoseconds = 0.1 * Double(elements * elementBytes)
        func block(_ side: ReorderRequest.Side, _ axis: Int) -> Int {
            side.blocks.reduce(1) { $1.axis == axis ? $0 * $1.size : $0 }
        }
        func step(_ axis: Int) -> Int {
            let (from, to) = (block(request.from, axis), block(request.to, axis))
            return from.isMultiple(of: to) ? from : to.isMultiple(of: from) ? to : from * to
        }
        func offset(_ side: ReorderRequest.Side, _ axis: Int, _ first: Int) -> Int {
            (side.offset + first / block(side, axis) * side.strides[axis]) * elementBytes
        }
        let axes = request.extents.indices.filter { request.extents[$0] > step($0) }
        let axis = axes.max { request.to.strides[$0] < request.to.strides[$1] } ?? 0
        var primitives: [Int: Primitive] = [:]
        let parts = try Part.ranges(
            request.extents[axis], step: step(axis), wanted: Self.count(nanoseconds: nanoseconds)
        ).map { first, count in
            var extents = request.extents
            extents[axis] = count
            func memory(_ side: ReorderRequest.Side) -> fovea_memory {
                fovea_memory(
                    extents, strides: side.strides, blocks: side.blocks,
                    order: AxisOrder.plain(extents.count), dtype)
            }
            var (from, to) = (memory(request.from), memory(request.to))
            let primitive = try primitives[count] ?? Primitive(fovea_reorder_create(&from, &to))
            primitives[count] = primitive
            return Part(
                primitive: primitive,
                offsets: [
                    .source: offset(request.from, axis, first),
                    .destination: offset(request.to, axis, first),
                ])
        }
        self.init(parts, nanoseconds: nanoseconds, threads: threads)
    }
}
