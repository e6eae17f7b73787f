import FoveaGraph

extension FunctionText {
    /// Random numbers from the words that Fovea's own generator gives: Philox is part of the language, and the same seed, step and
    /// stream make the same state.
    ///
    /// - Parameter key: the run's seed and step, in four words.
    mutating func random(_ rule: Random, stream: UInt32, key: Value, _ result: ValueType) -> Value {
        if result.count == 0 { return filled(0, result) }
        // Numbers of a normal distribution are made of pairs of words.
        let count = rule.distribution == .normal ? (result.count + 1) / 2 * 2 : result.count
        let words = words(count, stream: stream, key: key)
        let shift = filled(8, words.type)
        let steps = convert(elementwise("shift_right_logical", words, shift), .float32)
        switch rule.distribution {
        case .uniform:
            let numbers = elementwise("multiply", steps, filled(0x1p-24, steps.type))
            return reshape(numbers, result.extents)
        case .normal:
            let numbers = normal(reshape(steps, [count / 2, 2]))
            let all = reshape(numbers, [count])
            let wanted =
                count == result.count ? all : slice(all, starts: [0], limits: [result.count], strides: [1])
            return reshape(wanted, result.extents)
        }
    }

    private mutating func words(_ count: Int, stream: UInt32, key: Value) -> Value {
        let pair = ValueType([2], .uint64)
        let words = operation("bitcast_convert", [key], key.type.of(.uint32))
        let numbers = operation("bitcast_convert", [reshape(words, [2, 2])], pair)
        let seed = slice(numbers, starts: [0], limits: [1], strides: [1])
        let step = slice(numbers, starts: [1], limits: [2], strides: [1])
        let one = ValueType([1], .uint64)
        let middle = add("stablehlo.constant dense<\(UInt64(stream) << 32)> : \(one)", one)
        let state = concatenate([seed, middle, step], axis: 0)
        let types = (state.type, ValueType([count], .uint32))
        return addPair(
            "stablehlo.rng_bit_generator \(state.name), algorithm = PHILOX : (\(types.0)) -> (\(types.0), \(types.1))",
            types
        ).1
    }

    /// Box and Muller's pairs, of pairs of numbers of steps of 2⁻²⁴.
    private mutating func normal(_ steps: Value) -> Value {
        let rows = steps.type.extents[0]
        let first = slice(steps, starts: [0, 0], limits: [rows, 1], strides: [1, 1])
        let second = slice(steps, starts: [0, 1], limits: [rows, 2], strides: [1, 1])
        let positive = elementwise("add", first, filled(1, first.type))
        let logarithm = elementwise("log", elementwise("multiply", positive, filled(0x1p-24, first.type)))
        let radius = elementwise("sqrt", elementwise("multiply", logarithm, filled(-2, first.type)))
        let angle = elementwise("multiply", second, filled(Float(2 * Double.pi) * 0x1p-24, second.type))
        return concatenate(
            [
                elementwise("multiply", radius, elementwise("cosine", angle)),
                elementwise("multiply", radius, elementwise("sine", angle)),
            ], axis: 1)
    }
}
