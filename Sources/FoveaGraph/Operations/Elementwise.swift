import Foundation

/// A function of each element; NaN at NaN.
public enum Unary: String, OperationRule, CaseIterable, Codable {
    case negate, abs, sign, exp, expm1, log, log1p, sqrt, rsqrt, reciprocal
    case tanh, sigmoid, erf, sin, cos, floor, relu

    public var name: String { rawValue }

    /// Whether the function maps integers to integers.
    public var acceptsIntegers: Bool {
        switch self {
        case .negate, .abs, .sign, .relu: true
        default: false
        }
    }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try expect(1, inputs)
        guard inputs[0].dtype.isFloatingPoint || (acceptsIntegers && inputs[0].dtype == .int32) else {
            throw error("needs floating-point elements, not \(inputs[0].dtype.rawValue); cast first", inputs)
        }
        return inputs[0]
    }

    public func gradients(inputs: [Tensor], output y: Tensor, upstream g: Tensor) throws -> [Tensor?] {
        let x = inputs[0]
        return switch self {
        case .negate: [g.negated()]
        case .abs: [try g * x.unary(.sign)]
        case .sign, .floor: [nil]
        case .exp: [try g * y]
        // 1 + y has no digits left where y is near -1.
        case .expm1: [try g * x.exp()]
        case .log: [try g / x]
        case .log1p: [try g / (x + 1)]
        case .sqrt: [try g * 0.5 / y]
        // d x^(-1/2) = -1/2 x^(-3/2)
        case .rsqrt: [try g * -0.5 * y * y * y]
        case .reciprocal: [try g * y.negated() * y]
        case .tanh: [try g * (1 - y * y)]
        case .sigmoid: [try g * y * (1 - y)]
        case .erf: [try g * (x * x).negated().exp() * Float(2 / Double.pi.squareRoot())]
        case .sin: [try g * x.unary(.cos)]
        case .cos: [try g * x.unary(.sin).negated()]
        // The output tells the side, so the input need not be kept. 0 at 0 and at NaN, as in TensorFlow.
        case .relu: [try Tensor.select(y.greater(0), g, .filled(0, g.shape, g.dtype))]
        }
    }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) -> TensorValue {
        TensorValue.map(inputs, type) { apply($0[0]) }
    }

    private func apply(_ x: Double) -> Double {
        switch self {
        case .negate: -x
        case .abs: Swift.abs(x)
        case .sign: x > 0 ? 1 : x < 0 ? -1 : x
        case .exp: Foundation.exp(x)
        case .expm1: Foundation.expm1(x)
        case .log: Foundation.log(x)
        case .log1p: Foundation.log1p(x)
        case .sqrt: x.squareRoot()
        case .rsqrt: 1 / x.squareRoot()
        case .reciprocal: 1 / x
        case .tanh: Foundation.tanh(x)
        case .sigmoid: 1 / (1 + Foundation.exp(-x))
        case .erf: Foundation.erf(x)
        case .sin: Foundation.sin(x)
        case .cos: Foundation.cos(x)
        case .floor: x.rounded(.down)
        case .relu: x > 0 || x.isNaN ? x : 0
        }
    }
}

/// A function of the two elements at the same place of two equally shaped tensors; NaN where either is NaN (but for
/// powers `x⁰` and `1ʸ`, which are 1).
public enum Binary: String, OperationRule, CaseIterable, Codable {
    case add, subtract, multiply, divide, maximum, minimum, power

    public var name: String { rawValue }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try expectAlike(inputs)
        let dtype = inputs[0].dtype
        guard dtype.isFloatingPoint || (dtype == .int32 && self != .power) else {
            throw error("needs numbers, not \(dtype.rawValue); cast first", inputs)
        }
        return inputs[0]
    }

    public func gradients(inputs: [Tensor], output y: Tensor, upstream g: Tensor) throws -> [Tensor?] {
        let (a, b) = (inputs[0], inputs[1])
        switch self {
        case .add: return [g, g]
        case .subtract: return [g, g.negated()]
        case .multiply where a == b: return [try g * 2 * a, nil]
        case .multiply: return [try g * b, try g * a]
        case .divide:
            let quotient = try g / b
            return [quotient, try quotient.negated() * y]
        case .maximum, .minimum:
            // The first of two equal elements takes the whole gradient.
            let takesFirst = self == .maximum ? try a.greaterOrEqual(b) : try a.lessOrEqual(b)
            let zero = Tensor.filled(0, g.shape, g.dtype)
            return [try .select(takesFirst, g, zero), try .select(takesFirst, zero, g)]
        case .power:
            // aᵇ log a tends to 0 with a, where the product itself would be 0 · -∞.
            let zero = Tensor.filled(0, a.shape, a.dtype)
            let logarithm = try Tensor.select(a.equal(zero), zero, a.log())
            return [try g * b * a.raised(to: b - 1), try g * y * logarithm]
        }
    }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) -> TensorValue {
        let isInteger = type.dtype == .int32
        return TensorValue.map(inputs, type) { apply($0[0], $0[1], isInteger: isInteger) }
    }

    private func apply(_ a: Double, _ b: Double, isInteger: Bool) -> Double {
        switch self {
        case .add: a + b
        case .subtract: a - b
        case .multiply: a * b
        case .divide: isInteger ? (b == 0 ? 0 : (a / b).rounded(.towardZero)) : a / b
        case .maximum: a.isNaN || b.isNaN ? .nan : Swift.max(a, b)
        case .minimum: a.isNaN || b.isNaN ? .nan : Swift.min(a, b)
        case .power: Foundation.pow(a, b)
        }
    }
}

/// A truth about the two elements at the same place of two equally shaped tensors. Where either is NaN, only `notEqual` holds.
public enum Comparison: String, OperationRule, CaseIterable, Codable {
    case equal, notEqual, less, lessEqual, greater, greaterEqual

    public var name: String { rawValue }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try expectAlike(inputs)
        return TensorType(inputs[0].shape, .bool)
    }

    public func gradients(inputs: [Tensor], output: Tensor, upstream: Tensor) -> [Tensor?] { [nil, nil] }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) -> TensorValue {
        TensorValue.map(inputs, type) { holds($0[0], $0[1]) ? 1 : 0 }
    }

    private func holds(_ a: Double, _ b: Double) -> Bool {
        switch self {
        case .equal: a == b
        case .notEqual: a != b
        case .less: a < b
        case .lessEqual: a <= b
        case .greater: a > b
        case .greaterEqual: a >= b
        }
    }
}

extension OperationRule {
    fileprivate func expectAlike(_ inputs: [TensorType]) throws(ShapeError) {
        try expect(2, inputs)
        guard inputs[0].shape == inputs[1].shape else {
            throw error("needs two tensors of one shape; broadcast first", inputs)
        }
        guard inputs[0].dtype == inputs[1].dtype else {
            throw error(
                "needs two tensors of one element type, not \(inputs[0].dtype.rawValue) and "
                    + "\(inputs[1].dtype.rawValue); cast first", inputs)
        }
    }
}

/// `condition ? a : b`, element by element.
public struct Select: OperationRule {
    public init() {}
    public var name: String { "select" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try expect(3, inputs)
        guard inputs[0].dtype == .bool, inputs[1] == inputs[2], inputs[0].shape == inputs[1].shape else {
            throw error("needs a bool condition and two tensors of one type, all of one shape", inputs)
        }
        return inputs[1]
    }

    public func gradients(inputs: [Tensor], output: Tensor, upstream g: Tensor) throws -> [Tensor?] {
        let zero = Tensor.filled(0, g.shape, g.dtype)
        return [nil, try .select(inputs[0], g, zero), try .select(inputs[0], zero, g)]
    }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) -> TensorValue {
        TensorValue.map(inputs, type) { $0[0] != 0 ? $0[1] : $0[2] }
    }
}

/// The same numbers in another element type: rounded to nearest for floating point, toward zero and clamped to the
/// type's range for integers; `bool` is "not zero".
public struct Cast: OperationRule {
    public let dtype: DType
    public init(_ dtype: DType) { self.dtype = dtype }
    public var name: String { "cast to \(dtype.rawValue)" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try expect(1, inputs)
        return TensorType(inputs[0].shape, dtype)
    }

    public func gradients(inputs: [Tensor], output: Tensor, upstream g: Tensor) throws -> [Tensor?] {
        let isSmooth = dtype.isFloatingPoint && inputs[0].dtype.isFloatingPoint
        return [isSmooth ? g.cast(to: inputs[0].dtype) : nil]
    }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) -> TensorValue {
        TensorValue(shape: type.shape, dtype: dtype, doubles: inputs[0].doubles)
    }
}
