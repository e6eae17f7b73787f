import CKernels
import FoveaGraph
import Glibc
import Testing

extension KernelTests {
    /// Every arithmetic instruction against Double arithmetic, with the values where formulas break.
    @Suite struct LaneMath {
        static let special: [Float] = [
            0, -0.0, 1, -1, 0.5, -0.5, 2, -2, .infinity, -.infinity, .nan, .leastNonzeroMagnitude,
            -.leastNonzeroMagnitude, .leastNormalMagnitude, -.leastNormalMagnitude, 0x1p-130, -0x1p-130,
            .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 1e-7, -1e-7, 5.9604645e-8, 0.99999994,
            1.0000001,
            -0.99999994, 0.625, 0.62499994, 3.9999998, 4, 4.0000005, 88.72283, 88.7229, -87.33655, -103.9,
            -103.97,
            -104.1, 127, 1.5, 2.5, -1.5, 8388608.5, 16_777_218, 2_147_483_520, 2_147_483_648, -2_147_483_648,
            -2_147_483_904, 1e10,
            9999.9, 10000.1, -9999, 1.5707964, 3.1415927, -0.78539819,
        ]

        /// Special values, values of every magnitude, and values of ordinary size; their number is odd.
        @Compute static func samples() -> [Float] {
            var random = TestRandom(seed: 1)
            let magnitudes = (0..<1500).map { _ in
                Float.random(in: -1...1, using: &random) * exp2(Float.random(in: -140...127, using: &random))
            }
            return special + magnitudes + random.floats(2001, in: -6...6)
                + random.floats(1000, in: -100...100)
        }

        /// Expects |actual - expected| within a relative error of the exact result, or half of the least subnormal.
        @Compute func check(
            _ opcode: fovea_opcode, _ name: String, relative: Double, absolute: Double = 0,
            inputs: [Float] = samples(), _ exact: (Double) -> Double
        ) {
            forEachVectorKind { kind in
                let results = lanes(opcode, inputs)
                for (x, y) in zip(inputs, results) {
                    let expected = exact(Double(x))
                    let rounded = Float(expected)
                    if rounded.isNaN {
                        #expect(y.isNaN, "\(name)(\(x)) = \(y) on \(kind)")
                    } else if rounded.isInfinite || y.isInfinite {
                        let nearest = abs(expected) > Double(Float.greatestFiniteMagnitude) * (1 - relative)
                        #expect(y == rounded || nearest, "\(name)(\(x)) = \(y), not \(rounded) on \(kind)")
                    } else {
                        let tolerance = max(abs(expected) * relative, absolute, 1.5e-45)
                        #expect(
                            abs(Double(y) - expected) <= tolerance,
                            "\(name)(\(x)) = \(y), not \(expected) on \(kind)")
                    }
                }
            }
        }

        @Test @Compute func exactFloatOperations() {
            check(FOVEA_OP_NEGATE, "negate", relative: 0) { -$0 }
            check(FOVEA_OP_ABS, "abs", relative: 0) { abs($0) }
            check(FOVEA_OP_SIGN, "sign", relative: 0) { $0.isNaN ? $0 : $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }
            check(FOVEA_OP_FLOOR, "floor", relative: 0) { floor($0) }
            check(FOVEA_OP_RELU, "relu", relative: 0) { $0 < 0 ? 0 : $0 }
            check(FOVEA_OP_SQRT, "sqrt", relative: 6e-8) { sqrt($0) }
            check(FOVEA_OP_RECIPROCAL, "reciprocal", relative: 6e-8) { 1 / $0 }
            check(FOVEA_OP_RSQRT, "rsqrt", relative: 1.2e-7) { 1 / sqrt($0) }
        }

        /// However it is computed, a square root is the nearest float.
        @Test @Compute func squareRootsAreExact() {
            var random = TestRandom(seed: 21)
            var bits = (0...UInt32(255)).flatMap { exponent in
                // All exponents with mantissas at both ends and in between.
                [0, 1, 2, 0x12_3456, 0x3f_ffff, 0x40_0000, 0x7f_fffe, 0x7f_ffff].map { exponent << 23 | $0 }
            }
            bits += stride(from: 0x3f80_0000, to: 0x4080_0000, by: 97)
            let values = bits.map { Float(bitPattern: $0) }
            forEachVectorKind { kind in
                // Groups of neighbours, and each value among others of any size.
                for order in [values, values.shuffled(using: &random)] {
                    let wrong = zip(order, lanes(FOVEA_OP_SQRT, order)).filter { x, root in
                        root.bitPattern != x.squareRoot().bitPattern && !(x.isNaN && root.isNaN)
                    }
                    #expect(wrong.isEmpty, "\(kind): \(wrong.prefix(3))")
                }
            }
        }

        @Test @Compute func transcendentals() {
            check(FOVEA_OP_EXP, "exp", relative: 2e-7) { exp($0) }
            check(FOVEA_OP_EXPM1, "expm1", relative: 2e-7) { expm1($0) }
            check(FOVEA_OP_LOG, "log", relative: 2e-7) { log($0) }
            check(FOVEA_OP_LOG1P, "log1p", relative: 3e-7) { log1p($0) }
            check(FOVEA_OP_TANH, "tanh", relative: 3e-7) { tanh($0) }
            check(FOVEA_OP_SIGMOID, "sigmoid", relative: 3e-7) { 1 / (1 + exp(-$0)) }
            check(FOVEA_OP_ERF, "erf", relative: 3e-7) { erf($0) }
        }

        /// Losses of sure predictions are logarithms of what is nearly 1.
        @Test @Compute func logarithmsNearOne() {
            let near = (-3000...3000).map { Float(bitPattern: UInt32(0x3f80_0000 + $0)) }
            let wider = stride(from: UInt32(0x3f40_0000), to: 0x3fa0_0000, by: 1009).map {
                Float(bitPattern: $0)
            }
            check(FOVEA_OP_LOG, "log", relative: 1.5e-7, inputs: near + wider) { log($0) }
            check(FOVEA_OP_LOG1P, "log1p", relative: 1.5e-7, inputs: (near + wider).map { $0 - 1 }) {
                log1p($0)
            }
            forEachVectorKind { kind in
                #expect(lanes(FOVEA_OP_LOG, [Float(1)]) == [0], "\(kind)")
                #expect(lanes(FOVEA_OP_EXP, [Float(0), -0.0]) == [1, 1], "\(kind)")
            }
        }

        @Test @Compute func trigonometry() {
            check(FOVEA_OP_SIN, "sin", relative: 3e-7, absolute: 2e-7) { sin($0) }
            check(FOVEA_OP_COS, "cos", relative: 3e-7, absolute: 2e-7) { cos($0) }
            var random = TestRandom(seed: 2)
            let wide = random.floats(8001, in: -10000...10000)
            check(FOVEA_OP_SIN, "sin", relative: 0, absolute: 3e-7, inputs: wide) { sin($0) }
            check(FOVEA_OP_COS, "cos", relative: 0, absolute: 3e-7, inputs: wide) { cos($0) }
        }

        @Test @Compute func signsOfZero() {
            forEachVectorKind { kind in
                for opcode in [
                    FOVEA_OP_TANH, FOVEA_OP_EXPM1, FOVEA_OP_LOG1P, FOVEA_OP_SQRT, FOVEA_OP_ERF,
                    FOVEA_OP_FLOOR,
                ] {
                    let zeros = lanes(opcode, [-0.0, 0])
                    #expect(zeros[0].sign == .minus && zeros[1].sign == .plus, "\(opcode) on \(kind)")
                }
                #expect(lanes(FOVEA_OP_NEGATE, [0])[0].sign == .minus)
                #expect(lanes(FOVEA_OP_RECIPROCAL, [-0.0]) == [-.infinity])
            }
        }

        @Compute static func pairs() -> ([Float], [Float]) {
            var random = TestRandom(seed: 3)
            var a: [Float] = []
            var b: [Float] = []
            for x in special {
                for y in special {
                    a.append(x)
                    b.append(y)
                }
            }
            a += random.floats(1001)
            b += random.floats(1001)
            return (a, b)
        }

        @Test @Compute func floatPairs() {
            let (a, b) = Self.pairs()
            typealias Pair = (name: String, opcode: fovea_opcode, exact: (Float, Float) -> Float)
            let table: [Pair] = [
                ("add", FOVEA_OP_ADD, { $0 + $1 }), ("subtract", FOVEA_OP_SUBTRACT, { $0 - $1 }),
                ("multiply", FOVEA_OP_MULTIPLY, { $0 * $1 }), ("divide", FOVEA_OP_DIVIDE, { $0 / $1 }),
                ("maximum", FOVEA_OP_MAXIMUM, { $0.isNaN ? $0 : $1.isNaN ? $1 : max($0, $1) }),
                ("minimum", FOVEA_OP_MINIMUM, { $0.isNaN ? $0 : $1.isNaN ? $1 : min($0, $1) }),
            ]
            forEachVectorKind { kind in
                for (name, opcode, exact) in table {
                    for (i, y) in lanes(opcode, a, b).enumerated() {
                        let expected = exact(a[i], b[i])
                        #expect(
                            y == expected || (y.isNaN && expected.isNaN),
                            "\(name)(\(a[i]), \(b[i])) = \(y), not \(expected) on \(kind)")
                    }
                }
            }
        }

        @Test @Compute func power() {
            var (a, b) = Self.pairs()
            for exponent: Float in [-3, -2, -1, 0, 1, 2, 3, 0.5, 0.75, -0.75] {
                a += LaneMath.special + [0.3, 7.25, -3.5, 1e-20, 1e20]
                b += Array(repeating: exponent, count: LaneMath.special.count + 5)
            }
            var random = TestRandom(seed: 4)
            a += random.floats(3000, in: 0.001...50)
            b += random.floats(3000, in: -20...20)
            forEachVectorKind { kind in
                for (i, y) in lanes(FOVEA_OP_POWER, a, b).enumerated() {
                    let expected = pow(Double(a[i]), Double(b[i]))
                    let same =
                        Float(expected).isNaN
                        ? y.isNaN
                        : y == Float(expected)
                            || abs(Double(y) - expected) <= max(abs(expected) * 2e-7, 1.5e-45)
                    #expect(same, "power(\(a[i]), \(b[i])) = \(y), not \(expected) on \(kind)")
                }
            }
        }

        @Test @Compute func comparisons() {
            let (a, b) = Self.pairs()
            typealias Comparison = (fovea_opcode, (Float, Float) -> Bool)
            let table: [Comparison] = [
                (FOVEA_OP_EQUAL, { $0 == $1 }), (FOVEA_OP_NOT_EQUAL, { $0 != $1 }),
                (FOVEA_OP_LESS, { $0 < $1 }),
                (FOVEA_OP_LESS_EQUAL, { $0 <= $1 }), (FOVEA_OP_GREATER, { $0 > $1 }),
                (FOVEA_OP_GREATER_EQUAL, { $0 >= $1 }),
            ]
            forEachVectorKind { kind in
                for (opcode, exact) in table {
                    let result = lanes(opcode, a, b).map { Int32(bitPattern: $0.bitPattern) }
                    #expect(result == zip(a, b).map { exact($0, $1) ? 1 : 0 }, "\(opcode) on \(kind)")
                }
            }
        }

        @Test @Compute func integers() {
            var random = TestRandom(seed: 5)
            let edges: [Int32] = [0, 1, -1, 2, -2, 7, -7, .max, .min, .max - 1, .min + 1, 65536, -65536]
            var a: [Int32] = []
            var b: [Int32] = []
            for x in edges {
                for y in edges {
                    a.append(x)
                    b.append(y)
                }
            }
            for _ in 0..<500 {
                a.append(Int32(truncatingIfNeeded: random.next()))
                b.append(Int32(truncatingIfNeeded: random.next()) >> 16)
            }
            typealias Unary = (fovea_opcode, (Int32) -> Int32)
            typealias Binary = (fovea_opcode, (Int32, Int32) -> Int32)
            let unary: [Unary] = [
                (FOVEA_OP_NEGATE_I, { 0 &- $0 }), (FOVEA_OP_ABS_I, { $0 < 0 ? 0 &- $0 : $0 }),
                (FOVEA_OP_SIGN_I, { $0.signum() }), (FOVEA_OP_RELU_I, { max($0, 0) }),
            ]
            let binary: [Binary] = [
                (FOVEA_OP_ADD_I, { $0 &+ $1 }), (FOVEA_OP_SUBTRACT_I, { $0 &- $1 }),
                (FOVEA_OP_MULTIPLY_I, { $0 &* $1 }),
                (FOVEA_OP_DIVIDE_I, { $1 == 0 ? 0 : $0.dividedReportingOverflow(by: $1).partialValue }),
                (FOVEA_OP_MAXIMUM_I, { max($0, $1) }), (FOVEA_OP_MINIMUM_I, { min($0, $1) }),
                (FOVEA_OP_EQUAL_I, { $0 == $1 ? 1 : 0 }), (FOVEA_OP_NOT_EQUAL_I, { $0 != $1 ? 1 : 0 }),
                (FOVEA_OP_LESS_I, { $0 < $1 ? 1 : 0 }), (FOVEA_OP_LESS_EQUAL_I, { $0 <= $1 ? 1 : 0 }),
                (FOVEA_OP_GREATER_I, { $0 > $1 ? 1 : 0 }), (FOVEA_OP_GREATER_EQUAL_I, { $0 >= $1 ? 1 : 0 }),
            ]
            forEachVectorKind { kind in
                for (opcode, exact) in unary {
                    #expect(lanes(opcode, a) == a.map(exact), "\(opcode) on \(kind)")
                }
                for (opcode, exact) in binary {
                    #expect(lanes(opcode, a, b) == zip(a, b).map(exact), "\(opcode) on \(kind)")
                }
                let floats = lanes(FOVEA_OP_FLOAT_FROM_INT, a).map {
                    Float(bitPattern: UInt32(bitPattern: $0))
                }
                #expect(floats == a.map { Float($0) })
            }
        }

        @Test @Compute func conversions() {
            let inputs = Self.samples()
            forEachVectorKind { kind in
                let integers = lanes(FOVEA_OP_INT_FROM_FLOAT, inputs).map { Int32(bitPattern: $0.bitPattern) }
                let rounded = lanes(FOVEA_OP_ROUND_BFLOAT16, inputs)
                for (i, x) in inputs.enumerated() {
                    let exact: Int32 =
                        x.isNaN ? 0 : x >= 2_147_483_648 ? .max : x < -2_147_483_648 ? .min : Int32(x)
                    #expect(integers[i] == exact, "int(\(x)) on \(kind)")
                    #expect(
                        rounded[i].bitPattern == bfloat16(x).bitPattern || (x.isNaN && rounded[i].isNaN),
                        "bfloat16(\(x)) on \(kind)")
                    #expect(rounded[i].bitPattern & 0xffff == 0)
                }
            }
        }

        @Test @Compute func select() {
            let condition = Buffer<Int32>([0, 1, 1, 0, -5])
            let yes = Buffer<Float>([1, 2, .nan, 4, 5])
            let no = Buffer<Float>([.infinity, 7, 8, 9, .nan])
            let result = Buffer<Float>(repeating: 0, count: 5)
            forEachVectorKind { _ in
                run(
                    [5],
                    [
                        operand(condition, FOVEA_INT32, strides: [1]), operand(yes, strides: [1]),
                        operand(no, strides: [1]), operand(result, strides: [1]),
                    ],
                    [
                        load(0, to: 5), load(1, to: 6), load(2, to: 7),
                        apply(FOVEA_OP_SELECT, to: 5, 5, 6, 7),
                        store(5, to: 3),
                    ])
                #expect(result[0] == .infinity && result[1] == 2 && result[2].isNaN)
                #expect(result[3] == 9 && result[4] == 5)
            }
        }
    }
}

/// The nearest number with 8 significant bits, ties to even, by the definition rather than by bit tricks.
func bfloat16(_ x: Float) -> Float {
    guard x.isFinite, x != 0 else { return x }
    let unit = max(exp2(Double(max(x.exponent, -126)) - 7), exp2(-133))
    let result = (Double(x) / unit).rounded(.toNearestOrEven) * unit
    return Float(result)
}
