import FoveaGraph

extension FusedKernel {
    /// What a forward convolution asks for.
    fileprivate func forwardRequest(_ rule: Convolution) -> ConvolutionRequest {
        var request = ConvolutionRequest(
            direction: .forward, convolution: rule, images: members[0].inputs[0].shape,
            kernel: members[0].inputs[1].shape, output: members[0].shape)
        if case .contraction(let bias, let hasReLU) = kind {
            request.hasBias = bias != nil
            request.hasReLU = hasReLU
        }
        return request
    }
}

extension PlanBuilder {
    // MARK: - Convolution

    /// The layout in which a forward convolution wants to read one of the tensors, if memory in that layout has no
    /// padding.
    func layoutForConvolution(of tensors: [Tensor]) throws -> Layout? {
        for tensor in tensors {
            guard let kernel = convolutionOf[tensor],
                case .convolution(let rule) = kernel.members[0].operation
            else { continue }
            let wanted = try catalog.choose(kernel.forwardRequest(rule)).images
            if case .dense = wanted { return wanted }
        }
        return nil
    }

    mutating func addConvolution(_ kernel: FusedKernel, bias: Tensor?, hasReLU: Bool) throws {
        let tensor = kernel.members[0]
        let result = kernel.members[kernel.members.count - 1]
        let shapes = tensor.inputs.map(\.shape)
        var request: ConvolutionRequest
        switch tensor.operation {
        case .convolution(let rule):
            request = kernel.forwardRequest(rule)
            let choice = try catalog.choose(request)
            let images = try value(value(tensor.inputs[0]), in: choice.images)
            let weights = try value(value(tensor.inputs[1]), in: choice.kernel)
            let output = addValue(tensor.operation.rule.name, tensor.node.type, choice.output)
            valueOf[result] = output
            var operands: [(Plan.Operand.Role, Plan.ValueID, Bool)] = [
                (.source, images, false), (.weights, weights, false), (.destination, output, true),
            ]
            if let bias { operands.append((.bias, try rowMajorValue(bias), false)) }
            operands += packedWeights(choice)
            let fused = (bias != nil ? " + bias" : "") + (hasReLU ? " + relu" : "")
            addCall(
                .convolution(choice), operands, scratchpad: choice.scratchpadBytes,
                note: choice.implementation + fused)

        case .convolutionInputGradient(let rule):
            request = ConvolutionRequest(
                direction: .inputGradient, convolution: rule.convolution, images: tensor.shape,
                kernel: shapes[0],
                output: shapes[1])
            let choice = try catalog.choose(request)
            let weights = try value(value(tensor.inputs[0]), in: choice.kernel)
            let upstream = try value(value(tensor.inputs[1]), in: choice.output)
            let output = addValue(tensor.operation.rule.name, tensor.node.type, choice.images)
            valueOf[result] = output
            addCall(
                .convolution(choice),
                [(.destination, upstream, false), (.weights, weights, false), (.source, output, true)]
                    + packedWeights(choice),
                scratchpad: choice.scratchpadBytes, note: choice.implementation)

        case .convolutionKernelGradient(let rule):
            request = ConvolutionRequest(
                direction: .kernelGradient, convolution: rule.convolution, images: shapes[0],
                kernel: tensor.shape,
                output: shapes[1], hasBias: kernel.biasGradient != nil)
            let choice = try catalog.choose(request)
            let images = try value(value(tensor.inputs[0]), in: choice.images)
            let upstream = try value(value(tensor.inputs[1]), in: choice.output)
            let output = addValue(tensor.operation.rule.name, tensor.node.type, choice.kernel)
            valueOf[result] = output
            var operands: [(Plan.Operand.Role, Plan.ValueID, Bool)] = [
                (.source, images, false), (.destination, upstream, false), (.weights, output, true),
            ]
            if let bias = kernel.biasGradient {
                let gradient = addValue("bias gradient", bias.node.type, .rowMajor(bias.shape))
                valueOf[bias] = gradient
                operands.append((.bias, gradient, true))
            }
            addCall(
                .convolution(choice), operands, scratchpad: choice.scratchpadBytes,
                note: choice.implementation + (kernel.biasGradient != nil ? " + bias gradient" : ""))

        default: throw PlanError.unbound(tensor)
        }
    }

    private mutating func packedWeights(
        _ choice: ConvolutionChoice
    ) -> [(Plan.Operand.Role, Plan.ValueID, Bool)] {
        guard choice.packedKernelBytes > 0 else { return [] }
        return [(.packedWeights, addBytes("packed kernel", choice.packedKernelBytes), true)]
    }

    // MARK: - Matrix products

    mutating func addMatMul(_ rule: MatMul, _ members: [Tensor], bias: Tensor?, hasReLU: Bool) throws {
        let tensor = members[0]
        let result = members[members.count - 1]
        let (a, b) = (tensor.inputs[0], tensor.inputs[1])
        let (rows, inner) = MatMul.matrix(a.shape, rule.transposeA)
        let columns = MatMul.matrix(b.shape, rule.transposeB).columns
        let output =
            try a.shape.rank == 2
            ? matrixProduct(rule, tensor, rows, inner, columns, needsPlainColumns: bias != nil)
            : batchProduct(rule, tensor, rows, inner, columns)
        var request = output.request
        request.hasBias = bias != nil
        request.hasReLU = hasReLU
        let choice = try catalog.choose(request)
        let value = addValue(tensor.operation.rule.name, tensor.node.type, output.layout)
        valueOf[result] = value
        var operands: [(Plan.Operand.Role, Plan.ValueID, Bool)] = [
            (.source, output.a, false), (.weights, output.b, false), (.destination, value, true),
        ]
        if let bias { operands.append((.bias, try rowMajorValue(bias), false)) }
        let fused = (bias != nil ? " + bias" : "") + (hasReLU ? " + relu" : "")
        addCall(
            .matmul(choice), operands, scratchpad: choice.scratchpadBytes,
            note: choice.implementation + fused)
    }

    private typealias Product = (request: MatMulRequest, a: Plan.ValueID, b: Plan.ValueID, layout: Layout)

    /// Two matrices. Rows and columns may lie in memory in another order than they are numbered, as after flattening
    /// blocked images: a product is right as long as both operands agree on the order of the inner extent, so the
    /// weights take the order in which the images come.
    private mutating func matrixProduct(
        _ rule: MatMul, _ tensor: Tensor, _ rows: Int, _ inner: Int, _ columns: Int, needsPlainColumns: Bool
    ) throws -> Product {
        let (shapeA, shapeB) = (tensor.inputs[0].shape, tensor.inputs[1].shape)
        var a = try value(tensor.inputs[0])
        var b = try value(tensor.inputs[1])
        let plain = { (extent: Int) in Layout([AxisMode(extent, 1)]) }

        func matrix(_ value: Plan.ValueID, _ shape: Shape, _ isTransposed: Bool) -> MatrixOrder? {
            isUndecided(value) ? nil : MatrixOrder(layout(value), shape, isTransposed: isTransposed)
        }
        if !isUndecided(a), matrix(a, shapeA, rule.transposeA) == nil {
            a = try value(a, in: .rowMajor(shapeA))
        }
        if !isUndecided(b), matrix(b, shapeB, rule.transposeB) == nil {
            b = try value(b, in: .rowMajor(shapeB))
        }
        if needsPlainColumns, let order = matrix(b, shapeB, rule.transposeB), order.columns != plain(columns)
        {
            b = try value(b, in: .rowMajor(shapeB))
        }
        // An undecided variable takes the other operand's inner order.
        let innerOrder =
            matrix(b, shapeB, rule.transposeB)?.rows ?? matrix(a, shapeA, rule.transposeA)?.columns
            ?? plain(inner)
        if isUndecided(b) {
            decide(
                b, MatrixOrder(rows: innerOrder, columns: plain(columns)).layout(transposed: rule.transposeB))
        }
        let rowsOfA = matrix(a, shapeA, rule.transposeA)?.rows ?? plain(rows)
        if matrix(a, shapeA, rule.transposeA)?.columns != innerOrder {
            a = try value(
                a, in: MatrixOrder(rows: rowsOfA, columns: innerOrder).layout(transposed: rule.transposeA))
        }
        guard let orderA = matrix(a, shapeA, rule.transposeA), let orderB = matrix(b, shapeB, rule.transposeB)
        else {
            throw PlanError.noKernel("matrices that cannot be laid out for a product")
        }
        let request = MatMulRequest(
            batch: 1, rows: rows, inner: inner, columns: columns,
            a: .init(batchStride: 0, rowStride: orderA.rowStride, columnStride: orderA.columnStride),
            b: .init(batchStride: 0, rowStride: orderB.rowStride, columnStride: orderB.columnStride),
            c: .init(batchStride: 0, rowStride: columns, columnStride: 1))
        return (
            request, a, b, MatrixOrder(rows: orderA.rows, columns: orderB.columns).layout(transposed: false)
        )
    }

    /// Batches of matrices, in row-major order. A matrix shared by the batch multiplies all rows at once.
    private mutating func batchProduct(
        _ rule: MatMul, _ tensor: Tensor, _ rows: Int, _ inner: Int, _ columns: Int
    ) throws -> Product {
        let a = try rowMajorValue(tensor.inputs[0])
        let b = try rowMajorValue(tensor.inputs[1])
        let batch = tensor.shape.dimensions.dropLast(2).reduce(1, *)
        let isShared = tensor.inputs[1].shape.rank == 2
        let joinsRows = isShared && !rule.transposeA
        func strides(_ rows: Int, _ columns: Int, _ isTransposed: Bool, _ batchStride: Int)
            -> MatMulRequest.Matrix
        {
            .init(
                batchStride: batchStride, rowStride: isTransposed ? 1 : columns,
                columnStride: isTransposed ? rows : 1)
        }
        let request = MatMulRequest(
            batch: joinsRows ? 1 : batch, rows: joinsRows ? batch * rows : rows, inner: inner,
            columns: columns,
            a: strides(rows, inner, rule.transposeA, joinsRows ? 0 : rows * inner),
            b: strides(inner, columns, rule.transposeB, isShared ? 0 : inner * columns),
            c: strides(rows, columns, false, joinsRows ? 0 : rows * columns))
        return (request, a, b, .rowMajor(tensor.shape))
    }
}

/// The order in memory of a matrix's rows and of its columns, each as a layout of its own, and the steps between
/// neighbours: a matrix that a product can read.
private struct MatrixOrder {
    var rows: Layout
    var columns: Layout
    var rowStride: Int
    var columnStride: Int

    /// A row-major matrix of rows and columns in these orders.
    init(rows: Layout, columns: Layout) {
        self.rows = rows
        self.columns = columns
        columnStride = 1
        rowStride = Self.count(columns)
    }

    /// Reads the order of a matrix in memory, as its transpose if asked; nil when rows and columns are interleaved.
    init?(_ layout: Layout, _ shape: Shape, isTransposed: Bool) {
        guard let axes = layout.modes(byAxisOf: shape) else { return nil }
        func order(_ modes: [AxisMode], from stride: Int) -> Layout? {
            var next = stride
            for mode in modes.sorted(by: { $0.stride < $1.stride }) {
                guard mode.stride == next else { return nil }
                next *= mode.extent
            }
            return Layout(modes.map { AxisMode($0.extent, $0.stride / stride) })
        }
        let (count, countOfColumns) = (shape[0], shape[1])
        if let columns = order(axes[1], from: 1), let rows = order(axes[0], from: countOfColumns) {
            (self.rows, self.columns, rowStride, columnStride) = (rows, columns, countOfColumns, 1)
        } else if let rows = order(axes[0], from: 1), let columns = order(axes[1], from: count) {
            (self.rows, self.columns, rowStride, columnStride) = (rows, columns, 1, count)
        } else {
            return nil
        }
        if isTransposed {
            (rows, columns, rowStride, columnStride) = (columns, rows, columnStride, rowStride)
        }
    }

    /// The layout of the matrix (of its transpose, if asked), stored row by row.
    func layout(transposed: Bool) -> Layout {
        let (outer, inner) = transposed ? (columns, rows) : (rows, columns)
        let step = Self.count(inner)
        return Layout(Self.modes(outer).map { AxisMode($0.extent, $0.stride * step) } + Self.modes(inner))
    }

    private static func modes(_ layout: Layout) -> [AxisMode] {
        if case .dense(let modes) = layout { modes } else { [] }
    }

    private static func count(_ layout: Layout) -> Int { modes(layout).elementCount }
}
