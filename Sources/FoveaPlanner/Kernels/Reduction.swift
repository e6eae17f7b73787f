import FoveaGraph

/// A reduction of a strided source to a row-major result.
public struct ReductionRequest: KernelRequest, Hashable {
    public enum Kind: Sendable, Hashable {
        case combine(Reduction.Kind)
        case argMax
    }

    public var kind: Kind
    public var dtype: DType
    public var kept: [AxisMode]
    public var reduced: [AxisMode]

    public var name: String { "reduction" }
}

extension Reduction: SingleOperation {
    func addCalls(for tensor: Tensor, to builder: inout PlanBuilder) throws {
        try builder.addReduction(tensor, .combine(kind), axes: axes)
    }
}

extension ArgMax: SingleOperation {
    func addCalls(for tensor: Tensor, to builder: inout PlanBuilder) throws {
        try builder.addReduction(tensor, .argMax, axes: [axis])
    }
}

extension PlanBuilder {
    fileprivate mutating func addReduction(_ tensor: Tensor, _ kind: ReductionRequest.Kind, axes: [Int])
        throws
    {
        let input = tensor.inputs[0]
        var source = try value(input)
        decide(source, .rowMajor(input.shape))
        var parts = layout(source).reduced(input.shape, over: axes, to: tensor.shape)
        if parts == nil {
            source = try value(source, in: .rowMajor(input.shape))
            parts = layout(source).reduced(input.shape, over: axes, to: tensor.shape)
        }
        guard let parts else { throw PlanError.unbound(input) }
        let request = ReductionRequest(
            kind: kind, dtype: input.dtype, kept: parts.kept, reduced: parts.reduced)
        let output = result(tensor, parts.result)
        addCall(
            request, try catalog.kernel(for: request),
            [(.source, source, false), (.destination, output, true)],
            note: "\(tensor.operation.rule.name) over axes \(axes) of \(input.shape)")
    }
}

extension Layout {
    /// How a reduction walks memory: the modes that it keeps, those that it combines, and the layout of its result, which has
    /// the padding of what is kept; nil where the memory cannot be walked, or padding would be combined.
    fileprivate func reduced(
        _ shape: Shape, over axes: [Int], to result: Shape
    ) -> (kept: [AxisMode], reduced: [AxisMode], result: Layout)? {
        switch self {
        case .dense:
            guard let modes = modes(byAxisOf: shape) else { return nil }
            let kept = modes.indices.filter { !axes.contains($0) }.flatMap { modes[$0] }
            return (kept, axes.sorted().flatMap { modes[$0] }, .rowMajor(result))
        case .padded(let padded):
            guard padded.extents == shape.dimensions, padded.blocks.count == 1,
                let block = padded.blocks.first,
                !axes.contains(block.axis)
            else { return nil }
            let modes = shape.dimensions.enumerated().map { axis, extent in
                axis == block.axis
                    ? [
                        AxisMode((extent + block.size - 1) / block.size, padded.strides[axis]),
                        AxisMode(block.size, 1),
                    ]
                    : [AxisMode(extent, padded.strides[axis])]
            }
            let kept = modes.indices.filter { !axes.contains($0) }
            // What is kept lies in row-major order, whole blocks at the place of their axis.
            var strides = [Int](repeating: 0, count: modes.count)
            var stride = 1
            for axis in kept.reversed() {
                strides[axis] = axis == block.axis ? block.size : stride
                stride *= modes[axis].elementCount
            }
            let isKeepingDims = result.rank == shape.rank
            let places = isKeepingDims ? Array(modes.indices) : kept
            guard let blockAxis = places.firstIndex(of: block.axis), kept.last == block.axis else {
                return nil
            }
            let layout = PaddedLayout(
                extents: result.dimensions, strides: places.map { strides[$0] },
                blocks: [.init(axis: blockAxis, size: block.size)])
            return (kept.flatMap { modes[$0] }, axes.sorted().flatMap { modes[$0] }, .padded(layout))
        }
    }
}
