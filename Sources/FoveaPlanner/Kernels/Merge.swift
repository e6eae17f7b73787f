import FoveaGraph

/// Two tensors of one layout merged, place by place: `a + b`, `a · b` or the larger of both.
public struct MergeRequest: KernelRequest, Hashable {
    public var kind: Binary
    /// Negative results become zero.
    public var isRectified: Bool
    /// Elements of memory.
    public var count: Int

    public var name: String { "merge" }
}

extension PlanBuilder {
    /// A sum, product or maximum of two tensors in one layout, perhaps with ReLU, as a call of the library.
    ///
    /// - Returns: whether it is one, and the library has a kernel that is faster than a pass.
    mutating func addMerge(_ group: ElementwiseGroup) throws -> Bool {
        let merged = group.members[0]
        let result = group.members[group.members.count - 1]
        guard case .binary(let kind) = merged.operation, [.add, .multiply, .maximum].contains(kind),
            group.members.count == 1 || group.members.count == 2 && result.operation == .unary(.relu),
            group.written == [result], group.sums.isEmpty, inPlace[result] == nil, result.dtype == .float32,
            merged.inputs.count == 2, group.loads == merged.inputs, wholes(of: group) == group.loads
        else { return false }
        let sources = try group.loads.map { try value($0) }
        let layout = layout(sources[0])
        guard !sources.contains(where: isUndecided), self.layout(sources[1]) == layout else { return false }
        let request = MergeRequest(
            kind: kind, isRectified: group.members.count == 2, count: layout.memoryCount(merged.shape))
        guard let kernel = try catalog.kernel(for: request) else { return false }
        let output = addValue(result.operation.rule.name, result.node.type, layout)
        valueOf[result] = output
        addCall(
            request, kernel,
            [(.source, sources[0], false), (.otherSource, sources[1], false), (.destination, output, true)],
            note: "\(kind.name), \(kernel.implementation)" + (request.isRectified ? " + relu" : ""))
        return true
    }
}
