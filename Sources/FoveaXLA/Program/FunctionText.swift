import FoveaGraph

/// The body of a program under way: one operation of StableHLO a line. https://openxla.org/stablehlo/spec says what each does.
struct FunctionText {
    private(set) var lines: [String] = []
    private var names = 0

    /// A name that no value has yet.
    private mutating func newName() -> String {
        names += 1
        return "%\(names - 1)"
    }

    /// Adds an operation given by its text, types and all.
    mutating func add(_ text: String, _ type: ValueType) -> Value {
        let name = newName()
        lines.append("\(name) = \(text)")
        return Value(name: name, type: type)
    }

    /// Adds an operation with two results.
    mutating func addPair(_ text: String, _ types: (ValueType, ValueType)) -> (Value, Value) {
        let names = (newName(), newName())
        lines.append("\(names.0), \(names.1) = \(text)")
        return (Value(name: names.0, type: types.0), Value(name: names.1, type: types.1))
    }

    /// Adds an operation that maps the elements of operands of one type to elements of that type.
    mutating func elementwise(_ name: String, _ operands: Value...) -> Value {
        add("stablehlo.\(name) \(names(operands)) : \(operands[0].type)", operands[0].type)
    }

    /// Adds an operation whose text names the types of operands and result.
    ///
    /// - Parameter attributes: what stands between operands and types, with a comma in front.
    mutating func operation(
        _ name: String, _ operands: [Value], attributes: String = "", _ result: ValueType
    ) -> Value {
        add("stablehlo.\(name) \(names(operands))\(attributes) : \(signature(operands, result))", result)
    }

    func names(_ values: [Value]) -> String { values.map(\.name).joined(separator: ", ") }

    /// Such as `(tensor<2xf32>, tensor<f32>) -> tensor<f32>`.
    func signature(_ operands: [Value], _ result: ValueType) -> String {
        "(\(operands.map(\.type.description).joined(separator: ", "))) -> \(result)"
    }

    // MARK: - What most operations need

    /// A number repeated to fill a type.
    mutating func filled(_ number: Float, _ type: ValueType) -> Value {
        add("stablehlo.constant dense<\(type.element.literal(number))> : \(type)", type)
    }

    mutating func reshape(_ value: Value, _ extents: [Int]) -> Value {
        if extents == value.type.extents { return value }
        return operation("reshape", [value], ValueType(extents, value.type.element))
    }

    /// A value repeated along the axes of the result that are not in `axes`, the places of its own.
    mutating func broadcast(_ value: Value, axes: [Int], _ extents: [Int]) -> Value {
        if extents == value.type.extents { return value }
        return operation(
            "broadcast_in_dim", [value], attributes: ", dims = \(axes)",
            ValueType(extents, value.type.element))
    }

    mutating func compare(_ direction: String, _ a: Value, _ b: Value) -> Value {
        let kind =
            switch a.type.element {
            case .float32, .bfloat16: "FLOAT"
            case .int32: "SIGNED"
            case .uint8, .bool, .uint32, .uint64: "UNSIGNED"
            }
        let type = a.type.of(.bool)
        return add(
            "stablehlo.compare \(direction), \(names([a, b])), \(kind) : \(signature([a, b], type))", type)
    }

    mutating func select(_ condition: Value, _ a: Value, _ b: Value) -> Value {
        add("stablehlo.select \(names([condition, a, b])) : \(condition.type), \(a.type)", a.type)
    }

    /// The same numbers as other elements, as the language converts them.
    mutating func convert(_ value: Value, _ element: ValueType.Element) -> Value {
        if element == value.type.element { return value }
        return operation("convert", [value], value.type.of(element))
    }

    /// The elements from `starts` to before `limits`, `strides` apart.
    mutating func slice(_ value: Value, starts: [Int], limits: [Int], strides: [Int]) -> Value {
        let ranges = starts.indices.map { "\(starts[$0]):\(limits[$0]):\(strides[$0])" }
        let extents = starts.indices.map { (limits[$0] - starts[$0] + strides[$0] - 1) / strides[$0] }
        let type = ValueType(extents, value.type.element)
        return add(
            "stablehlo.slice \(value.name) [\(ranges.joined(separator: ", "))] : \(signature([value], type))",
            type)
    }

    /// A number put around and between elements. Negative `low` and `high` take elements away.
    mutating func pad(
        _ value: Value, with number: Float, low: [Int], high: [Int], interior: [Int]
    ) -> Value {
        let extents = value.type.extents.enumerated().map { axis, extent in
            low[axis] + high[axis] + extent + max(0, extent - 1) * interior[axis]
        }
        let filler = filled(number, ValueType([], value.type.element))
        return operation(
            "pad", [value, filler], attributes: ", low = \(low), high = \(high), interior = \(interior)",
            ValueType(extents, value.type.element))
    }

    /// Elements combined by `body`, an operation's name, along axes, which go.
    mutating func reduce(_ value: Value, _ body: String, from start: Float, axes: [Int]) -> Value {
        let initial = filled(start, ValueType([], value.type.element))
        let kept = value.type.extents.enumerated().filter { !axes.contains($0.offset) }.map(\.element)
        let type = ValueType(kept, value.type.element)
        return add(
            "stablehlo.reduce(\(value.name) init: \(initial.name)) applies stablehlo.\(body) across dimensions = \(axes)"
                + " : \(signature([value, initial], type))", type)
    }
}

extension ValueType.Element {
    /// A number as the text has it. Floating-point numbers are given by their bits, which keeps every one exact.
    func literal(_ number: Float) -> String {
        switch self {
        case .float32: "0x" + hexadecimal(number.bitPattern, digits: 8)
        case .bfloat16: "0x" + hexadecimal(UInt32(number.bfloat16Pattern), digits: 4)
        case .int32: "\(TensorValue(shape: .scalar, dtype: .int32, doubles: [Double(number)]).integers[0])"
        case .uint8: "\(TensorValue(shape: .scalar, dtype: .uint8, doubles: [Double(number)]).integers[0])"
        case .bool: number != 0 ? "true" : "false"
        case .uint32, .uint64: "\(UInt64(max(0, number)))"
        }
    }
}

func hexadecimal(_ number: UInt32, digits: Int) -> String {
    let text = String(number, radix: 16, uppercase: true)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
}
