// Many elements to one, at once. `Tensor` has the same by the same names for graphs.

extension TensorValue {
    /// The sum of all elements; 0 of none. Sums are taken in `Double`.
    public func sum() -> Float { Float(storage.total) }

    /// The mean of all elements; NaN of none. Of truth values it is the part that is true.
    public func mean() -> Float { Float(storage.total / Double(storage.count)) }

    /// The largest element; NaN where one is, -∞ of none.
    public func max() -> Float { Float(extreme(>) ?? -.infinity) }

    /// The smallest element; NaN where one is, ∞ of none.
    public func min() -> Float { Float(extreme(<) ?? .infinity) }

    /// Sums along some axes: int32 of integers and truth values, clamped to its range, float32 otherwise.
    ///
    /// - Parameters:
    ///   - axes: negative ones count from the end.
    ///   - keepDims: whether these axes stay, with extent 1.
    /// - Throws: `ShapeError` for axes that the value does not have, or that are named twice.
    public func sum(axes: [Int], keepDims: Bool = false) throws(ShapeError) -> TensorValue {
        try reduced("sum", axes, keepDims, to: dtype.isFloatingPoint ? .float32 : .int32) { numbers in
            numbers.reduce(0, +)
        }
    }

    /// Means along some axes, float32; NaN of no elements.
    ///
    /// - Parameters: as for sums.
    /// - Throws: as sums do.
    public func mean(axes: [Int], keepDims: Bool = false) throws(ShapeError) -> TensorValue {
        try reduced("mean", axes, keepDims, to: .float32) { $0.reduce(0, +) / Double($0.count) }
    }

    /// The largest elements along some axes, in the value's own type; NaN where one is.
    ///
    /// - Parameters: as for sums.
    /// - Throws: as sums do; also where an axis has no elements.
    public func max(axes: [Int], keepDims: Bool = false) throws(ShapeError) -> TensorValue {
        try checkElements("max", axes)
        return try reduced("max", axes, keepDims, to: dtype) { greatest($0, >) ?? .nan }
    }

    /// The smallest elements along some axes, in the value's own type; NaN where one is.
    ///
    /// - Parameters: as for sums.
    /// - Throws: as sums do; also where an axis has no elements.
    public func min(axes: [Int], keepDims: Bool = false) throws(ShapeError) -> TensorValue {
        try checkElements("min", axes)
        return try reduced("min", axes, keepDims, to: dtype) { greatest($0, <) ?? .nan }
    }

    /// The place of the first largest element along an axis, int32. NaN counts as largest, as in NumPy.
    ///
    /// - Parameters:
    ///   - axis: a negative one counts from the end.
    ///   - keepDims: whether the axis stays, with extent 1.
    /// - Throws: `ShapeError` when the value does not have the axis, or has no elements along it.
    public func argMax(axis: Int = -1, keepDims: Bool = false) throws(ShapeError) -> TensorValue {
        try checkElements("argMax", [axis])
        return try reduced("argMax", [axis], keepDims, to: .int32) { numbers in
            var best = 0
            for place in numbers.indices.dropFirst()
            where numbers[place] > numbers[best] || (numbers[place].isNaN && !numbers[best].isNaN) {
                best = place
            }
            return Double(best)
        }
    }

    private func extreme(_ isBetter: (Double, Double) -> Bool) -> Double? {
        greatest((0..<storage.count).lazy.map { storage.double(at: $0) }, isBetter)
    }

    private func checkElements(_ name: String, _ axes: [Int]) throws(ShapeError) {
        let axes = axes.map { $0 < 0 ? $0 + shape.rank : $0 }
        guard axes.allSatisfy({ !shape.dimensions.indices.contains($0) || shape[$0] > 0 }) else {
            throw ShapeError(name, "there are no elements along axes \(axes) to choose from", shapes: [shape])
        }
    }

    private func reduced(
        _ name: String, _ axes: [Int], _ keepDims: Bool, to dtype: DType, _ body: ([Double]) -> Double
    ) throws(ShapeError) -> TensorValue {
        let axes = axes.map { $0 < 0 ? $0 + shape.rank : $0 }
        guard axes.allSatisfy(shape.dimensions.indices.contains), Set(axes).count == axes.count else {
            throw ShapeError(
                name, "axes \(axes) must be different and lie in 0..<\(shape.rank)", shapes: [shape])
        }
        let strides = shape.rowMajorStrides
        var offsets: [Int] = []
        Shape(axes.sorted().map { shape[$0] }).forEachIndex { index in
            offsets.append(zip(index, axes.sorted()).reduce(0) { $0 + $1.0 * strides[$1.1] })
        }
        var results: [Double] = []
        var numbers = [Double](repeating: 0, count: offsets.count)
        shape.reduced(over: axes, keepDims: true).forEachIndex { index in
            let start = shape.position(of: index)
            for (place, offset) in offsets.enumerated() {
                numbers[place] = storage.double(at: start + offset)
            }
            results.append(body(numbers))
        }
        return TensorValue(
            shape: shape.reduced(over: axes, keepDims: keepDims), dtype: dtype, doubles: results)
    }
}

/// The first of the best numbers, or NaN where one is; nil of none.
private func greatest(_ numbers: some Sequence<Double>, _ isBetter: (Double, Double) -> Bool) -> Double? {
    var best: Double?
    for number in numbers {
        if number.isNaN { return number }
        if best.map({ isBetter(number, $0) }) ?? true { best = number }
    }
    return best
}

extension TensorValue.Storage {
    fileprivate var total: Double {
        switch self {
        case .float32(let elements): elements.reduce(0) { $0 + Double($1) }
        case .bfloat16(let elements): elements.reduce(0) { $0 + Double(Float(bfloat16Pattern: $1)) }
        case .int32(let elements): elements.reduce(0) { $0 + Double($1) }
        case .uint8(let elements): Double(elements.reduce(0) { $0 + Int($1) })
        case .bool(let elements): Double(elements.count { $0 })
        }
    }
}
