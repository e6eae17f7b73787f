import CKernels
import FoveaGraph
import Glibc
import Testing

/// Philox 4x32-10, from the description in Salmon et al. 2011, in plain Swift.
func philox(counter: [UInt32], key: [UInt32]) -> [UInt32] {
    var (c, k) = (counter, key)
    for _ in 0..<10 {
        let p = c[0].multipliedFullWidth(by: 0xd251_1f53)
        let q = c[2].multipliedFullWidth(by: 0xcd9e_8d57)
        c = [q.high ^ c[1] ^ k[0], q.low, p.high ^ c[3] ^ k[1], p.low]
        k = [k[0] &+ 0x9e37_79b9, k[1] &+ 0xbb67_ae85]
    }
    return c
}

extension KernelTests {
    @Suite struct RandomNumbers {
        static let key: [UInt32] = [0x1234_5678, 0x9abc_def0, 77, 3]

        @Compute static func words(index: Int32, stream: UInt32) -> [UInt32] {
            philox(counter: [UInt32(bitPattern: index) / 4, stream, key[2], key[3]], key: Array(key[..<2]))
        }
        @Compute static func uniform(index: Int32, stream: UInt32) -> Float {
            let word = words(index: index, stream: stream)[Int(UInt32(bitPattern: index) % 4)]
            return Float(word >> 8) / 16_777_216
        }
        @Compute static func normal(index: Int32, stream: UInt32) -> Double {
            let place = Int(UInt32(bitPattern: index) % 4)
            let pair = words(index: index, stream: stream)[(place & 2)...].prefix(2).map { Double($0 >> 8) }
            let radius = sqrt(-2 * log((pair[0] + 1) / 16_777_216))
            let angle = 2 * Double.pi * pair[1] / 16_777_216
            return radius * (place & 1 == 0 ? cos(angle) : sin(angle))
        }

        /// Random numbers at the given indices.
        @Compute static func numbers(_ opcode: fovea_opcode, at indices: [Int32], stream: UInt32) -> [Float] {
            let n = Buffer(indices)
            let key = Buffer(Self.key)
            let y = Buffer<Float>(repeating: -77, count: indices.count)
            run(
                [indices.count],
                [
                    operand(n, FOVEA_INT32, strides: [1]), operand(key, FOVEA_INT32, strides: [0]),
                    operand(y, strides: [1]),
                ],
                [load(0, to: 0), apply(opcode, to: 0, 0, operand: 1, stream: stream), store(0, to: 2)])
            return y.elements
        }

        /// The known answers that the generator's authors publish with it.
        @Test @Compute func knownAnswers() {
            #expect(
                philox(counter: [0, 0, 0, 0], key: [0, 0]) == [
                    0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8,
                ])
            #expect(
                philox(counter: Array(repeating: .max, count: 4), key: [.max, .max])
                    == [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd])
            #expect(
                philox(
                    counter: [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                    key: [0xa409_3822, 0x299f_31d0])
                    == [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1])
        }

        @Test @Compute func everyOrderOfIndices() {
            var random = TestRandom(seed: 20)
            let orders: [[Int32]] = [
                Array(0..<5000), Array(1..<1026), Array(8..<75), (0..<3000).map { $0 * 7 },
                (0..<2000).reversed(),
                (0..<2048).map { ($0 / 16) * 64 + $0 % 16 },  // whole blocks that are not neighbours
                (0..<128).map { $0 < 70 ? $0 : $0 + 1 }, (0..<128).map { $0 | 1 },
                (0..<777).map { _ in Int32(truncatingIfNeeded: random.next()) },
                [0], [3], [.max], [.min, -1],
            ]
            forEachVectorKind { kind in
                for order in orders {
                    let uniform = Self.numbers(FOVEA_OP_RANDOM_UNIFORM, at: order, stream: 5)
                    let normal = Self.numbers(FOVEA_OP_RANDOM_NORMAL, at: order, stream: 6)
                    for (i, index) in order.enumerated() {
                        #expect(
                            uniform[i] == Self.uniform(index: index, stream: 5), "uniform \(index) on \(kind)"
                        )
                        #expect(
                            abs(Double(normal[i]) - Self.normal(index: index, stream: 6)) < 2e-6,
                            "normal \(index) on \(kind)")
                    }
                }
            }
        }

        /// One index for every lane gives one number.
        @Test @Compute func repeatedIndex() {
            let key = Buffer(Self.key)
            let y = Buffer<Float>(repeating: -77, count: 1500)
            run(
                [1500],
                [
                    iota(strides: [0], offset: 9), operand(key, FOVEA_INT32, strides: [0]),
                    operand(y, strides: [1]),
                ],
                [
                    apply(FOVEA_OP_IOTA, to: 0, operand: 0),
                    apply(FOVEA_OP_RANDOM_UNIFORM, to: 0, 0, operand: 1, stream: 2), store(0, to: 2),
                ])
            #expect(y.elements.allSatisfy { $0 == Self.uniform(index: 9, stream: 2) })
        }

        @Test @Compute func statistics() {
            let count = 200_000
            let order = Array(0..<Int32(count))
            let uniform = Self.numbers(FOVEA_OP_RANDOM_UNIFORM, at: order, stream: 1).map(Double.init)
            let normal = Self.numbers(FOVEA_OP_RANDOM_NORMAL, at: order, stream: 1).map(Double.init)
            func moment(_ values: [Double], _ power: Double) -> Double {
                values.reduce(0) { $0 + pow($1, power) } / Double(values.count)
            }
            #expect(uniform.allSatisfy { $0 >= 0 && $0 < 1 })
            // Five standard errors each.
            #expect(abs(moment(uniform, 1) - 1.0 / 2) < 5 * 0.289 / sqrt(Double(count)))
            #expect(abs(moment(uniform, 2) - 1.0 / 3) < 5 * 0.298 / sqrt(Double(count)))
            #expect(abs(moment(normal, 1)) < 5 / sqrt(Double(count)))
            #expect(abs(moment(normal, 2) - 1) < 5 * 1.415 / sqrt(Double(count)))
            #expect(abs(moment(normal, 4) - 3) < 5 * 9.8 / sqrt(Double(count)))
            let neighbours = zip(normal, normal.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 } / Double(count)
            #expect(abs(neighbours) < 5 / sqrt(Double(count)))
        }
    }
}
