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
    /// How many leading axes table and indices share: each entry of them has a table and indices of its own.
    public let sharedAxes: Int

    public init(axis: Int, sharedAxes: Int = 0) {
        self.axis = axis
        self.sharedAxes = sharedAxes
    }

    public var name: String { "gather" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try expect(2, inputs)
        try checkAxes([axis], inputs)
        let indices = inputs[1].shape.dimensions
        guard inputs[1].dtype == .int32 else { throw error("needs int32 indices", inputs) }
        var dimensions = inputs[0].shape.dimensions
        guard (0...axis).contains(sharedAxes), sharedAxes <= indices.count,
            indices[..<sharedAxes] == dimensions[..<sharedAxes]
        else {
            throw error(
                "needs a table and indices that share their first \(sharedAxes) axes, all before axis \(axis)",
                inputs)
        }
        dimensions.replaceSubrange(axis...axis, with: indices[sharedAxes...])
        guard inputs[0].shape[axis] >= 0, dimensions.filter({ $0 < 0 }).count <= 1 else {
            throw error("cannot pick along or across two batch axes", inputs)
        }
        return TensorType(Shape(dimensions), inputs[0].dtype)
    }

    public func gradients(inputs: [Tensor], output: Tensor, upstream: Tensor) throws -> [Tensor?] {
        let rule = ScatterAdd(axis: axis, extent: inputs[0].shape[axis], sharedAxes: sharedAxes)
        // Sums are taken in float32 also for bfloat16.
        let table = try Tensor(.scatterAdd(rule), [upstream.cast(to: .float32), inputs[1]])
        return [table.cast(to: upstream.dtype), nil]
    }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) -> TensorValue {
        let (table, indices) = (inputs[0], inputs[1].integers)
        let last = axis + inputs[1].shape.rank - sharedAxes
        return table.picking(shape: type.shape) { index in
            let slot = inputs[1].shape.position(of: Array(index[..<sharedAxes] + index[axis..<last]))
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
    /// As in `Gather`.
    public let sharedAxes: Int

    public init(axis: Int, extent: Int, sharedAxes: Int = 0) {
        self.axis = axis
        self.extent = extent
        self.sharedAxes = sharedAxes
    }

    public var name: String { "scatterAdd" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try expect(2, inputs)
        let (slices, indices) = (inputs[0], inputs[1])
        var dimensions = slices.shape.dimensions
        let own = indices.shape.rank - sharedAxes
        guard indices.dtype == .int32, slices.dtype == .float32, extent >= 0,
            axis >= 0, (0...axis).contains(sharedAxes), own >= 0, axis <= slices.shape.rank - own,
            indices.shape.dimensions == Array(dimensions[..<sharedAxes] + dimensions[axis..<(axis + own)])
        else {
            throw error(
                "needs float32 slices whose first \(sharedAxes) axes, followed by those from \(axis) on, are those of "
                    + "int32 indices, and an extent that is not negative, not \(extent)", inputs)
        }
        dimensions.replaceSubrange(axis..<(axis + own), with: [extent])
        return TensorType(Shape(dimensions), slices.dtype)
    }

    public func gradients(inputs: [Tensor], output: Tensor, upstream: Tensor) throws -> [Tensor?] {
        [try Tensor(.gather(Gather(axis: axis, sharedAxes: sharedAxes)), [upstream, inputs[1]]), nil]
    }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) -> TensorValue {
        let (slices, indices) = (inputs[0].doubles, inputs[1].integers)
        let last = axis + inputs[1].shape.rank - sharedAxes
        var results = [Double](repeating: 0, count: type.shape.elementCount)
        var position = 0
        inputs[0].shape.forEachIndex { index in
            let place = inputs[1].shape.position(of: Array(index[..<sharedAxes] + index[axis..<last]))
            let slot = Int(indices[place])
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
    ///
    /// - Parameters:
    ///   - indices: an index outside the axis gives zeros.
    ///   - axis: is replaced by the axes of the indices; a negative axis counts from the end.
    ///   - sharedAxes: how many leading axes the indices share with the tensor, so that each example of a batch is
    ///     picked from with indices of its own.
    public func gathered(
        at indices: Tensor, axis: Int = 0, sharedAxes: Int = 0
    ) throws(ShapeError) -> Tensor {
        let rule = Gather(axis: axis < 0 ? axis + shape.rank : axis, sharedAxes: sharedAxes)
        return try Tensor(.gather(rule), [self, indices])
    }
}
