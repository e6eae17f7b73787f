import FoveaGraph

/// `gather`, or with `isScatter` its gradient.
public struct GatherRequest: KernelRequest, Hashable {
    public var isScatter: Bool
    public var elementByteCount: Int
    /// The entries of the shared axes.
    public var groups: Int
    public var outer: Int
    public var extent: Int
    public var inner: Int
    /// How many indices each group has.
    public var count: Int

    public var name: String { isScatter ? "scatterAdd" : "gather" }
}

extension Gather: SingleOperation {
    func addCalls(for tensor: Tensor, to builder: inout PlanBuilder) throws {
        try builder.addGather(
            tensor, axis: axis, sharedAxes: sharedAxes, table: tensor.inputs[0].shape, isScatter: false)
    }
}

extension ScatterAdd: SingleOperation {
    func addCalls(for tensor: Tensor, to builder: inout PlanBuilder) throws {
        try builder.addGather(
            tensor, axis: axis, sharedAxes: sharedAxes, table: tensor.shape, isScatter: true)
    }
}

extension PlanBuilder {
    fileprivate mutating func addGather(
        _ tensor: Tensor, axis: Int, sharedAxes: Int, table: Shape, isScatter: Bool
    ) throws {
        let source = try rowMajorValue(tensor.inputs[0])
        let indices = try rowMajorValue(tensor.inputs[1])
        let output = result(tensor)
        let request = GatherRequest(
            isScatter: isScatter, elementByteCount: tensor.dtype.byteCount,
            groups: table.dimensions[..<sharedAxes].reduce(1, *),
            outer: table.dimensions[sharedAxes..<axis].reduce(1, *), extent: table[axis],
            inner: table.dimensions[(axis + 1)...].reduce(1, *),
            count: tensor.inputs[1].shape.dimensions[sharedAxes...].reduce(1, *))
        addCall(
            request, try catalog.kernel(for: request),
            [(.source, source, false), (.indices, indices, false), (.destination, output, true)],
            note: "\(request.count) of \(request.extent)")
    }
}
