/// The same elements, in the same row-major order, under another shape.
public struct Reshape: OperationRule {
    public let shape: Shape
    public init(shape: Shape) { self.shape = shape }
    public var name: String { "reshape" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try expect(1, inputs)
        // Counts that contain different powers of the batch size differ.
        let batchAxes = [shape, inputs[0].shape].map { $0.dimensions.count { $0 < 0 } }
        guard shape.elementCount == inputs[0].shape.elementCount, batchAxes[0] == batchAxes[1] else {
            throw error("the element count of \(shape) differs from the input's", inputs)
        }
        return TensorType(shape, inputs[0].dtype)
    }

    public func gradients(inputs: [Tensor], output: Tensor, upstream: Tensor) throws -> [Tensor?] {
        [try upstream.reshaped(to: inputs[0].shape)]
    }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) throws -> TensorValue {
        try inputs[0].reshaped(to: type.shape)
    }
}

/// Axes in another order: output axis `i` is input axis `permutation[i]`.
public struct Transpose: OperationRule {
    public let permutation: [Int]
    public init(_ permutation: [Int]) { self.permutation = permutation }
    public var name: String { "transpose" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try expect(1, inputs)
        let shape = inputs[0].shape
        guard permutation.sorted() == Array(0..<shape.rank) else {
            throw error("\(permutation) is not an order of the axes 0..<\(shape.rank)", inputs)
        }
        return TensorType(Shape(permutation.map { shape[$0] }), inputs[0].dtype)
    }

    public func gradients(inputs: [Tensor], output: Tensor, upstream: Tensor) throws -> [Tensor?] {
        let inverse = permutation.indices.sorted { permutation[$0] < permutation[$1] }
        return [try upstream.transposed(inverse)]
    }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) -> TensorValue {
        let source = inputs[0].shape.rowMajorStrides
        return inputs[0].picking(shape: type.shape) { index in
            index.indices.reduce(0) { $0 + index[$1] * source[permutation[$1]] }
        }
    }
}

/// Elements repeated along axes of extent 1 and along new leading axes, as in NumPy.
public struct Broadcast: OperationRule {
    public let shape: Shape
    public init(shape: Shape) { self.shape = shape }
    public var name: String { "broadcast" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try expect(1, inputs)
        guard Shape.broadcast(inputs[0].shape, shape) == shape else {
            throw error("the input cannot be repeated to fill \(shape)", inputs)
        }
        return TensorType(shape, inputs[0].dtype)
    }

    public func gradients(inputs: [Tensor], output: Tensor, upstream: Tensor) throws -> [Tensor?] {
        let source = inputs[0].shape
        let added = shape.rank - source.rank
        let repeated = (0..<shape.rank).filter { $0 < added || (source[$0 - added] == 1 && shape[$0] != 1) }
        // Sums are taken in float32 also for bfloat16.
        let sum = try upstream.cast(to: .float32).sum(axes: repeated)
        return [try sum.reshaped(to: source).cast(to: upstream.dtype)]
    }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) -> TensorValue {
        let source = inputs[0].shape
        let strides = source.rowMajorStrides
        let added = type.shape.rank - source.rank
        return inputs[0].picking(shape: type.shape) { index in
            (0..<source.rank).reduce(0) { $0 + (source[$1] == 1 ? 0 : index[added + $1] * strides[$1]) }
        }
    }
}

/// Along each axis, `extents` elements from `starts`, `strides` apart.
public struct Slice: OperationRule {
    public let starts: [Int]
    public let extents: Shape
    public let strides: [Int]

    public init(starts: [Int], extents: Shape, strides: [Int]) {
        self.starts = starts
        self.extents = extents
        self.strides = strides
    }

    public var name: String { "slice" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try expect(1, inputs)
        let shape = inputs[0].shape
        guard starts.count == shape.rank, extents.rank == shape.rank, strides.count == shape.rank else {
            throw error("needs a start, an extent and a stride for each of \(shape.rank) axes", inputs)
        }
        for axis in 0..<shape.rank {
            let isWhole = starts[axis] == 0 && strides[axis] == 1 && extents[axis] == shape[axis]
            let fits =
                (0..<max(0, shape[axis])).contains(starts[axis]) && strides[axis] > 0 && extents[axis] > 0
                && extents[axis] - 1 <= (shape[axis] - 1 - starts[axis]) / strides[axis]
            guard isWhole || fits else {
                throw error(
                    "axis \(axis): \(extents[axis]) elements from \(starts[axis]), \(strides[axis]) apart, do not lie "
                        + "inside the input (a batch axis can only be taken whole)", inputs)
            }
        }
        return TensorType(extents, inputs[0].dtype)
    }

    public func gradients(inputs: [Tensor], output: Tensor, upstream: Tensor) throws -> [Tensor?] {
        let shape = inputs[0].shape
        let high = shape.dimensions.indices.map { axis in
            shape[axis] < 0 ? 0 : shape[axis] - 1 - (starts[axis] + (extents[axis] - 1) * strides[axis])
        }
        return [try upstream.padded(low: starts, high: high, interior: strides.map { $0 - 1 })]
    }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) -> TensorValue {
        let source = inputs[0].shape.rowMajorStrides
        return inputs[0].picking(shape: type.shape) { index in
            index.indices.reduce(0) { $0 + (starts[$1] + index[$1] * strides[$1]) * source[$1] }
        }
    }
}

/// A value put before, after and between the elements along each axis.
public struct Pad: OperationRule {
    public let low: [Int]
    public let high: [Int]
    /// How many are put between neighbours.
    public let interior: [Int]
    public let value: Float

    public init(low: [Int], high: [Int], interior: [Int], value: Float) {
        self.low = low
        self.high = high
        self.interior = interior
        self.value = value
    }

    public var name: String { "pad" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try expect(1, inputs)
        let shape = inputs[0].shape
        guard low.count == shape.rank, high.count == shape.rank, interior.count == shape.rank else {
            throw error("needs a low, high and interior padding for each of \(shape.rank) axes", inputs)
        }
        var result = shape
        for axis in 0..<shape.rank where low[axis] != 0 || high[axis] != 0 || interior[axis] != 0 {
            guard low[axis] >= 0, high[axis] >= 0, interior[axis] >= 0, shape[axis] > 0 else {
                throw error(
                    "axis \(axis): padding must not be negative, and the axis must have a fixed size", inputs)
            }
            result[axis] = low[axis].clampedSum(high[axis]).clampedSum(shape[axis])
                .clampedSum((shape[axis] - 1).clampedProduct(interior[axis]))
        }
        return TensorType(result, inputs[0].dtype)
    }

    public func gradients(inputs: [Tensor], output: Tensor, upstream: Tensor) throws -> [Tensor?] {
        [try upstream.sliced(starts: low, extents: inputs[0].shape, strides: interior.map { $0 + 1 })]
    }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) -> TensorValue {
        let shape = inputs[0].shape
        let strides = shape.rowMajorStrides
        return inputs[0].picking(
            shape: type.shape,
            { index in
                var position = 0
                for axis in index.indices {
                    let (offset, step) = (index[axis] - low[axis], interior[axis] + 1)
                    guard offset >= 0, offset % step == 0, offset / step < shape[axis] else { return nil }
                    position += offset / step * strides[axis]
                }
                return position
            }, fill: Double(value))
    }
}

/// Tensors joined along an axis.
public struct Concatenate: OperationRule {
    public let axis: Int
    public init(axis: Int) { self.axis = axis }
    public var name: String { "concatenate" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        guard var result = inputs.first else { throw error("needs at least one tensor", inputs) }
        try checkAxes([axis], inputs)
        for input in inputs.dropFirst() {
            var rest = input.shape
            guard input.dtype == result.dtype, rest.rank == result.shape.rank else {
                throw error("needs tensors of one rank and element type", inputs)
            }
            rest[axis] = result.shape[axis]
            guard rest == result.shape, (input.shape[axis] < 0) == (result.shape[axis] < 0) else {
                throw error("extents may differ along axis \(axis) only", inputs)
            }
            result.shape[axis] = result.shape[axis].clampedSum(input.shape[axis])
        }
        return result
    }

    public func gradients(inputs: [Tensor], output: Tensor, upstream: Tensor) throws -> [Tensor?] {
        var start = 0
        var gradients: [Tensor?] = []
        for input in inputs {
            guard input.shape[axis] >= 0 else {
                throw GradientError(
                    operation: name, reason: "pieces along the batch axis cannot be told apart")
            }
            var starts = [Int](repeating: 0, count: input.shape.rank)
            starts[axis] = start
            gradients.append(try upstream.sliced(starts: starts, extents: input.shape))
            start += input.shape[axis]
        }
        return gradients
    }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) -> TensorValue {
        let sources = inputs.map { (values: $0.doubles, shape: $0.shape) }
        var results: [Double] = []
        type.shape.forEachIndex { index in
            var (index, piece) = (index, 0)
            while index[axis] >= sources[piece].shape[axis] {
                index[axis] -= sources[piece].shape[axis]
                piece += 1
            }
            results.append(sources[piece].values[sources[piece].shape.position(of: index)])
        }
        return TensorValue(shape: type.shape, dtype: type.dtype, doubles: results)
    }
}

extension Shape {
    /// The shape that both can be repeated to, if there is one: aligned from the right, extents must be equal or 1.
    public static func broadcast(_ a: Shape, _ b: Shape) -> Shape? {
        let rank = Swift.max(a.rank, b.rank)
        var result: [Int] = []
        for axis in 0..<rank {
            let first = axis < rank - a.rank ? 1 : a[axis - (rank - a.rank)]
            let second = axis < rank - b.rank ? 1 : b[axis - (rank - b.rank)]
            guard first == second || first == 1 || second == 1 else { return nil }
            result.append(first == 1 ? second : first)
        }
        return Shape(result)
    }
}

extension Tensor {
    /// The same elements under another shape.
    public func reshaped(to shape: Shape) throws(ShapeError) -> Tensor {
        shape == self.shape ? self : try Tensor(.reshape(Reshape(shape: shape)), [self])
    }

    public func transposed(_ permutation: [Int]) throws(ShapeError) -> Tensor {
        try Tensor(.transpose(Transpose(permutation)), [self])
    }

    /// Elements repeated to fill a shape, as in NumPy.
    public func broadcast(to shape: Shape) throws(ShapeError) -> Tensor {
        shape == self.shape ? self : try Tensor(.broadcast(Broadcast(shape: shape)), [self])
    }

    /// `broadcast(to:)` where the shape is known to fit.
    package func expanded(to shape: Shape) -> Tensor {
        shape == self.shape
            ? self : Tensor(known: .broadcast(Broadcast(shape: shape)), [self], TensorType(shape, dtype))
    }

    /// A regular part: along each axis `extents` elements from `starts`, `strides` (1 when nil) apart.
    public func sliced(starts: [Int], extents: Shape, strides: [Int]? = nil) throws(ShapeError) -> Tensor {
        let strides = strides ?? [Int](repeating: 1, count: shape.rank)
        return try Tensor(.slice(Slice(starts: starts, extents: extents, strides: strides)), [self])
    }

    /// A value put before, after and (with `interior`) between the elements along each axis.
    public func padded(
        low: [Int], high: [Int], interior: [Int]? = nil, value: Float = 0
    ) throws(ShapeError) -> Tensor {
        let interior = interior ?? [Int](repeating: 0, count: shape.rank)
        return try Tensor(.pad(Pad(low: low, high: high, interior: interior, value: value)), [self])
    }

    /// Tensors joined along an axis; a negative axis counts from the end.
    public static func concatenate(_ tensors: [Tensor], axis: Int = -1) throws(ShapeError) -> Tensor {
        let rank = tensors.first?.shape.rank ?? 0
        return try Tensor(.concatenate(Concatenate(axis: axis < 0 ? axis + rank : axis)), tensors)
    }
}
