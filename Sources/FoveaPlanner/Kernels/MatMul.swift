import FoveaGraph

/// `c = a b (+ bias) (rectified)` for each of `batch` matrices, operands read by strides.
public struct MatMulRequest: KernelRequest, Hashable {
    public struct Matrix: Hashable, Sendable {
        /// 0 when all of the batch share the matrix.
        public var batchStride: Int
        public var rowStride: Int
        public var columnStride: Int
    }

    public var batch: Int
    public var rows: Int
    public var inner: Int
    public var columns: Int
    public var a: Matrix
    public var b: Matrix
    public var c: Matrix
    public var hasBias = false
    public var hasReLU = false

    public var name: String { "matmul" }

    public var operationCount: Int? { 2 * batch * rows * inner * columns }
}

extension PlanBuilder {
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
        let kernel = try catalog.kernel(for: request)
        let value = addValue(tensor.operation.rule.name, tensor.node.type, output.layout)
        valueOf[result] = value
        var operands: [(Plan.Operand.Role, Plan.ValueID, Bool)] = [
            (.source, output.a, false), (.weights, output.b, false), (.destination, value, true),
        ]
        if let bias { operands.append((.bias, try rowMajorValue(bias), false)) }
        let fused = (bias != nil ? " + bias" : "") + (hasReLU ? " + relu" : "")
        addCall(request, kernel, operands, note: kernel.implementation + fused)
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
