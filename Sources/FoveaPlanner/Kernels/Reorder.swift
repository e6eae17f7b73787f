import FoveaGraph

/// A change of layout, or a copy into a part of other memory. Both sides are given over the same extents.
public struct ReorderRequest: KernelRequest, Hashable {
    public struct Side: Hashable, Sendable {
        public var strides: [Int]
        public var blocks: [PaddedLayout.Block] = []
        /// Elements before the first.
        public var offset = 0
    }

    public var extents: [Int]
    public var dtype: DType
    public var from: Side
    public var to: Side
    /// Whether `to` is memory of more than is copied.
    public var isPart = false

    public var name: String { isPart ? "copy" : "layout change" }
}

extension Concatenate: SingleOperation {
    func addCalls(for tensor: Tensor, to builder: inout PlanBuilder) throws {
        try builder.addConcatenation(tensor, axis: axis)
    }
}

extension PlanBuilder {
    mutating func addReorder(from: Plan.ValueID, to: Plan.ValueID) throws {
        let type = plan.values[from].type
        guard let request = reorderRequest(type, from: layout(from), to: layout(to)) else {
            // Two layouts that share no description meet in row-major order.
            let middle = try value(from, in: .rowMajor(type.shape))
            return try addReorder(from: middle, to: to)
        }
        let note = "\(layout(from).description(type.shape)) → \(layout(to).description(type.shape))"
        addCall(
            request, try catalog.kernel(for: request), [(.source, from, false), (.destination, to, true)],
            note: note)
    }

    /// Each tensor is copied into its part. Images whose channels fill whole blocks stay in blocks.
    fileprivate mutating func addConcatenation(_ tensor: Tensor, axis: Int) throws {
        let block = axis == 3 ? try commonBlock(of: tensor.inputs) : nil
        func layout(of shape: Shape) -> Layout {
            block.map { .channelBlocks($0, shape) } ?? .rowMajor(shape)
        }
        let sources = try tensor.inputs.map { try value(value($0), in: layout(of: $0.shape)) }
        let output = result(tensor, layout(of: tensor.shape))
        // Memory is whole parts of all tensors in turn: of each image, or of all that comes before the axis.
        let outer = tensor.shape.dimensions[..<(block == nil ? axis : 1)].reduce(1, *)
        let total = tensor.shape.elementCount / outer
        var start = 0
        for (source, input) in zip(sources, tensor.inputs) {
            let part = input.shape.elementCount / outer
            let request = ReorderRequest(
                extents: [outer, part], dtype: tensor.dtype, from: .init(strides: [part, 1]),
                to: .init(strides: [total, 1], offset: start),
                isPart: true)
            let kernel = try catalog.kernel(for: request)
            addCall(
                request, kernel, [(.source, source, false), (.destination, output, true)],
                note: "\(input.shape) into its part, \(kernel.implementation)")
            start += part
        }
    }

    /// The blocks of channels that some of the images lie in, if all of them fill such blocks.
    private mutating func commonBlock(of images: [Tensor]) throws -> Int? {
        for image in images {
            let layout = layout(try value(image))
            guard !layout.isRowMajor(image.shape), let block = layout.channelBlock(of: image.shape) else {
                continue
            }
            return images.allSatisfy { $0.shape.channels % block == 0 } ? block : nil
        }
        return nil
    }
}

/// Both sides of a layout change over common extents, if there are such.
private func reorderRequest(_ type: TensorType, from: Layout, to: Layout) -> ReorderRequest? {
    func side(_ layout: Layout, _ extents: [Int]) -> ReorderRequest.Side? {
        switch layout {
        case .padded(let padded):
            return padded.extents == extents ? .init(strides: padded.strides, blocks: padded.blocks) : nil
        case .dense(let modes):
            guard let axes = modes.split(at: extents), axes.allSatisfy({ $0.count <= 1 }) else { return nil }
            return .init(strides: zip(axes, extents).map { $0.first?.stride ?? $1 })
        }
    }
    let extents: [Int]
    switch (from, to) {
    case (.padded(let padded), _), (_, .padded(let padded)): extents = padded.extents
    case (.dense(let a), .dense(let b)):
        guard let common = commonModes([a, b]) else { return nil }
        extents = common.extents.isEmpty ? [1] : common.extents
    }
    guard let a = side(from, extents), let b = side(to, extents) else { return nil }
    return ReorderRequest(extents: extents, dtype: type.dtype, from: a, to: b)
}
