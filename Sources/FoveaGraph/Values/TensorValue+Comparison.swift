// Comparisons element by element, with the operators that Swift's own SIMD types have. The results are truth values;
// comparisons with NaN are false, but `.!=` is true. `==` says whether two values are the same as a whole.

extension TensorValue {
    public static func .== (a: TensorValue, b: Float) -> TensorValue { a.compared(to: b, ==) }
    public static func .!= (a: TensorValue, b: Float) -> TensorValue { a.compared(to: b, !=) }
    public static func .< (a: TensorValue, b: Float) -> TensorValue { a.compared(to: b, <) }
    public static func .<= (a: TensorValue, b: Float) -> TensorValue { a.compared(to: b, <=) }
    public static func .> (a: TensorValue, b: Float) -> TensorValue { a.compared(to: b, >) }
    public static func .>= (a: TensorValue, b: Float) -> TensorValue { a.compared(to: b, >=) }

    // Values of different shapes are broadcast against each other as in NumPy; a `ShapeError` says where they cannot be.

    public static func .== (a: TensorValue, b: TensorValue) throws(ShapeError) -> TensorValue {
        try compared("==", a, b, ==)
    }
    public static func .!= (a: TensorValue, b: TensorValue) throws(ShapeError) -> TensorValue {
        try compared("!=", a, b, !=)
    }
    public static func .< (a: TensorValue, b: TensorValue) throws(ShapeError) -> TensorValue {
        try compared("<", a, b, <)
    }
    public static func .<= (a: TensorValue, b: TensorValue) throws(ShapeError) -> TensorValue {
        try compared("<=", a, b, <=)
    }
    public static func .> (a: TensorValue, b: TensorValue) throws(ShapeError) -> TensorValue {
        try compared(">", a, b, >)
    }
    public static func .>= (a: TensorValue, b: TensorValue) throws(ShapeError) -> TensorValue {
        try compared(">=", a, b, >=)
    }

    private func compared(to number: Float, _ body: (Double, Double) -> Bool) -> TensorValue {
        let number = Double(number)
        return TensorValue(
            unchecked: shape, .bool((0..<storage.count).map { body(storage.double(at: $0), number) }))
    }

    private static func compared(
        _ name: String, _ a: TensorValue, _ b: TensorValue, _ body: (Double, Double) -> Bool
    ) throws(ShapeError) -> TensorValue {
        if a.shape == b.shape {
            let results = (0..<a.storage.count).map {
                body(a.storage.double(at: $0), b.storage.double(at: $0))
            }
            return TensorValue(unchecked: a.shape, .bool(results))
        }
        guard let shape = Shape.broadcast(a.shape, b.shape) else {
            throw ShapeError(
                name, "the shapes cannot be broadcast together: from the right, extents must be equal or 1",
                shapes: [a.shape, b.shape])
        }
        let (stepsA, stepsB) = (a.shape.steps(in: shape), b.shape.steps(in: shape))
        var results: [Bool] = []
        results.reserveCapacity(shape.elementCount)
        shape.forEachIndex { index in
            func element(_ value: TensorValue, _ steps: [Int]) -> Double {
                value.storage.double(at: zip(index, steps).reduce(0) { $0 + $1.0 * $1.1 })
            }
            results.append(body(element(a, stepsA), element(b, stepsB)))
        }
        return TensorValue(unchecked: shape, .bool(results))
    }
}

extension Shape {
    /// The distance in this shape's elements between neighbours along each axis of the shape that it is broadcast to.
    fileprivate func steps(in shape: Shape) -> [Int] {
        let own = zip(dimensions, rowMajorStrides).map { $0 == 1 ? 0 : $1 }
        return [Int](repeating: 0, count: shape.rank - rank) + own
    }
}
