import FoveaGraph

extension FunctionText {
    mutating func reduction(_ rule: Reduction, _ x: Value, _ result: ValueType) -> Value {
        switch rule.kind {
        case .sum: return reshape(reduce(x, "add", from: 0, axes: rule.axes), result.extents)
        case .max: return reshape(reduce(x, "maximum", from: -.infinity, axes: rule.axes), result.extents)
        case .mean:
            let sum = reshape(reduce(x, "add", from: 0, axes: rule.axes), result.extents)
            let count = rule.axes.reduce(1) { $0 * x.type.extents[$1] }
            return elementwise("divide", sum, filled(Float(count), result))
        }
    }

    /// A reduction of pairs of a number and its place, in whatever order pairs are combined.
    mutating func argMax(_ rule: ArgMax, _ x: Value, _ result: ValueType) -> Value {
        let places = iota(along: rule.axis, x.type.extents)
        let (number, place) = (ValueType([], x.type.element), ValueType([], .int32))
        let initial = [filled(-.infinity, number), filled(0, place)]
        let kept = x.type.extents.enumerated().filter { $0.offset != rule.axis }.map(\.element)
        let types = (ValueType(kept, x.type.element), ValueType(kept, .int32))
        let kind = x.type.element.isFloatingPoint ? "FLOAT" : "SIGNED"
        let truths = ValueType([], .bool)
        func compare(_ direction: String, _ a: String, _ b: String, _ kind: String, _ type: ValueType)
            -> String
        {
            "stablehlo.compare \(direction), \(a), \(b), \(kind) : (\(type), \(type)) -> \(truths)"
        }
        // The first pair wins with the larger number or NaN against none, and, of equal ones, with the smaller place.
        let body = """
            reducer(%a: \(number), %b: \(number)) (%i: \(place), %j: \(place)) {
              %larger = \(compare("GT", "%a", "%b", kind, number))
              %a_is_nan = \(compare("NE", "%a", "%a", kind, number))
              %b_is_nan = \(compare("NE", "%b", "%b", kind, number))
              %b_is_number = stablehlo.not %b_is_nan : \(truths)
              %only_a_is_nan = stablehlo.and %a_is_nan, %b_is_number : \(truths)
              %both_are_nan = stablehlo.and %a_is_nan, %b_is_nan : \(truths)
              %same = \(compare("EQ", "%a", "%b", kind, number))
              %equal = stablehlo.or %same, %both_are_nan : \(truths)
              %earlier = \(compare("LT", "%i", "%j", "SIGNED", place))
              %first_of_equal = stablehlo.and %equal, %earlier : \(truths)
              %above = stablehlo.or %larger, %only_a_is_nan : \(truths)
              %wins = stablehlo.or %above, %first_of_equal : \(truths)
              %number = stablehlo.select %wins, %a, %b : \(truths), \(number)
              %place = stablehlo.select %wins, %i, %j : \(truths), \(place)
              stablehlo.return %number, %place : \(number), \(place)
            }
            """
        let pairs = addPair(
            "stablehlo.reduce(\(x.name) init: \(initial[0].name)), (\(places.name) init: \(initial[1].name)) across dimensions"
                + " = [\(rule.axis)] : (\(x.type), \(places.type), \(number), \(place)) -> (\(types.0), \(types.1))\n\(body)",
            types)
        return reshape(pairs.1, result.extents)
    }

    /// The place along an axis, at each element.
    mutating func iota(along axis: Int, _ extents: [Int]) -> Value {
        let type = ValueType(extents, .int32)
        return add("stablehlo.iota dim = \(axis) : \(type)", type)
    }
}
