import FoveaGraph

extension PlanBuilder {
    /// The call of a group that works on padded blocks as they are; false, and nothing done, where that is not possible.
    ///
    /// The zeros that complete blocks must stay: whoever reads the blocks next sums over them. Where the program does not
    /// leave zeros by itself, a mask sees to it.
    mutating func addPadded(_ group: ElementwiseGroup) throws -> Bool {
        let layout = try preferredLayout(of: group)
        guard case .padded(let padded) = layout else { return false }
        let wholes = wholes(of: group)
        let agree = try wholes.allSatisfy { whole in
            let source = try value(origin(whole))
            return self.layout(source) == layout || isUndecided(source)
        }
        let canWrite = group.written.allSatisfy { tensor in
            inPlace[tensor] == nil || valueOfUpdate(tensor).map { self.layout($0) } == layout
        }
        guard agree, canWrite else { return false }

        var space = padded.space(layout)
        for load in group.loads {
            if wholes.contains(load) {
                space.loads.append(.init(strides: padded.axes.map(\.stride)))
                continue
            }
            let source = try value(origin(load))
            if isUndecided(source) { decide(source, .rowMajor(plan.values[source].type.shape)) }
            guard let walk = walk(load, from: self.layout(source)),
                let strides = padded.strides(of: walk.modes)
            else { return false }
            let count = self.layout(source).memoryCount(plan.values[source].type.shape)
            space.loads.append(space.place(strides, offset: walk.offset, of: count))
        }
        for sum in group.sums {
            guard let strides = padded.strides(of: sum.resultModes) else { return false }
            space.sums.append(space.place(strides, of: sum.shape.elementCount))
        }
        space.stores = group.written.map { _ in padded.axes.map(\.stride) }
        if group.isCounting {
            guard let strides = padded.strides(of: [AxisMode(group.elementCount, 1)]) else { return false }
            space.count = strides
        }

        var program = try ElementwiseAssembler(views, group).program
        let others = group.loads.filter { !wholes.contains($0) }
        let zeros = Set(group.loads.indices.filter { wholes.contains(group.loads[$0]) })
        if group.isCounting || others.contains(where: { views.source(origin($0)).shape.elementCount > 1 })
            || !program.keepsZero(operands: zeros)
        {
            guard let mask = mask(padded) else { return false }
            space.mask = mask
            program = try ElementwiseAssembler(views, group, isMasked: true).program
            guard program.withSharedRegisters().registerCount <= ElementwiseProgram.registerLimit else {
                return false
            }
        }
        for whole in wholes { decide(try value(origin(whole)), layout) }
        try emit(group, space, program)
        return true
    }

    /// Truths along the one axis that is padded, and how they are walked; nil where more axes are.
    private mutating func mask(_ layout: PaddedLayout) -> (value: Plan.ValueID, strides: [Int])? {
        let axes = layout.axes
        let padded = Set(axes.map(\.axis)).filter { axis in
            axes.filter { $0.axis == axis }.reduce(1) { $0 * $1.extent } != layout.extents[axis]
        }
        guard let axis = padded.first, padded.count == 1 else { return nil }
        let count = axes.filter { $0.axis == axis }.reduce(1) { $0 * $1.extent }
        let extent = layout.extents[axis]
        let value =
            masks[[extent, count]]
            ?? addValue(
                "mask", TensorType([count], .bool), .rowMajor([count]),
                .constant(
                    TensorValue(
                        shape: [count], dtype: .bool, doubles: (0..<count).map { $0 < extent ? 1 : 0 })))
        masks[[extent, count]] = value
        return (value, axes.map { $0.axis == axis ? $0.step : 0 })
    }
}

extension IterationSpace {
    /// A walk through memory of so many elements, which padding may lead beyond its end.
    fileprivate func place(_ strides: [Int], offset: Int = 0, of count: Int) -> Place {
        let last = zip(extents, strides).reduce(offset) { $0 + ($1.0 - 1) * $1.1 }
        return Place(strides: strides, offset: offset, limit: last < count ? nil : count)
    }
}

extension PaddedLayout {
    /// Part of an axis as memory has it: whole blocks, or the places in one.
    struct BlockAxis {
        var axis: Int
        var extent: Int
        /// In memory.
        var stride: Int
        /// Along the axis.
        var step: Int
    }

    /// What walks the memory from its start to its end, padding included.
    var axes: [BlockAxis] {
        var result: [BlockAxis] = []
        var sizes = [Int](repeating: 1, count: extents.count)
        var stride = 1
        for block in blocks.reversed() {
            result.append(
                BlockAxis(axis: block.axis, extent: block.size, stride: stride, step: sizes[block.axis]))
            sizes[block.axis] *= block.size
            stride *= block.size
        }
        for axis in extents.indices {
            result.append(
                BlockAxis(
                    axis: axis, extent: (extents[axis] + sizes[axis] - 1) / sizes[axis],
                    stride: strides[axis], step: sizes[axis]))
        }
        // Of axes of one element, which may share their stride with others, the order does not matter.
        return result.filter { $0.extent > 1 }.sorted { $0.stride > $1.stride }
    }

    /// The strides over `axes` of a walk in row-major order, which goes on in steps where the padding is; nil where it has
    /// no single step along an axis.
    func strides(of modes: [AxisMode]) -> [Int]? {
        guard let parts = modes.filter({ $0.extent != 1 }).split(at: extents) else { return nil }
        let steps = parts.map { $0.coalesced() }
        guard steps.allSatisfy({ $0.count == 1 }) else { return nil }
        return axes.map { steps[$0.axis][0].extent == 1 ? 0 : steps[$0.axis][0].stride * $0.step }
    }

    /// The axes, without operands yet.
    fileprivate func space(_ layout: Layout) -> IterationSpace {
        IterationSpace(layout: layout, extents: axes.map(\.extent), loads: [], stores: [], sums: [])
    }
}
