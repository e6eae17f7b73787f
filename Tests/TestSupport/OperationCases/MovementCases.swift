import FoveaGraph

extension OperationCases {
    static let reductions = floatReductions + otherReductions + argMaxima

    private static let floatReductions: [OperationCase] = Reduction.Kind.allCases.flatMap { kind in
        func reduce(_ shape: Shape, _ axes: [Int], _ keepDims: Bool) -> OperationCase {
            let name = "\(kind) of \(shape) over \(axes)\(keepDims ? ", keeping them" : "")"
            return OperationCase(name, [.batch(shape, .distinct())]) { x in
                [try Tensor(.reduction(Reduction(kind, axes: axes, keepDims: keepDims)), x)]
            }
        }
        var cases: [OperationCase] = []
        for axes in [[], [0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]] {
            cases += [reduce([3, 4, 5], axes, false), reduce([3, 4, 5], axes, true)]
        }
        for axes in [[0, 1, 2], [1, 2], [3]] { cases.append(reduce([2, 5, 4, 20], axes, false)) }
        return cases + [reduce([1, 67], [1], true)]
    }

    private static let otherReductions: [OperationCase] = [
        OperationCase("sum of int32", [.batch([3, 4, 5], .integers(-9...9)).of(.int32)]) { x in
            [try x[0].sum(axes: [1]), try x[0].sum()]
        },
        OperationCase("max of int32", [.batch([3, 4, 5], .integers(-9...9)).of(.int32)]) { x in
            [try x[0].max(axes: [1]), try x[0].max()]
        },
        OperationCase("min of int32", [.batch([3, 4, 5], .integers(-9...9)).of(.int32)]) { x in
            [try x[0].min(axes: [1]), try x[0].min()]
        },
        OperationCase("min", [.batch([3, 4, 5], .distinct())]) { x in
            [try x[0].min(axes: [0, 2]), try x[0].min(axes: [1], keepDims: true)]
        },
        OperationCase("max with ties", [.batch([3, 9], .integers(0...1)).withoutGradient]) { x in
            [try x[0].max(axes: [1])]
        },
        OperationCase("variance over the batch", [.batch([3, 4, 5])]) { x in
            let centered = try x[0] - x[0].mean(axes: [0, 1])
            return [try (centered * centered).mean(axes: [0, 1])]
        },
    ]

    private static let argMaxima: [OperationCase] =
        (0..<3).flatMap { axis in
            func argMax(_ name: String, _ values: CaseValues) -> OperationCase {
                OperationCase("argMax along \(axis) \(name)", [.batch([3, 4, 5], values).withoutGradient]) {
                    x in
                    [
                        try x[0].argMax(axis: axis, keepDims: false),
                        try x[0].argMax(axis: axis, keepDims: true),
                    ]
                }
            }
            return [argMax("of distinct elements", .distinct()), argMax("with ties", .integers(0...1))]
        } + [
            OperationCase("argMax of int32", [.batch([3, 10], .integers(-5...5)).of(.int32)]) { x in
                [try x[0].argMax()]
            }
        ]

    static let movement: [OperationCase] = [
        reshapes, transposes, repeats, broadcasts, slices, pads, concatenations,
    ].flatMap { $0 }

    private static let reshapes: [OperationCase] = [
        OperationCase("flatten", [.batch([2, 3, 5, 3])]) { x in [try x[0].reshaped(to: [x[0].shape[0], 45])]
        },
        OperationCase("reshape rows into the batch", [.batch([2, 4, 3])]) { x in
            [try x[0].reshaped(to: [x[0].shape[0] * 4, 3])]
        },
        OperationCase("reshape out of the batch and on", [.batch([2, 4, 6])]) { x in
            let rows = try x[0].reshaped(to: [x[0].shape[0] * 8, 3])
            return [try rows.exp().reshaped(to: [x[0].shape[0] * 2, 2, 2, 3])]
        },
        OperationCase("reshape to axes of extent 1", [.batch([3, 4])]) { x in
            [try x[0].reshaped(to: [1, x[0].shape[0], 1, 4, 1])]
        },
        OperationCase("reshape int32", [.batch([3, 4], .integers(-9...9)).of(.int32)]) { x in
            [try x[0].reshaped(to: [x[0].shape[0], 2, 2])]
        },
    ]

    private static let transposes: [OperationCase] = [
        transpose([0, 1, 2]), transpose([0, 2, 1]), transpose([1, 0, 2]), transpose([1, 2, 0]),
        transpose([2, 0, 1]),
        transpose([2, 1, 0]),
        OperationCase("transpose to channels first", [.batch([2, 5, 4, 20])]) { x in
            [try x[0].transposed([0, 3, 1, 2])]
        },
        OperationCase("transpose to channels last", [.batch([1, 3, 4, 5])]) { x in
            [try x[0].transposed([0, 2, 3, 1])]
        },
        OperationCase("transpose uint8", [.batch([2, 3, 5], .integers(0...255)).of(.uint8)]) { x in
            [try x[0].transposed([2, 0, 1])]
        },
    ]

    private static func transpose(_ permutation: [Int]) -> OperationCase {
        OperationCase("transpose \(permutation)", [.batch([2, 3, 5])]) { x in
            [try x[0].transposed(permutation)]
        }
    }

    private static let repeats: [OperationCase] = repetitions.map { from, to in
        OperationCase("broadcast \(from) to \(to)", [.fixed(from)]) { x in [try x[0].broadcast(to: to)] }
    }

    private static let repetitions: [(Shape, Shape)] = [
        ([], [2, 3]), ([1], [5]), ([5], [3, 5]), ([5, 1], [2, 5, 4]), ([1, 5], [3, 5]),
        ([2, 1, 3, 1], [2, 4, 3, 5]),
        ([3], [1, 3]),
    ]

    private static let broadcasts: [OperationCase] = [
        OperationCase("broadcast to the batch", [.fixed([4]), .batch([3, 4])]) { x in
            [try x[0].exp().broadcast(to: x[1].shape), try x[1].exp()]
        },
        OperationCase("broadcast beside the batch", [.batch([3, 1, 4])]) { x in
            [try x[0].broadcast(to: [x[0].shape[0], 5, 4])]
        },
        OperationCase(
            "broadcast bfloat16", [.batch([3, 4]).of(.bfloat16), .fixed([4]).of(.bfloat16)], .bfloat16
        ) { x in
            [try x[0] + x[1]]
        },
        OperationCase("broadcast int32", [.fixed([3, 1], .integers(-9...9)).of(.int32)]) { x in
            [try x[0].broadcast(to: [2, 3, 4])]
        },
    ]

    private static let slices: [OperationCase] = [
        OperationCase("slice columns", [.batch([3, 7])]) { x in
            [try x[0].sliced(starts: [0, 2], extents: [x[0].shape[0], 4])]
        },
        OperationCase("slice with strides", [.batch([2, 7, 8])]) { x in
            [try x[0].sliced(starts: [0, 1, 0], extents: [x[0].shape[0], 3, 2], strides: [1, 2, 5])]
        },
        OperationCase("slice to the last element", [.fixed([5, 6])]) { x in
            [try x[0].sliced(starts: [1, 5], extents: [2, 1], strides: [3, 9])]
        },
        OperationCase("slice channels of images", [.batch([1, 3, 5, 20])]) { x in
            [try x[0].sliced(starts: [0, 1, 0, 8], extents: [x[0].shape[0], 2, 5, 8])]
        },
        OperationCase("slice uint8", [.batch([2, 9], .integers(0...255)).of(.uint8)]) { x in
            [try x[0].sliced(starts: [0, 1], extents: [x[0].shape[0], 3], strides: [1, 3])]
        },
    ]

    private static let pads: [OperationCase] = [
        OperationCase("pad", [.batch([2, 3, 5])]) { x in [try x[0].padded(low: [0, 1, 0], high: [0, 0, 2])] },
        OperationCase("pad with a value", [.batch([2, 3])]) { x in
            [try x[0].padded(low: [0, 2], high: [0, 1], value: -1.5)]
        },
        OperationCase("pad between elements", [.batch([2, 3, 4])]) { x in
            [try x[0].padded(low: [0, 1, 0], high: [0, 0, 3], interior: [0, 2, 1], value: 0.5)]
        },
        OperationCase("pad images", [.batch([1, 4, 3, 8])]) { x in
            [try x[0].padded(low: [0, 1, 2, 0], high: [0, 2, 1, 0])]
        },
        OperationCase("pad a single element within", [.fixed([1, 1])]) { x in
            [try x[0].padded(low: [1, 0], high: [0, 2], interior: [4, 4])]
        },
        OperationCase("pad int32", [.batch([2, 3], .integers(-9...9)).of(.int32)]) { x in
            [try x[0].padded(low: [0, 1], high: [0, 1], interior: [0, 1], value: 7)]
        },
    ]

    private static let concatenations: [OperationCase] = [
        OperationCase(
            "concatenate channels", [.batch([2, 2, 3, 3]), .batch([2, 2, 3, 8]), .batch([2, 2, 3, 20])]
        ) { x in
            [try .concatenate(x)]
        },
        OperationCase("concatenate rows", [.batch([2, 1, 3]), .batch([2, 4, 3])]) { x in
            [try .concatenate(x, axis: 1)]
        },
        OperationCase("concatenate one tensor", [.batch([2, 3])]) { x in [try .concatenate(x, axis: 1)] },
        OperationCase("concatenate a tensor with itself", [.batch([2, 3])]) { x in
            [try .concatenate([x[0], x[0]], axis: 1)]
        },
        OperationCase("concatenate along a first axis", [.fixed([2, 3]), .fixed([1, 3])]) { x in
            [try .concatenate(x, axis: 0)]
        },
        OperationCase(
            "concatenate along the batch", [.batch([2, 3]).withoutGradient, .batch([2, 3]).withoutGradient]
        ) { x in
            [try .concatenate(x, axis: 0), try .concatenate([x[0], x[1], x[0]], axis: 0).sum(axes: [1])]
        },
        OperationCase(
            "concatenate bool",
            [.batch([2, 3], .integers(0...1)).of(.bool), .batch([2, 2], .integers(0...1)).of(.bool)]
        ) {
            x in [try .concatenate(x)]
        },
    ]

    static let indexing = oneHots + gathers

    private static let oneHots: [OperationCase] = DType.allCases.map { dtype in
        OperationCase("oneHot of \(dtype)", [.batch([7], .integers(-1...5)).of(.int32)]) { x in
            [try x[0].oneHot(depth: 5, dtype: dtype)]
        }
    }

    private static let gathers: [OperationCase] = [
        OperationCase("oneHot of a matrix", [.batch([2, 3], .integers(0...3)).of(.int32)]) { x in
            [try x[0].oneHot(depth: 4)]
        },
        OperationCase("oneHot of depth 1", [.batch([4], .integers(0...1)).of(.int32)]) { x in
            [try x[0].oneHot(depth: 1)]
        },
        OperationCase("gather rows", [.fixed([5, 3]), .batch([7], .integers(-1...5)).of(.int32)]) { x in
            [try x[0].gathered(at: x[1])]
        },
        OperationCase(
            "gather columns", [.batch([2, 6, 2]), .fixed([2, 3], .integers(-1...6)).of(.int32)]
        ) { x in
            [try x[0].gathered(at: x[1], axis: 1)]
        },
        OperationCase("gather channels", [.batch([2, 3, 6]), .fixed([4], .integers(0...5)).of(.int32)]) {
            x in
            [try x[0].gathered(at: x[1], axis: -1)]
        },
        OperationCase("gather one row", [.batch([2, 4, 3]), .fixed([], .integers(2...2)).of(.int32)]) {
            x in
            [try x[0].gathered(at: x[1], axis: 1)]
        },
        OperationCase(
            "gather pixels of each image",
            [.batch([2, 6, 2]), .batch([2, 4], .integers(-1...6)).of(.int32)]
        ) { x in
            [try x[0].gathered(at: x[1], axis: 1, sharedAxes: 1)]
        },
        OperationCase(
            "gather of two shared axes",
            [.batch([2, 3, 2, 5, 2]), .batch([2, 3, 4], .integers(-1...5)).of(.int32)]
        ) { x in
            [try x[0].gathered(at: x[1], axis: -2, sharedAxes: 2)]
        },
        OperationCase(
            "gather one pixel of each image", [.batch([2, 6, 2]), .batch([2], .integers(-1...6)).of(.int32)]
        ) { x in
            [try x[0].gathered(at: x[1], axis: 1, sharedAxes: 1)]
        },
        OperationCase(
            "gather int32",
            [.fixed([5], .integers(-9...9)).of(.int32), .batch([3, 2], .integers(0...4)).of(.int32)]
        ) { x in [try x[0].gathered(at: x[1])] },
        OperationCase(
            "gather bfloat16",
            [.fixed([5, 3]).of(.bfloat16), .batch([7], .integers(-1...5)).of(.int32)], .bfloat16
        ) {
            x in [try x[0].gathered(at: x[1])]
        },
        OperationCase("scatterAdd rows", [.batch([7, 3]), .batch([7], .integers(-1...5)).of(.int32)]) {
            x in
            [try Tensor(.scatterAdd(ScatterAdd(axis: 0, extent: 5)), x)]
        },
        OperationCase(
            "scatterAdd columns", [.batch([2, 2, 3, 2]), .fixed([2, 3], .integers(-1...4)).of(.int32)]
        ) { x in
            [try Tensor(.scatterAdd(ScatterAdd(axis: 1, extent: 4)), x)]
        },
        OperationCase(
            "scatterAdd pixels of each image",
            [.batch([2, 3, 4, 2]), .batch([2, 4], .integers(-1...5)).of(.int32)]
        ) { x in
            [try Tensor(.scatterAdd(ScatterAdd(axis: 2, extent: 5, sharedAxes: 1)), x)]
        },
        OperationCase("scatterAdd one row", [.batch([2, 3]), .fixed([], .integers(1...1)).of(.int32)]) {
            x in
            [try Tensor(.scatterAdd(ScatterAdd(axis: 1, extent: 3)), x)]
        },
    ]
}
