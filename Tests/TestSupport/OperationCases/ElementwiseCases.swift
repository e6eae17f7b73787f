import FoveaGraph

extension OperationCases {
    static let elementwise: [OperationCase] = [
        unary, integerUnary, farOut, binary, broadcasting, chains, comparisons, selections,
    ].flatMap { $0 }

    private static let unary: [OperationCase] = Unary.allCases.flatMap { kind in
        func input(_ shape: Shape) -> CaseInput { .batch(shape, values(for: kind)) }
        let build: @Sendable ([Tensor]) throws -> [Tensor] = { x in [try x[0].unary(kind)] }
        return [
            OperationCase("\(kind.name) [2, 7]", [input([2, 7])], build: build),
            OperationCase("\(kind.name) [3, 67]", [input([3, 67])], build: build),
            OperationCase("\(kind.name) [1, 3, 5, 20]", [input([1, 3, 5, 20])], build: build),
            OperationCase(
                "\(kind.name) of bfloat16", [input([2, 9]).of(.bfloat16)], .bfloat16, build: build),
        ]
    }

    private static let integerUnary: [OperationCase] = Unary.allCases.filter(\.acceptsIntegers).map { kind in
        OperationCase("\(kind.name) of int32", [.batch([3, 5], .integers(-3...3)).of(.int32)]) { x in
            [try x[0].unary(kind)]
        }
    }

    private static let farOut: [OperationCase] = [
        far(.sigmoid, [-200, -90, -20, 0, 20, 90, 200]), far(.tanh, [-200, -10, -1e-4, 0, 1e-4, 10, 200]),
        far(.erf, [-30, -4, -1e-4, 0, 1e-4, 4, 30]), far(.exp, [-200, -100, -80, 0, 1e-4, 20]),
        far(.expm1, [-200, -100, -20, -1e-3, -1e-6, 0, 1e-6, 1e-3]),
        far(.log, [1e-38, 1e-20, 1, 1e20]), far(.log1p, [-1e-6, 1e-6, 1e-3, 1e6]),
        far(.relu, [-1e30, -1e-30, 0, 1e-30, 1e30]), far(.sign, [-1e30, -1e-30, 0, 1e-30, 1e30]),
        far(.floor, [-2, -1.5, -1e-6, 0, 1e-6, 1.5, 2, 1e6]), far(.sqrt, [0, 1e-30, 1e30]),
    ]

    /// One function at arguments where careless formulas overflow or cancel.
    private static func far(_ kind: Unary, _ elements: [Double]) -> OperationCase {
        OperationCase(
            "\(kind.name) far out", [.fixed([elements.count], .listed(elements)).withoutGradient]
        ) { x in [try x[0].unary(kind)] }
    }

    private static func values(for kind: Unary) -> CaseValues {
        switch kind {
        case .negate, .exp, .expm1, .tanh, .erf: .uniform(-2, 2)
        case .sigmoid, .sin, .cos: .uniform(-4, 4)
        case .abs, .sign, .relu: .signed(0.25, 2)
        case .log, .sqrt, .rsqrt: .uniform(0.5, 3)
        case .log1p: .uniform(-0.4, 2)
        case .reciprocal: .signed(0.5, 2)
        case .floor: .betweenIntegers
        }
    }

    private static let binary: [OperationCase] = Binary.allCases.flatMap { kind in
        let (left, right) = values(for: kind)
        var cases = [
            OperationCase("\(kind.name) [3, 7]", [.batch([3, 7], left), .batch([3, 7], right)]) { x in
                [try .binary(kind, x[0], x[1])]
            },
            OperationCase("\(kind.name) of one tensor, read twice", [.batch([2, 5], .uniform(0.5, 2))]) { x in
                [try .binary(kind, x[0], x[0] * 1.5 + 1)]
            },
            OperationCase("\(kind.name) by channel", [.batch([2, 3, 2, 20], left), .fixed([20], right)]) {
                x in
                [try .binary(kind, x[0], x[1])]
            },
            OperationCase("\(kind.name) with a number", [.batch([1, 33], left)]) { x in
                [try .binary(kind, x[0], 1.0625)]
            },
            OperationCase(
                "\(kind.name) of bfloat16",
                [.batch([3, 7], left).of(.bfloat16), .batch([3, 7], right).of(.bfloat16)], .bfloat16
            ) { x in [try .binary(kind, x[0], x[1])] },
        ]
        if kind != .power {
            cases.append(
                OperationCase(
                    "\(kind.name) of int32",
                    [
                        .batch([4, 5], .integers(-7...7)).of(.int32),
                        .batch([4, 5], .integers(-2...3)).of(.int32),
                    ]
                ) { x in [try .binary(kind, x[0], x[1])] })
        }
        return cases
    }

    private static func values(for kind: Binary) -> (CaseValues, CaseValues) {
        switch kind {
        case .add, .subtract, .multiply: (.uniform(-2, 2), .uniform(-2, 2))
        case .divide: (.uniform(-2, 2), .signed(0.5, 2))
        case .maximum, .minimum: (.distinct(), .distinct(offset: 0.0625))
        case .power: (.uniform(0.5, 2), .uniform(-2, 2))
        }
    }

    private static let broadcasting: [OperationCase] = shapesThatMeet.map { a, b in
        OperationCase("multiply \(a) by \(b)", [.batch(a), .fixed(b)]) { x in
            [try x[0] * x[1], try x[1] - x[0]]
        }
    }

    private static let shapesThatMeet: [(Shape, Shape)] = [
        ([2, 3, 4], [4]), ([2, 3, 4], [3, 1]), ([2, 1, 4], [3, 1]), ([2, 3, 1], [1, 4]), ([2, 3], []),
        ([2, 1], [3]),
        ([3, 1, 1], [2, 5]),
    ]

    private static let chains: [OperationCase] = [
        OperationCase("maximum and minimum with ties", [.batch([3, 4], .integers(-1...1)).withoutGradient]) {
            x in
            [try .maximum(x[0], 0), try .minimum(x[0], 0)]
        },
        OperationCase(
            "a chain of steps", [.batch([3, 37]), .fixed([37]), .fixed([37], .uniform(0.5, 2))]
        ) { x in
            [try ((x[0] - x[1]) / (x[2] + 0.001).squareRoot() * 2 + 1).tanh().exp()]
        },
        OperationCase("a chain with two outputs", [.batch([3, 37]), .batch([3, 37])]) { x in
            let product = try x[0] * x[1]
            return [product, try (product + x[0]).sigmoid()]
        },
    ]

    private static let comparisons: [OperationCase] = Comparison.allCases.flatMap { kind in
        [
            OperationCase(
                "\(kind.name)", [.batch([3, 7], .integers(-1...1)), .batch([3, 7], .integers(-1...1))]
            ) { x in
                [try .compare(kind, x[0], x[1])]
            },
            OperationCase(
                "\(kind.name) with a row",
                [.batch([3, 33], .integers(0...2)), .fixed([33], .integers(0...2))]
            ) {
                x in [try .compare(kind, x[0], x[1])]
            },
            OperationCase(
                "\(kind.name) of int32",
                [
                    .batch([3, 7], .integers(-1...1)).of(.int32),
                    .batch([3, 7], .integers(-1...1)).of(.int32),
                ]
            ) { x in [try .compare(kind, x[0], x[1])] },
            OperationCase(
                "\(kind.name) of uint8",
                [
                    .batch([3, 7], .integers(127...129)).of(.uint8),
                    .batch([3, 7], .integers(127...129)).of(.uint8),
                ]
            ) { x in [try .compare(kind, x[0], x[1])] },
        ]
    }

    private static let selections: [OperationCase] = [
        OperationCase(
            "select", [.batch([3, 7], .integers(0...1)).of(.bool), .batch([3, 7]), .batch([3, 7])]
        ) { x in
            [try .select(x[0], x[1], x[2])]
        },
        OperationCase(
            "select by row", [.fixed([7], .integers(0...1)).of(.bool), .batch([3, 7]), .fixed([1])]
        ) { x in
            [try .select(x[0], x[1], x[2])]
        },
        OperationCase(
            "select by a scalar", [.fixed([], .integers(1...1)).of(.bool), .batch([3, 7]), .batch([3, 7])]
        ) { x in
            [try .select(x[0], x[1], x[2])]
        },
        OperationCase(
            "select int32",
            [
                .batch([3, 7], .integers(0...1)).of(.bool), .batch([3, 7], .integers(-9...9)).of(.int32),
                .batch([3, 7], .integers(-9...9)).of(.int32),
            ]
        ) { x in [try .select(x[0], x[1], x[2])] },
        OperationCase("select by comparison", [.batch([2, 33], .signed(0.25, 2)), .batch([2, 33])]) { x in
            [try .select(x[0].greater(0), x[0] * x[1], x[1] * 0.1)]
        },
    ]

    static let casts: [OperationCase] =
        DType.allCases.flatMap { from in DType.allCases.map { cast(from, $0) } } + [
            OperationCase("cast to bfloat16 and back", [.batch([3, 5])], .bfloat16) { x in
                [x[0].cast(to: .bfloat16).cast(to: .float32)]
            },
            OperationCase("cast pixels", [.batch([2, 3, 5, 3], .integers(0...255)).of(.uint8), .fixed([3])]) {
                x in
                [try x[0].cast(to: .float32) / 255 * x[1]]
            },
        ]

    private static func cast(_ from: DType, _ to: DType) -> OperationCase {
        let input = CaseInput.batch([2, 19], .listed(elements(of: from))).withoutGradient.of(from)
        return OperationCase("cast \(from) to \(to)", [input], .exact) { x in [try Tensor(.cast(Cast(to)), x)]
        }
    }

    /// Fractions, ties of bfloat16, numbers outside of other types' ranges.
    private static func elements(of dtype: DType) -> [Double] {
        switch dtype {
        case .float32:
            [
                -300.7, -1.5, -0.5, -0.0, 0, 0.4, 0.5, 1.5, 2.5, 254.9, 255.4, 256, 1e10, -1e10, 1.003_906_25,
                1.011_718_75, .nan, .infinity, -.infinity,
            ]
        case .bfloat16:
            [-300, -1.5, -0.5, 0, 0.5, 1.5, 2.5, 254, 255, 256, 1e10, -1e10, .nan, .infinity, -.infinity]
        case .int32: [0, 1, -1, 127, 128, 255, 256, 257, -300, 16_777_217, -2_147_483_648, 2_147_483_647]
        case .uint8: [0, 1, 2, 127, 128, 254, 255]
        case .bool: [0, 1, 1]
        }
    }
}
