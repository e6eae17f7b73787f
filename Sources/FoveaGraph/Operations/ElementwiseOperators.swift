/// Arithmetic as a user writes it. Operands of two tensors are broadcast against each other as in NumPy.
extension Tensor {
    public static func + (a: Tensor, b: Tensor) throws(ShapeError) -> Tensor { try binary(.add, a, b) }
    public static func - (a: Tensor, b: Tensor) throws(ShapeError) -> Tensor { try binary(.subtract, a, b) }
    public static func * (a: Tensor, b: Tensor) throws(ShapeError) -> Tensor { try binary(.multiply, a, b) }
    public static func / (a: Tensor, b: Tensor) throws(ShapeError) -> Tensor { try binary(.divide, a, b) }

    public static func + (a: Tensor, b: Float) throws(ShapeError) -> Tensor { try binary(.add, a, b) }
    public static func - (a: Tensor, b: Float) throws(ShapeError) -> Tensor { try binary(.subtract, a, b) }
    public static func * (a: Tensor, b: Float) throws(ShapeError) -> Tensor { try binary(.multiply, a, b) }
    public static func / (a: Tensor, b: Float) throws(ShapeError) -> Tensor { try binary(.divide, a, b) }
    public static func + (a: Float, b: Tensor) throws(ShapeError) -> Tensor { try binary(.add, b, a) }
    public static func - (a: Float, b: Tensor) throws(ShapeError) -> Tensor {
        try binary(.subtract, .constant(a, b.dtype), b)
    }
    public static func * (a: Float, b: Tensor) throws(ShapeError) -> Tensor { try binary(.multiply, b, a) }
    public static func / (a: Float, b: Tensor) throws(ShapeError) -> Tensor {
        try binary(.divide, .constant(a, b.dtype), b)
    }

    /// The larger element of each pair; of two equal ones the first takes the gradient, as in TensorFlow.
    public static func maximum(_ a: Tensor, _ b: Tensor) throws(ShapeError) -> Tensor {
        try binary(.maximum, a, b)
    }
    public static func maximum(_ a: Tensor, _ b: Float) throws(ShapeError) -> Tensor {
        try binary(.maximum, a, b)
    }
    /// The smaller element of each pair; of two equal ones the first takes the gradient, as in TensorFlow.
    public static func minimum(_ a: Tensor, _ b: Tensor) throws(ShapeError) -> Tensor {
        try binary(.minimum, a, b)
    }
    public static func minimum(_ a: Tensor, _ b: Float) throws(ShapeError) -> Tensor {
        try binary(.minimum, a, b)
    }

    public func raised(to exponent: Tensor) throws(ShapeError) -> Tensor {
        try .binary(.power, self, exponent)
    }
    public func raised(to exponent: Float) throws(ShapeError) -> Tensor {
        try .binary(.power, self, exponent)
    }

    public func equal(_ other: Tensor) throws(ShapeError) -> Tensor { try .compare(.equal, self, other) }
    public func greater(_ other: Float) throws(ShapeError) -> Tensor {
        try .compare(.greater, self, .constant(other, dtype))
    }
    public func greaterOrEqual(_ other: Tensor) throws(ShapeError) -> Tensor {
        try .compare(.greaterEqual, self, other)
    }
    public func greaterOrEqual(_ other: Float) throws(ShapeError) -> Tensor {
        try .compare(.greaterEqual, self, .constant(other, dtype))
    }
    public func lessOrEqual(_ other: Tensor) throws(ShapeError) -> Tensor {
        try .compare(.lessEqual, self, other)
    }

    /// Two tensors compared element by element, after broadcasting.
    public static func compare(_ kind: Comparison, _ a: Tensor, _ b: Tensor) throws(ShapeError) -> Tensor {
        let (a, b) = try broadcastTogether(kind.name, a, b)
        return try Tensor(.comparison(kind), [a, b])
    }

    /// Elements of `a` where the condition holds and of `b` elsewhere; a condition of rank 0 chooses as a whole.
    public static func select(_ condition: Tensor, _ a: Tensor, _ b: Tensor) throws(ShapeError) -> Tensor {
        let (a, b) = try broadcastTogether("select", a, b)
        return try Tensor(.select(Select()), [try condition.broadcast(to: a.shape), a, b])
    }

    public static func binary(_ kind: Binary, _ a: Tensor, _ b: Tensor) throws(ShapeError) -> Tensor {
        let (a, b) = try broadcastTogether(kind.name, a, b)
        return try Tensor(.binary(kind), [a, b])
    }

    public static func binary(_ kind: Binary, _ a: Tensor, _ b: Float) throws(ShapeError) -> Tensor {
        try Tensor(.binary(kind), [a, filled(b, a.shape, a.dtype)])
    }

    public func unary(_ kind: Unary) throws(ShapeError) -> Tensor { try Tensor(.unary(kind), [self]) }
    public func exp() throws(ShapeError) -> Tensor { try unary(.exp) }
    public func log() throws(ShapeError) -> Tensor { try unary(.log) }
    public func relu() throws(ShapeError) -> Tensor { try unary(.relu) }
    public func sigmoid() throws(ShapeError) -> Tensor { try unary(.sigmoid) }
    public func tanh() throws(ShapeError) -> Tensor { try unary(.tanh) }
    public func squareRoot() throws(ShapeError) -> Tensor { try unary(.sqrt) }
    public func negated() -> Tensor { Tensor(known: .unary(.negate), [self], node.type) }

    public func cast(to dtype: DType) -> Tensor {
        dtype == self.dtype ? self : Tensor(known: .cast(Cast(dtype)), [self], TensorType(shape, dtype))
    }

    private static func broadcastTogether(
        _ name: String, _ a: Tensor, _ b: Tensor
    ) throws(ShapeError) -> (Tensor, Tensor) {
        if a.shape == b.shape { return (a, b) }
        guard let shape = Shape.broadcast(a.shape, b.shape) else {
            throw ShapeError(
                name, "the shapes cannot be broadcast together: from the right, extents must be equal or 1",
                shapes: [a.shape, b.shape])
        }
        return (a.expanded(to: shape), b.expanded(to: shape))
    }
}
