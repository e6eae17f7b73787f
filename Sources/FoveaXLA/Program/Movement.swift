import FoveaGraph

extension FunctionText {
    mutating func transpose(_ x: Value, _ permutation: [Int]) -> Value {
        operation(
            "transpose", [x], attributes: ", dims = \(permutation)",
            ValueType(permutation.map { x.type.extents[$0] }, x.type.element))
    }

    mutating func broadcast(_ x: Value, to extents: [Int]) -> Value {
        broadcast(x, axes: Array((extents.count - x.type.rank)..<extents.count), extents)
    }

    mutating func slice(_ rule: Slice, _ x: Value) -> Value {
        let limits = rule.starts.indices.map { axis in
            rule.extents[axis] == 0
                ? rule.starts[axis] : rule.starts[axis] + (rule.extents[axis] - 1) * rule.strides[axis] + 1
        }
        return slice(x, starts: rule.starts, limits: limits, strides: rule.strides)
    }

    mutating func concatenate(_ values: [Value], axis: Int) -> Value {
        if values.count == 1 { return values[0] }
        var type = values[0].type
        type.extents[axis] = values.reduce(0) { $0 + $1.type.extents[axis] }
        return operation("concatenate", values, attributes: ", dim = \(axis)", type)
    }
}
