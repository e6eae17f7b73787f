import CKernels
import FoveaGraph
import Testing

extension KernelTests {
    /// Sums, products and maxima of arrays, ReLU, and the look for numbers that are not finite.
    @Suite struct CombineTests {
        static let counts = [1, 15, 16, 17, 33, 1000, 40_003]
        static let kinds: [(fovea_opcode, @Sendable (Float, Float) -> Float)] = [
            (FOVEA_OP_ADD, { $0 + $1 }), (FOVEA_OP_MULTIPLY, { $0 * $1 }),
            (FOVEA_OP_MAXIMUM, { $0.isNaN || $1.isNaN ? .nan : max($0, $1) }),
        ]

        /// Numbers of which each meets each.
        private func numbers(_ count: Int, step: Int) -> [Float] {
            let special: [Float] = [
                .nan, .infinity, -.infinity, 0, -0.0, 1.5, -2.5, .leastNonzeroMagnitude, -3e38,
            ]
            return (0..<count).map { special[$0 / step % special.count] }
        }

        private func same(_ a: [Float], _ b: [Float]) -> Bool {
            zip(a, b).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN }
        }

        @Test(arguments: counts) @Compute func equalsPlainLoops(count: Int) {
            let (a, b) = (numbers(count, step: 1), numbers(count, step: 9))
            forEachVectorKind { kind in
                for (opcode, function) in Self.kinds {
                    for relu in [Int32(0), 1] {
                        let expected = zip(a, b).map { a, b in
                            let y = function(a, b)
                            return relu == 1 && y < 0 ? 0 : y
                        }
                        _ = withThreads([1, 2]) {
                            // The result may take the place of an operand.
                            let (left, right) = (Buffer(a), Buffer(b))
                            fovea_combine(
                                opcode, relu, Int64(count), left.pointer.baseAddress,
                                right.pointer.baseAddress, left.pointer.baseAddress)
                            #expect(same(left.elements, expected), "\(kind), \(opcode), relu \(relu)")
                        }
                    }
                }
            }
        }

        @Test(arguments: counts) @Compute func rectifies(count: Int) {
            let x = numbers(count, step: 1)
            forEachVectorKind { kind in
                _ = withThreads([1, 2]) {
                    // What lies behind stays as it is.
                    let buffer = Buffer(x + [-1])
                    fovea_rectify(Int64(count), .infinity, buffer.pointer.baseAddress)
                    #expect(same(buffer.elements, x.map { $0 < 0 ? 0 : $0 } + [-1]), "\(kind)")
                    let limited = Buffer(x + [-1])
                    fovea_rectify(Int64(count), 0.5, limited.pointer.baseAddress)
                    let expected = x.map { $0 < 0 ? 0 : $0 > 0.5 ? 0.5 : $0 } + [-1]
                    #expect(same(limited.elements, expected), "\(kind)")
                }
            }
        }

        @Test(arguments: counts) @Compute func seesWhatIsNotBounded(count: Int) {
            let largest: Float = 0x1p48
            forEachVectorKind { kind in
                _ = withThreads([1, 2]) {
                    // What lies behind does not count.
                    let buffer = Buffer((0..<count).map { $0 % 2 == 0 ? largest : -largest } + [.nan])
                    func isBounded() -> Bool {
                        fovea_is_bounded(Int64(count), buffer.pointer.baseAddress) == 1
                    }
                    #expect(isBounded())
                    for place in Set(0..<min(count, 40)).union([count / 2, count - 1]) {
                        let before = buffer[place]
                        for number in [Float.nan, .infinity, -.infinity, largest.nextUp, -largest.nextUp] {
                            buffer.pointer[place] = number
                            #expect(!isBounded(), "\(kind), \(number) at \(place) of \(count)")
                        }
                        buffer.pointer[place] = before
                    }
                    #expect(isBounded())
                }
            }
        }
    }
}
