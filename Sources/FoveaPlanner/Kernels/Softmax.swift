import FoveaGraph

/// Softmax or its logarithm over row-major memory.
public struct SoftmaxRequest: KernelRequest, Hashable {
    public var isLogarithmic: Bool
    /// The elements of the axes before the axis, along it, and behind it.
    public var outer: Int
    public var extent: Int
    public var inner: Int

    public var name: String { "softmax" }
}

extension Softmax: SingleOperation {
    func addCalls(for tensor: Tensor, to builder: inout PlanBuilder) throws {
        try builder.addSoftmax(tensor, self)
    }
}

extension PlanBuilder {
    fileprivate mutating func addSoftmax(_ tensor: Tensor, _ rule: Softmax) throws {
        let source = try rowMajorValue(tensor.inputs[0])
        let output = result(tensor)
        let extents = tensor.shape.dimensions
        let request = SoftmaxRequest(
            isLogarithmic: rule.isLogarithmic, outer: extents[..<rule.axis].reduce(1, *),
            extent: extents[rule.axis], inner: extents[(rule.axis + 1)...].reduce(1, *))
        addCall(
            request, try catalog.kernel(for: request),
            [(.source, source, false), (.destination, output, true)],
            note: "\(rule.name) along axis \(rule.axis) of \(tensor.shape)")
    }
}
