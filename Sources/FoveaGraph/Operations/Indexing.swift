/// A new last axis that is 1 at the index and 0 elsewhere; an index outside `0..<depth` gives zeros.
public struct OneHot: OperationRule {
    public let depth: Int
    public let dtype: DType

    public init(depth: Int, dtype: DType = .float32) {
        self.depth = depth
        self.dtype = dtype
    }

    public var name: String { "oneHot" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try expect(1, inputs)
        guard inputs[0].dtype == .int32, depth > 0 else {
            throw error(
                "needs int32 indices and a positive depth, not \(inputs[0].dtype.rawValue) and \(depth)",
                inputs)
        }
        return TensorType(Shape(inputs[0].shape.dimensions + [depth]), dtype)
    }

    public func gradients(inputs: [Tensor], output: Tensor, upstream: Tensor) -> [Tensor?] { [nil] }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) -> TensorValue {
        let results = inputs[0].integers.flatMap { label in (0..<depth).map { $0 == Int(label) ? 1.0 : 0.0 } }
        return TensorValue(shape: type.shape, dtype: dtype, doubles: results)
    }
}

/// Slices of a table picked along an axis by int32 indices: the axis is replaced by the indices' axes. An index
/// outside the table gives zeros.
public struct Gather: OperationRule {
    public let axis: Int
    public init(axis: Int) { self.axis = axis }
    public var name: String { "gather" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try expect(2, inputs)
        try checkAxes([axis], inputs)
        guard inputs[1].dtype == .int32 else { throw error("needs int32 indices", inputs) }
        var dimensions = inputs[0].shape.dimensions
        dimensions.replaceSubrange(axis...axis, with: inputs[1].shape.dimensions)
        guard inputs[0].shape[axis] >= 0, dimensions.filter({ $0 < 0 }).count <= 1 else {
            throw error("cannot pick along or across two batch axes", inputs)
        }
        return TensorType(Shape(dimensions), inputs[0].dtype)
    }

    public func gradients(inputs: [Tensor], output: Tensor, upstream: Tensor) throws -> [Tensor?] {
        let rule = ScatterAdd(axis: axis, extent: inputs[0].shape[axis])
        // Sums are taken in float32 also for bfloat16.
        let table = try Tensor(.scatterAdd(rule), [upstream.cast(to: .float32), inputs[1]])
        return [table.cast(to: upstream.dtype), nil]
    }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) -> TensorValue {
        let (table, indices) = (inputs[0], inputs[1].integers)
        let last = axis + inputs[1].shape.rank
        return table.picking(shape: type.shape) { index in
            let slot = inputs[1].shape.position(of: Array(index[axis..<last]))
            guard (0..<table.shape[axis]).contains(Int(indices[slot])) else { return nil }
            return table.shape.position(of: index[..<axis] + [Int(indices[slot])] + index[last...])
        }
    }
}

/// The gradient of `Gather`: slices added into a table of zeros at their indices; an index outside is dropped.
public struct ScatterAdd: OperationRule {
    public let axis: Int
    /// The table's extent along `axis`.
    public let extent: Int

    public init(axis: Int, extent: Int) {
        self.axis = axis
        self.extent = extent
    }

    public var name: String { "scatterAdd" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try expect(2, inputs)
        let (slices, indices) = (inputs[0], inputs[1])
        guard indices.dtype == .int32, slices.dtype == .float32, axis >= 0, extent >= 0,
            axis <= slices.shape.rank - indices.shape.rank,
            slices.shape.dimensions[axis...].starts(with: indices.shape.dimensions)
        else {
            throw error(
                "needs float32 slices whose axes from \(axis) on are those of int32 indices, and an extent that is "
                    + "not negative, not \(extent)", inputs)
        }
        var dimensions = slices.shape.dimensions
        dimensions.replaceSubrange(axis..<(axis + indices.shape.rank), with: [extent])
        return TensorType(Shape(dimensions), slices.dtype)
    }

    public func gradients(inputs: [Tensor], output: Tensor, upstream: Tensor) throws -> [Tensor?] {
        [try Tensor(.gather(Gather(axis: axis)), [upstream, inputs[1]]), nil]
    }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) -> TensorValue {
        let (slices, indices) = (inputs[0].doubles, inputs[1].integers)
        let last = axis + inputs[1].shape.rank
        var results = [Double](repeating: 0, count: type.shape.elementCount)
        var position = 0
        inputs[0].shape.forEachIndex { index in
            let slot = Int(indices[inputs[1].shape.position(of: Array(index[axis..<last]))])
            if (0..<extent).contains(slot) {
                results[type.shape.position(of: index[..<axis] + [slot] + index[last...])] += slices[position]
            }
            position += 1
        }
        return TensorValue(shape: type.shape, dtype: type.dtype, doubles: results)
    }
}

extension Tensor {
    /// A new last axis that is 1 at the index and 0 elsewhere.
    public func oneHot(depth: Int, dtype: DType = .float32) throws(ShapeError) -> Tensor {
        try Tensor(.oneHot(OneHot(depth: depth, dtype: dtype)), [self])
    }

    /// Slices picked along an axis by int32 indices.
    public func gathered(at indices: Tensor, axis: Int = 0) throws(ShapeError) -> Tensor {
        try Tensor(.gather(Gather(axis: axis < 0 ? axis + shape.rank : axis)), [self, indices])
    }
}
