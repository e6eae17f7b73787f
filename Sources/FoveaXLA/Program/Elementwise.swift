import FoveaGraph

extension FunctionText {
    mutating func unary(_ rule: Unary, _ x: Value) -> Value {
        switch rule {
        case .negate: elementwise("negate", x)
        case .abs: elementwise("abs", x)
        case .sign: elementwise("sign", x)
        case .exp: elementwise("exponential", x)
        case .expm1: elementwise("exponential_minus_one", x)
        case .log: elementwise("log", x)
        case .log1p: elementwise("log_plus_one", x)
        case .sqrt: elementwise("sqrt", x)
        case .rsqrt: elementwise("rsqrt", x)
        case .reciprocal: elementwise("divide", filled(1, x.type), x)
        case .tanh: elementwise("tanh", x)
        case .sigmoid: elementwise("logistic", x)
        case .erf: add("chlo.erf \(x.name) : \(x.type) -> \(x.type)", x.type)
        case .sin: elementwise("sine", x)
        case .cos: elementwise("cosine", x)
        case .floor: elementwise("floor", x)
        case .relu: elementwise("maximum", x, filled(0, x.type))
        }
    }

    mutating func binary(_ rule: Binary, _ a: Value, _ b: Value) -> Value {
        switch rule {
        case .add: return elementwise("add", a, b)
        case .subtract: return elementwise("subtract", a, b)
        case .multiply: return elementwise("multiply", a, b)
        case .divide:
            if a.type.element.isFloatingPoint { return elementwise("divide", a, b) }
            // What is divided by 0 is 0.
            let zero = filled(0, b.type)
            let isZero = compare("EQ", b, zero)
            return select(isZero, zero, elementwise("divide", a, select(isZero, filled(1, b.type), b)))
        case .maximum: return elementwise("maximum", a, b)
        case .minimum: return elementwise("minimum", a, b)
        case .power: return elementwise("power", a, b)
        }
    }

    mutating func comparison(_ rule: Comparison, _ a: Value, _ b: Value) -> Value {
        let direction =
            switch rule {
            case .equal: "EQ"
            case .notEqual: "NE"
            case .less: "LT"
            case .lessEqual: "LE"
            case .greater: "GT"
            case .greaterEqual: "GE"
            }
        return compare(direction, a, b)
    }

    mutating func cast(_ x: Value, to dtype: DType) -> Value {
        switch (x.type.element, dtype) {
        case (.int32, .uint8):
            // Would keep the lowest bits only.
            let bounds = [filled(0, ValueType([], .int32)), filled(255, ValueType([], .int32))]
            let clamped = operation("clamp", [bounds[0], x, bounds[1]], x.type)
            return convert(clamped, .uint8)
        case (.bool, .bool): return x
        case (_, .bool): return compare("NE", x, filled(0, x.type))
        default: return convert(x, ValueType.Element(dtype))
        }
    }
}
