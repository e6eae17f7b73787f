import FoveaGraph

extension FunctionText {
    mutating func maxPool(_ rule: MaxPool, _ x: Value) -> Value {
        let largest = reduceWindow(
            x, "maximum", from: -.infinity, rule.window.window, strides: rule.window.strides,
            rule.window.padding)
        return rule.isRectified ? elementwise("maximum", largest, filled(0, largest.type)) : largest
    }

    /// For each place of the window, the elements under it in all windows at once: which of them are the first largest takes
    /// comparisons only, so the result is the same however the device shares out the work.
    mutating func maxPoolGradient(_ rule: MaxPoolGradient, _ x: Value, _ upstream: Value) -> Value {
        let (window, padding) = (rule.window, rule.window.padding)
        let isPadded = padding != .none
        // Padding must lose against an infinitely small element, too.
        let bounded =
            isPadded ? elementwise("maximum", x, filled(-x.type.element.greatestNumber, x.type)) : x
        let padded =
            isPadded
            ? pad(
                bounded, with: -.infinity, low: [0, padding.top, padding.left, 0],
                high: [0, padding.bottom, padding.right, 0], interior: [0, 0, 0, 0]) : x
        let places = (0..<window.window.height).flatMap { row in
            (0..<window.window.width).map { Size2D(row, $0) }
        }
        var best = elements(of: padded, at: places[0], window, like: upstream.type)
        var winner = filled(0, upstream.type.of(.int32))
        for (number, place) in places.enumerated().dropFirst() {
            let other = elements(of: padded, at: place, window, like: upstream.type)
            // Larger, or NaN where there was none yet.
            let isLarger = compare("GT", other, best)
            let isNaN = compare("NE", other, other)
            let wins = elementwise(
                "or", isLarger, elementwise("and", isNaN, compare("EQ", best, best)))
            best = select(wins, other, best)
            winner = select(wins, filled(Float(number), winner.type), winner)
        }
        let zeros = filled(0, upstream.type)
        let passed = rule.isRectified ? select(compare("GT", best, zeros), upstream, zeros) : upstream
        var sum: Value?
        for (number, place) in places.enumerated() {
            let isWinner = compare("EQ", winner, filled(Float(number), winner.type))
            let share = spread(select(isWinner, passed, zeros), at: place, window, like: x.type)
            sum = sum.map { elementwise("add", $0, share) } ?? share
        }
        return sum ?? filled(0, x.type)
    }

    /// The elements at one place of all windows.
    private mutating func elements(
        of padded: Value, at place: Size2D, _ window: SlidingWindow, like output: ValueType
    ) -> Value {
        let (e, outputs) = (padded.type.extents, Shape(output.extents).imageSize)
        return slice(
            padded, starts: [0, place.height, place.width, 0],
            limits: [
                e[0], place.height + (outputs.height - 1) * window.strides.height + 1,
                place.width + (outputs.width - 1) * window.strides.width + 1, e[3],
            ], strides: [1, window.strides.height, window.strides.width, 1])
    }

    /// Numbers put where one place of each window lies in the images.
    private mutating func spread(
        _ shares: Value, at place: Size2D, _ window: SlidingWindow, like images: ValueType
    ) -> Value {
        let (outputs, inputs) = (Shape(shares.type.extents).imageSize, Shape(images.extents).imageSize)
        let low = Size2D(place.height - window.padding.top, place.width - window.padding.left)
        let high = Size2D(
            inputs.height - low.height - ((outputs.height - 1) * window.strides.height + 1),
            inputs.width - low.width - ((outputs.width - 1) * window.strides.width + 1))
        return pad(
            shares, with: 0, low: [0, low.height, low.width, 0], high: [0, high.height, high.width, 0],
            interior: [0, window.strides.height - 1, window.strides.width - 1, 0])
    }

    mutating func averagePool(_ rule: AveragePool, _ x: Value, _ result: ValueType) -> Value {
        let window = rule.window
        let sum = reduceWindow(
            convert(x, .float32), "add", from: 0, window.window, strides: window.strides, window.padding)
        let counts = counts(rule, images: Shape(x.type.extents).imageSize, sum.type)
        return convert(elementwise("divide", sum, counts), result.element)
    }

    mutating func averagePoolGradient(_ rule: AveragePoolGradient, _ upstream: Value, _ result: ValueType)
        -> Value
    {
        let (window, outputs) = (rule.pool.window, Shape(upstream.type.extents).imageSize)
        let (size, strides) = (window.window, window.strides)
        let counts = counts(rule.pool, images: rule.inputSize, upstream.type.of(.float32))
        let shares = elementwise("divide", convert(upstream, .float32), counts)
        let low = Size2D(size.height - 1 - window.padding.top, size.width - 1 - window.padding.left)
        let high = Size2D(
            rule.inputSize.height + size.height - 1 - low.height
                - ((outputs.height - 1) * strides.height + 1),
            rule.inputSize.width + size.width - 1 - low.width - ((outputs.width - 1) * strides.width + 1))
        let spread = pad(
            shares, with: 0, low: [0, low.height, low.width, 0], high: [0, high.height, high.width, 0],
            interior: [0, strides.height - 1, strides.width - 1, 0])
        return convert(reduceWindow(spread, "add", from: 0, size, strides: 1, .none), result.element)
    }

    /// How many elements each window averages over.
    private mutating func counts(_ rule: AveragePool, images: Size2D, _ result: ValueType) -> Value {
        let window = rule.window
        if rule.countsPadding || window.padding == .none {
            return filled(Float(window.window.height * window.window.width), result)
        }
        func counts(_ outputs: Int, _ size: Int, _ window: Int, _ stride: Int, _ padding: Int) -> [Float] {
            (0..<outputs).map { output in
                let start = output * stride - padding
                return Float(min(start + window, size) - max(start, 0))
            }
        }
        let rows = counts(
            result.extents[1], images.height, window.window.height, window.strides.height, window.padding.top)
        let columns = counts(
            result.extents[2], images.width, window.window.width, window.strides.width, window.padding.left)
        let height = broadcast(constant(TensorValue(rows)), axes: [1], result.extents)
        let width = broadcast(constant(TensorValue(columns)), axes: [2], result.extents)
        return elementwise("multiply", height, width)
    }

    /// The elements under a window that moves over images, combined by `body`, an operation's name.
    private mutating func reduceWindow(
        _ x: Value, _ body: String, from start: Float, _ size: Size2D, strides: Size2D, _ padding: Padding2D
    ) -> Value {
        let scalar = ValueType([], x.type.element)
        let initial = filled(start, scalar)
        func outputs(_ size: Int, _ padding: Int, _ window: Int, _ stride: Int) -> Int {
            (size + padding - window) / stride + 1
        }
        let e = x.type.extents
        let result = ValueType(
            [
                e[0], outputs(e[1], padding.top + padding.bottom, size.height, strides.height),
                outputs(e[2], padding.left + padding.right, size.width, strides.width), e[3],
            ], x.type.element)
        return add(
            """
            "stablehlo.reduce_window"(\(x.name), \(initial.name)) <{window_dimensions = \
            array<i64: 1, \(size.height), \(size.width), 1>, \
            window_strides = array<i64: 1, \(strides.height), \(strides.width), 1>, \
            padding = dense<[[0, 0], [\(padding.top), \(padding.bottom)], [\(padding.left), \(padding.right)], [0, 0]]> \
            : tensor<4x2xi64>}> ({
              ^bb0(%a: \(scalar), %b: \(scalar)):
                %c = stablehlo.\(body) %a, %b : \(scalar)
                stablehlo.return %c : \(scalar)
            }) : \(signature([x, initial], result))
            """, result)
    }
}

extension ValueType.Element {
    fileprivate var greatestNumber: Float {
        self == .bfloat16 ? Float(bitPattern: 0x7F7F_0000) : .greatestFiniteMagnitude
    }
}
