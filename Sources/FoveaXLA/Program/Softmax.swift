import FoveaGraph

extension FunctionText {
    mutating func softmax(_ rule: Softmax, _ x: Value) -> Value {
        let others = (0..<x.type.rank).filter { $0 != rule.axis }
        let largest = reduce(x, "maximum", from: -.infinity, axes: [rule.axis])
        let shifted = elementwise("subtract", x, broadcast(largest, axes: others, x.type.extents))
        let exponentials = elementwise("exponential", shifted)
        let sum = reduce(exponentials, "add", from: 0, axes: [rule.axis])
        guard rule.isLogarithmic else {
            return elementwise("divide", exponentials, broadcast(sum, axes: others, x.type.extents))
        }
        let logarithm = elementwise("log", sum)
        return elementwise("subtract", shifted, broadcast(logarithm, axes: others, x.type.extents))
    }
}
