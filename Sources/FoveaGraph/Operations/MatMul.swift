/// The matrix product of the last two axes: `c[m, n] = Σₖ a[m, k] b[k, n]`.
///
/// Either operand may be read transposed. Leading axes are batch axes: both operands have the same ones, or `b` has
/// none and is used for all.
public struct MatMul: OperationRule {
    public let transposeA: Bool
    public let transposeB: Bool

    public init(transposeA: Bool = false, transposeB: Bool = false) {
        self.transposeA = transposeA
        self.transposeB = transposeB
    }

    public var name: String { "matmul" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try expect(2, inputs)
        let (a, b) = (inputs[0], inputs[1])
        guard a.shape.rank >= 2, b.shape.rank >= 2, a.dtype == b.dtype, a.dtype.isFloatingPoint else {
            throw error("needs two floating-point tensors of one element type and rank 2 or more", inputs)
        }
        let batch = a.shape.dimensions.dropLast(2)
        guard b.shape.rank == 2 || batch == b.shape.dimensions.dropLast(2) else {
            throw error("the leading (batch) axes differ", inputs)
        }
        let (rows, inner) = Self.matrix(a.shape, transposeA)
        let (innerOfB, columns) = Self.matrix(b.shape, transposeB)
        guard inner == innerOfB else {
            throw error(
                "the inner extents differ: a has \(inner) columns, b has \(innerOfB) rows"
                    + (transposeA || transposeB ? " after transposing" : ""), inputs)
        }
        return TensorType(Shape(batch + [rows, columns]), a.dtype)
    }

    /// Rows and columns of the matrix that an operand is read as.
    public static func matrix(_ shape: Shape, _ isTransposed: Bool) -> (rows: Int, columns: Int) {
        let (rows, columns) = (shape[shape.rank - 2], shape[shape.rank - 1])
        return isTransposed ? (columns, rows) : (rows, columns)
    }

    public func gradients(inputs: [Tensor], output: Tensor, upstream g: Tensor) throws -> [Tensor?] {
        let (a, b) = (inputs[0], inputs[1])
        let isShared = b.shape.rank == 2 && a.shape.rank > 2
        let gradientOfA =
            if !transposeA {
                try Tensor.matmul(g, b, transposeB: !transposeB)
            } else if isShared {
                // Only the second operand of a product can be shared, so the result is transposed instead.
                try Tensor.matmul(g, b, transposeB: !transposeB).matricesTransposed()
            } else {
                try Tensor.matmul(b, g, transposeA: transposeB, transposeB: true)
            }
        // A matrix shared by the batch sums over it: one product of all rows.
        let (rowsOfA, rowsOfG) =
            isShared ? (try a.flattenedRows(transposeA), try g.flattenedRows(false)) : (a, g)
        let readsTransposed = isShared ? false : transposeA
        let gradientOfB =
            transposeB
            ? try Tensor.matmul(rowsOfG, rowsOfA, transposeA: true, transposeB: readsTransposed)
            : try Tensor.matmul(rowsOfA, rowsOfG, transposeA: !readsTransposed)
        return [gradientOfA, gradientOfB]
    }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) -> TensorValue {
        let (a, b) = (inputs[0].doubles, inputs[1].doubles)
        let (rows, inner) = Self.matrix(inputs[0].shape, transposeA)
        let columns = Self.matrix(inputs[1].shape, transposeB).columns
        let isShared = inputs[1].shape.rank == 2
        var results: [Double] = []
        results.reserveCapacity(type.shape.elementCount)
        for batch in 0..<type.shape.dimensions.dropLast(2).reduce(1, *) {
            let (startA, startB) = (batch * rows * inner, isShared ? 0 : batch * inner * columns)
            for row in 0..<rows {
                for column in 0..<columns {
                    var sum = 0.0
                    for k in 0..<inner {
                        let left = transposeA ? k * rows + row : row * inner + k
                        let right = transposeB ? column * inner + k : k * columns + column
                        sum += a[startA + left] * b[startB + right]
                    }
                    results.append(sum)
                }
            }
        }
        return TensorValue(shape: type.shape, dtype: type.dtype, doubles: results)
    }
}

extension Tensor {
    /// The matrix product of the last two axes, either operand read transposed if asked.
    ///
    /// - Throws: `ShapeError` when the inner extents or the batch axes differ.
    public static func matmul(
        _ a: Tensor, _ b: Tensor, transposeA: Bool = false, transposeB: Bool = false
    ) throws(ShapeError) -> Tensor {
        try Tensor(.matmul(MatMul(transposeA: transposeA, transposeB: transposeB)), [a, b])
    }

    /// Rows and columns exchanged.
    fileprivate func matricesTransposed() throws(ShapeError) -> Tensor {
        let rank = shape.rank
        return try transposed(Array(0..<(rank - 2)) + [rank - 1, rank - 2])
    }

    /// All rows of a batch of matrices as one matrix.
    fileprivate func flattenedRows(_ isTransposed: Bool) throws(ShapeError) -> Tensor {
        let matrix = isTransposed ? try matricesTransposed() : self
        let rows = Shape(Array(matrix.shape.dimensions.dropLast())).elementCount
        return try matrix.reshaped(to: [rows, matrix.shape.channels])
    }
}
