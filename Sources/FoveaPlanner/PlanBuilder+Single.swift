import FoveaGraph

extension PlanBuilder {
    /// The calls of an operation that stands alone.
    mutating func addSingle(_ tensor: Tensor) throws {
        switch tensor.operation {
        case .reduction(let rule):
            try addReduction(tensor, .combine(rule.kind), axes: rule.axes)
        case .argMax(let rule):
            try addReduction(tensor, .argMax, axes: [rule.axis])
        case .softmax(let rule):
            try addSoftmax(tensor, rule)
        case .batchNorm(let rule):
            try addNormalization(tensor, rule)
        case .batchNormGradient(let rule):
            try addNormalizationGradient(tensor, rule)
        case .maxPool(let rule):
            try addPooling(tensor, .max(isRectified: rule.isRectified), rule.window)
        case .averagePool(let rule):
            try addPooling(tensor, .average(countsPadding: rule.countsPadding), rule.window)
        case .maxPoolGradient(let rule):
            try addMaxPoolGradient(tensor, rule)
        case .averagePoolGradient(let rule):
            try addAveragePoolGradient(tensor, rule.pool)
        case .gather(let rule):
            try addGather(
                tensor, axis: rule.axis, sharedAxes: rule.sharedAxes, table: tensor.inputs[0].shape,
                isScatter: false)
        case .scatterAdd(let rule):
            try addGather(
                tensor, axis: rule.axis, sharedAxes: rule.sharedAxes, table: tensor.shape, isScatter: true)
        case .pad(let rule):
            try addPad(tensor, rule)
        case .concatenate(let rule):
            try addConcatenation(tensor, axis: rule.axis)
        default: throw PlanError.unbound(tensor)
        }
    }

    private mutating func result(_ tensor: Tensor, _ layout: Layout? = nil) -> Plan.ValueID {
        let value = addValue(tensor.operation.rule.name, tensor.node.type, layout ?? .rowMajor(tensor.shape))
        valueOf[tensor] = value
        return value
    }

    // MARK: - Along axes

    private mutating func addReduction(_ tensor: Tensor, _ kind: ReductionKernel.Kind, axes: [Int]) throws {
        let input = tensor.inputs[0]
        var source = try value(input)
        decide(source, .rowMajor(input.shape))
        var parts = layout(source).reduced(input.shape, over: axes, to: tensor.shape)
        if parts == nil {
            source = try value(source, in: .rowMajor(input.shape))
            parts = layout(source).reduced(input.shape, over: axes, to: tensor.shape)
        }
        guard let parts else { throw PlanError.unbound(input) }
        let kernel = ReductionKernel(
            kind: kind, dtype: input.dtype, kept: parts.kept, reduced: parts.reduced)
        let output = result(tensor, parts.result)
        addCall(
            .reduction(kernel), [(.source, source, false), (.destination, output, true)],
            note: "\(tensor.operation.rule.name) over axes \(axes) of \(input.shape)")
    }

    private mutating func addSoftmax(_ tensor: Tensor, _ rule: Softmax) throws {
        let source = try rowMajorValue(tensor.inputs[0])
        let output = result(tensor)
        let extents = tensor.shape.dimensions
        let kernel = SoftmaxKernel(
            isLogarithmic: rule.isLogarithmic, outer: extents[..<rule.axis].reduce(1, *),
            extent: extents[rule.axis], inner: extents[(rule.axis + 1)...].reduce(1, *))
        addCall(
            .softmax(kernel), [(.source, source, false), (.destination, output, true)],
            note: "\(rule.name) along axis \(rule.axis) of \(tensor.shape)")
    }

    // MARK: - Pooling

    private mutating func addPooling(_ tensor: Tensor, _ kind: PoolingRequest.Kind, _ window: SlidingWindow)
        throws
    {
        let images = tensor.inputs[0]
        let source = try imagesByChannel(images)
        let request = PoolingRequest(
            kind: kind, isGradient: false, window: window, images: images.shape, output: tensor.shape,
            imagesLayout: layout(source),
            outputLayout: layout(source).carried(from: images.shape, to: tensor.shape),
            keepsWinners: winnersKey(kind, images, window).map(pooledForGradient.contains) ?? false)
        let output = result(tensor, request.outputLayout)
        try addPoolingCall(request, images, source, output)
    }

    private mutating func addPoolingCall(
        _ request: PoolingRequest, _ images: Tensor, _ source: Plan.ValueID, _ output: Plan.ValueID
    ) throws {
        let choice = try catalog.choose(request)
        var operands: [(Plan.Operand.Role, Plan.ValueID, Bool)] = [
            (.source, source, false), (.destination, output, true),
        ]
        if request.keepsWinners {
            let kept = addBytes("winners", choice.winnersBytes)
            if let key = winnersKey(request.kind, images, request.window) { winners[key] = (kept, choice) }
            operands.append((.winners, kept, true))
        }
        addCall(.pooling(choice), operands, scratchpad: choice.scratchpadBytes, note: choice.implementation)
    }

    /// Under what a max-pooling's winners are kept; nil for other poolings.
    private func winnersKey(
        _ kind: PoolingRequest.Kind, _ images: Tensor, _ window: SlidingWindow
    ) -> WinnersKey? {
        guard case .max(let isRectified) = kind else { return nil }
        return WinnersKey(images: images, window: window, isRectified: isRectified)
    }

    /// Images in a layout that pooling can carry over to its output: row-major, or in blocks of channels.
    mutating func imagesByChannel(_ images: Tensor) throws -> Plan.ValueID {
        let source = try value(images)
        decide(source, .rowMajor(images.shape))
        let isCarried = layout(source).channelBlock(of: images.shape) != nil
        return isCarried ? source : try value(source, in: .rowMajor(images.shape))
    }

    private mutating func addMaxPoolGradient(_ tensor: Tensor, _ rule: MaxPoolGradient) throws {
        let (images, upstream) = (tensor.inputs[0], tensor.inputs[1])
        let key = WinnersKey(images: images, window: rule.window, isRectified: rule.isRectified)
        if winners[key] == nil {
            // Nobody needed the pooled images, but the gradient needs to know the winners.
            let source = try imagesByChannel(images)
            let request = PoolingRequest(
                kind: .max(isRectified: rule.isRectified), isGradient: false, window: rule.window,
                images: images.shape, output: upstream.shape,
                imagesLayout: layout(source),
                outputLayout: layout(source).carried(from: images.shape, to: upstream.shape),
                keepsWinners: true)
            let pooled = addValue("maxPool", upstream.node.type, request.outputLayout)
            try addPoolingCall(request, images, source, pooled)
        }
        guard let (kept, forward) = winners[key] else { throw PlanError.unbound(tensor) }
        var request = forward.request
        request.isGradient = true
        let choice = try catalog.choose(request)
        let source = try value(value(upstream), in: request.outputLayout)
        let output = result(tensor, request.imagesLayout)
        addCall(
            .pooling(choice),
            [(.destination, source, false), (.winners, kept, false), (.source, output, true)],
            scratchpad: choice.scratchpadBytes, note: choice.implementation)
    }

    private mutating func addAveragePoolGradient(_ tensor: Tensor, _ pool: AveragePool) throws {
        let upstream = tensor.inputs[0]
        let source = try imagesByChannel(upstream)
        let request = PoolingRequest(
            kind: .average(countsPadding: pool.countsPadding), isGradient: true, window: pool.window,
            images: tensor.shape, output: upstream.shape,
            imagesLayout: layout(source).carried(from: upstream.shape, to: tensor.shape),
            outputLayout: layout(source), keepsWinners: false)
        let choice = try catalog.choose(request)
        let output = result(tensor, request.imagesLayout)
        addCall(
            .pooling(choice), [(.destination, source, false), (.source, output, true)],
            scratchpad: choice.scratchpadBytes, note: choice.implementation)
    }

    // MARK: - Moving

    private mutating func addGather(
        _ tensor: Tensor, axis: Int, sharedAxes: Int, table: Shape, isScatter: Bool
    ) throws {
        let source = try rowMajorValue(tensor.inputs[0])
        let indices = try rowMajorValue(tensor.inputs[1])
        let output = result(tensor)
        let kernel = GatherKernel(
            isScatter: isScatter, elementByteCount: tensor.dtype.byteCount,
            groups: table.dimensions[..<sharedAxes].reduce(1, *),
            outer: table.dimensions[sharedAxes..<axis].reduce(1, *), extent: table[axis],
            inner: table.dimensions[(axis + 1)...].reduce(1, *),
            count: tensor.inputs[1].shape.dimensions[sharedAxes...].reduce(1, *))
        addCall(
            .gather(kernel),
            [(.source, source, false), (.indices, indices, false), (.destination, output, true)],
            note: "\(kernel.count) of \(kernel.extent)")
    }

    private mutating func addPad(_ tensor: Tensor, _ rule: Pad) throws {
        let input = tensor.inputs[0]
        let source = try rowMajorValue(input)
        let output = result(tensor)
        let value = TensorValue(shape: .scalar, dtype: tensor.dtype, doubles: [Double(rule.value)])
        var fill = ElementwiseProgram()
        let register = fill.newRegister()
        fill.instructions.append(
            tensor.dtype.isFloatingPoint
                ? .constant(register, value.scalar) : .integerConstant(register, value.integers[0]))
        fill.instructions.append(.store(operand: 0, register))
        addCall(
            .elementwise(
                ElementwiseKernel(
                    extents: [tensor.shape.elementCount], program: fill,
                    operands: [.init(value: output, offset: 0, strides: [1], isStored: true)])),
            [(.element, output, true)], note: "fill with \(rule.value)")
        let strides = tensor.shape.rowMajorStrides
        let offset = zip(rule.low, strides).reduce(0) { $0 + $1.0 * $1.1 }
        addCopy(
            source, of: input.shape, to: output, offset: offset,
            strides: strides.indices.map { strides[$0] * (rule.interior[$0] + 1) })
    }

    /// Each tensor is copied into its part. Images whose channels fill whole blocks stay in blocks.
    private mutating func addConcatenation(_ tensor: Tensor, axis: Int) throws {
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
            let choice = try catalog.choose(request)
            addCall(
                .reorder(request), [(.source, source, false), (.destination, output, true)],
                scratchpad: choice.scratchpadBytes,
                note: "\(input.shape) into its part, \(choice.implementation)")
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

    /// Copies a row-major value into a part of another.
    private mutating func addCopy(
        _ source: Plan.ValueID, of shape: Shape, to output: Plan.ValueID, offset: Int, strides: [Int]
    ) {
        var copy = ElementwiseProgram()
        let register = copy.newRegister()
        copy.instructions = [.load(register, operand: 0), .store(operand: 1, register)]
        addCall(
            .elementwise(
                ElementwiseKernel(
                    extents: shape.dimensions.isEmpty ? [1] : shape.dimensions, program: copy,
                    operands: [
                        .init(
                            value: source, offset: 0,
                            strides: shape.dimensions.isEmpty ? [0] : shape.rowMajorStrides, isStored: false),
                        .init(
                            value: output, offset: offset, strides: strides.isEmpty ? [0] : strides,
                            isStored: true),
                    ])),
            [(.element, source, false), (.element, output, true)], note: "copy of \(shape)")
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

    /// The size of the channel blocks of images: all channels for row-major ones, nil for any other layout.
    package func channelBlock(of shape: Shape) -> Int? {
        if isRowMajor(shape) { return shape.channels }
        guard shape.rank == 4 else { return nil }
        let sizes: [Int] =
            switch self {
            case .padded(let padded): padded.blocks.map(\.size)
            case .dense: modes(byAxisOf: shape)?.last.map { $0.count == 2 ? [$0[1].extent] : [] } ?? []
            }
        guard sizes.count == 1, self == Layout.channelBlocks(sizes[0], shape) else { return nil }
        return sizes[0]
    }

    /// Images as `[batch, channels / block, height, width, block]`, the last block completed with zeros.
    package static func channelBlocks(_ block: Int, _ shape: Shape) -> Layout {
        let (height, width, channels) = (shape[1], shape[2], shape[3])
        let blocks = (channels + block - 1) / block
        let strides = [blocks * height * width * block, width * block, block, height * width * block]
        if channels % block == 0 {
            return Layout([
                AxisMode(shape[0], strides[0]), AxisMode(height, strides[1]), AxisMode(width, strides[2]),
                AxisMode(blocks, strides[3]), AxisMode(block, 1),
            ])
        }
        return .padded(
            PaddedLayout(
                extents: shape.dimensions, strides: strides, blocks: [.init(axis: 3, size: block)]))
    }

    /// The same kind of layout for images of another size.
    func carried(from shape: Shape, to other: Shape) -> Layout {
        guard !isRowMajor(shape), let block = channelBlock(of: shape) else { return .rowMajor(other) }
        return .channelBlocks(block, other)
    }
}
