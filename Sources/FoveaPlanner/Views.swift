import FoveaGraph

/// How the elements of a tensor are read from memory in which they lie differently.
struct Walk: Hashable {
    var modes: [AxisMode]
    var offset = 0
}

/// Reshapes, broadcasts, transposes and slices, which cost nothing: whoever reads them walks the memory of what they show.
struct Views {
    /// Views that are computed into memory of their own all the same.
    var computed = Set<Tensor>()

    /// The tensor whose memory a tensor is read from.
    func source(_ tensor: Tensor) -> Tensor {
        var tensor = tensor
        while case .view = tensor.operation.family, !computed.contains(tensor) { tensor = tensor.inputs[0] }
        return tensor
    }

    /// The same, through reshapes only: equal elements at equal places.
    func reshapedSource(_ tensor: Tensor) -> Tensor {
        var tensor = tensor
        while case .reshape = tensor.operation, !computed.contains(tensor) { tensor = tensor.inputs[0] }
        return tensor
    }

    /// The walk through the source's memory (row-major unless `layout` says otherwise) that meets the tensor's elements
    /// in row-major order; nil where strides cannot express it.
    func walk(_ tensor: Tensor, layout: Layout? = nil) -> Walk? {
        guard case .view = tensor.operation.family, !computed.contains(tensor) else {
            switch layout ?? .rowMajor(tensor.shape) {
            case .dense(let modes): return Walk(modes: modes)
            case .padded: return nil
            }
        }
        return viewWalk(tensor, layout: layout)
    }

    /// The walk of a view through the memory of its source, whether or not it is also computed.
    func viewWalk(_ tensor: Tensor, layout: Layout? = nil) -> Walk? {
        let input = tensor.inputs[0]
        guard var walk = walk(input, layout: layout) else { return nil }
        if case .reshape = tensor.operation { return walk }
        guard var axes = walk.modes.split(at: input.shape.dimensions) else { return nil }
        switch tensor.operation {
        case .broadcast:
            let added = tensor.shape.rank - input.shape.rank
            axes = tensor.shape.dimensions.enumerated().map { axis, extent in
                axis < added || input.shape[axis - added] != extent
                    ? [AxisMode(extent, 0)] : axes[axis - added]
            }
        case .transpose(let rule):
            axes = rule.permutation.map { axes[$0] }
        case .slice(let rule):
            for axis in axes.indices where rule.extents[axis] != input.shape[axis] {
                guard let outer = axes[axis].first else { return nil }
                // An axis in blocks can be cut between them.
                let inner = axes[axis].dropFirst()
                let block = inner.reduce(1) { $0 * $1.extent }
                guard
                    block == 1
                        || rule.strides[axis] == 1 && rule.starts[axis] % block == 0
                            && rule.extents[axis] % block == 0
                else { return nil }
                walk.offset += rule.starts[axis] / block * outer.stride
                axes[axis] =
                    [AxisMode(rule.extents[axis] / block, outer.stride * rule.strides[axis])] + inner
            }
        default: return nil
        }
        walk.modes = axes.flatMap { $0 }.filter { $0.extent != 1 }
        return walk
    }
}
