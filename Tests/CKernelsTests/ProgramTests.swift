import CKernels
import FoveaGraph
import Glibc
import Testing

extension KernelTests {
    /// Iteration: extents, strides, types and memory that is read and written by one program.
    @Suite struct Programs {
        @Test(arguments: [1, 2, 3, 15, 16, 17, 63, 1023, 1024, 1025, 2048, 5000, 70001])
        @Compute func denseLengths(count: Int) {
            var random = TestRandom(seed: UInt64(count))
            let a = random.floats(count)
            let x = Buffer(a)
            forEachVectorKind { kind in
                let y = Buffer<Float>(repeating: -77, count: count + 16)
                run(
                    [count], [operand(x, strides: [1]), operand(y, strides: [1])],
                    [
                        load(0, to: 0), constant(2, to: 1), constant(1, to: 2),
                        apply(FOVEA_OP_MULTIPLY, to: 0, 0, 1),
                        apply(FOVEA_OP_ADD, to: 3, 0, 2), store(3, to: 1),
                    ])
                #expect(Array(y.elements[..<count]) == a.map { $0 * 2 + 1 }, "\(kind)")
                #expect(y.elements[count...].allSatisfy { $0 == -77 }, "wrote past the end on \(kind)")
            }
        }

        @Test @Compute func emptySpacesDoNothing() {
            let x = Buffer<Float>([1, 2, 3])
            let y = Buffer<Float>([4, 5, 6])
            let operands = [operand(x, strides: [1, 1]), operand(y, strides: [1, 1])]
            run([0, 3], operands, [load(0, to: 0), store(0, to: 1)])
            run([3, 0], operands, [load(0, to: 0), store(0, to: 1)])
            run([3, 1], operands, [])
            #expect(y.elements == [4, 5, 6])
        }

        @Test @Compute func scalarSpace() {
            let x = Buffer<Float>([3])
            run(
                [], [operand(x, strides: [], aliased: true)],
                [
                    load(0, to: 0), constant(1, to: 1), apply(FOVEA_OP_ADD, to: 0, 0, 1), store(0, to: 0),
                    load(0, to: 2), apply(FOVEA_OP_ADD, to: 2, 2, 0), store(2, to: 0),
                ])
            #expect(x[0] == 8)
        }

        /// Random iteration spaces with permuted, repeated, reversed and offset operands of every type.
        @Test(arguments: 0..<150)
        @Compute func stridedOperands(seed: Int) {
            var random = TestRandom(seed: UInt64(seed))
            let rank = Int.random(in: 0...6, using: &random)
            let limit = [1, 6000, 100, 20, 9, 6, 4][rank]
            let extents = (0..<rank).map { _ in Int.random(in: 1...limit, using: &random) }
            let space = indices(of: extents)

            /// Strides over a dense memory in a random axis order; some axes repeat, some run backwards.
            func layout(repeats: Bool) -> (strides: [Int], offset: Int, size: Int) {
                var strides = Array(repeating: 0, count: rank)
                var offset = 0
                var size = 1
                let gap = Int.random(in: 1...3, using: &random)
                let order =
                    Bool.random(using: &random)
                    ? Array((0..<rank).reversed()) : (0..<rank).shuffled(using: &random)
                for axis in order {
                    if repeats && Int.random(in: 0..<3, using: &random) == 0 { continue }
                    strides[axis] = size
                    size *= extents[axis]
                    if axis == order.first && Int.random(in: 0..<3, using: &random) == 0 {
                        strides[axis] *= gap
                        size *= gap
                    }
                    if Int.random(in: 0..<5, using: &random) == 0 {
                        offset += strides[axis] * (extents[axis] - 1)
                        strides[axis].negate()
                    }
                }
                return (strides, offset, size)
            }
            let (a, b, i, d) = (
                layout(repeats: true), layout(repeats: true), layout(repeats: true), layout(repeats: false)
            )
            let floats = Buffer(random.floats(a.size))
            let bytes = Buffer((0..<b.size).map { _ in UInt8.random(in: 0...255, using: &random) })
            let halves = Buffer((0..<i.size).map { _ in UInt16(truncatingIfNeeded: random.next()) & 0xbfff })
            let start = Int.random(in: -5...5, using: &random)
            let steps = (0..<rank).map { _ in Int.random(in: -3...3, using: &random) }
            var expected = [Float](repeating: -77, count: d.size)
            var integers = [Int32](repeating: -77, count: d.size)
            for index in space {
                let half = Float(bitPattern: UInt32(halves[i.offset + dot(index, i.strides)]) << 16)
                let sum = floats[a.offset + dot(index, a.strides)] + half
                expected[d.offset + dot(index, d.strides)] = sum
                let count = start + dot(index, steps)
                integers[d.offset + dot(index, d.strides)] =
                    Int32(bytes[b.offset + dot(index, b.strides)]) + Int32(count)
            }
            forEachVectorKind { kind in
                let results = withThreads([1, 2]) {
                    let y = Buffer<Float>(repeating: -77, count: d.size)
                    let z = Buffer<Int32>(repeating: -77, count: d.size)
                    run(
                        extents,
                        [
                            operand(floats, strides: a.strides, offset: a.offset),
                            operand(halves, FOVEA_BFLOAT16, strides: i.strides, offset: i.offset),
                            operand(bytes, FOVEA_UINT8, strides: b.strides, offset: b.offset),
                            iota(strides: steps, offset: start),
                            operand(y, strides: d.strides, offset: d.offset),
                            operand(z, FOVEA_INT32, strides: d.strides, offset: d.offset),
                        ],
                        [
                            load(0, to: 0), load(1, to: 1), apply(FOVEA_OP_ADD, to: 0, 0, 1), load(2, to: 1),
                            apply(FOVEA_OP_IOTA, to: 2, operand: 3), apply(FOVEA_OP_ADD_I, to: 2, 1, 2),
                            store(0, to: 4), store(2, to: 5),
                        ])
                    return (y.elements, z.elements)
                }
                for (y, z) in results {
                    #expect(y == expected, "floats over \(extents) on \(kind)")
                    #expect(z == integers, "integers over \(extents) on \(kind)")
                }
            }
        }

        /// Stores of the narrow types, dense and with gaps.
        @Test(arguments: [1, 3], [1, 5, 16, 1025, 3001])
        @Compute func narrowTypes(stride: Int, count: Int) {
            var random = TestRandom(seed: 9)
            let floats = random.floats(count, in: -300...300)
            let integers = (0..<count).map { _ in Int32.random(in: -3...300, using: &random) }
            let x = Buffer(floats)
            let n = Buffer(integers)
            forEachVectorKind { kind in
                let halves = Buffer<UInt16>(repeating: 7, count: count * stride)
                let bytes = Buffer<UInt8>(repeating: 7, count: count * stride)
                let flags = Buffer<Bool>(repeating: false, count: count * stride)
                let back = Buffer<Int32>(repeating: 7, count: count)
                run(
                    [count],
                    [
                        operand(x, strides: [1]), operand(n, FOVEA_INT32, strides: [1]),
                        operand(halves, FOVEA_BFLOAT16, strides: [stride]),
                        operand(bytes, FOVEA_UINT8, strides: [stride]),
                        operand(flags, FOVEA_BOOL, strides: [stride]),
                    ],
                    [load(0, to: 0), load(1, to: 1), store(0, to: 2), store(1, to: 3), store(1, to: 4)])
                run(
                    [count],
                    [
                        operand(flags, FOVEA_BOOL, strides: [stride]),
                        operand(back, FOVEA_INT32, strides: [1]),
                    ],
                    [load(0, to: 0), store(0, to: 1)])
                for i in 0..<count {
                    let half = Float(bitPattern: UInt32(halves[i * stride]) << 16)
                    #expect(half == bfloat16(floats[i]), "bfloat16 on \(kind)")
                    #expect(bytes[i * stride] == UInt8(truncatingIfNeeded: integers[i]), "uint8 on \(kind)")
                    #expect(flags[i * stride] == (integers[i] != 0), "bool on \(kind)")
                    #expect(back[i] == (integers[i] != 0 ? 1 : 0), "bool back on \(kind)")
                    for gap in 1..<stride {
                        #expect(bytes[i * stride + gap] == 7 && halves[i * stride + gap] == 7)
                    }
                }
            }
        }

        /// The last element lies at the very end of readable memory.
        @Test(arguments: [(FOVEA_FLOAT32, 4), (FOVEA_BFLOAT16, 2), (FOVEA_UINT8, 1), (FOVEA_BOOL, 1)], 1...3)
        @Compute func loadsEndWithTheirMemory(type: (dtype: fovea_dtype, bytes: Int), stride: Int) throws {
            let page = Int(sysconf(Int32(_SC_PAGESIZE)))
            let pages = try #require(
                mmap(nil, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
            try #require(pages != MAP_FAILED)
            defer { munmap(pages, 2 * page) }
            memset(pages, 1, page)
            try #require(mprotect(pages + page, page, PROT_NONE) == 0)
            for count in [1, 15, 16, 17, 33, 300] {
                var source = fovea_operand()
                source.dtype = type.dtype
                source.base = pages + page - ((count - 1) * stride + 1) * type.bytes
                fill(&source.strides, with: [stride])
                let expected: Int32 =
                    switch type.bytes {
                    case 4: 0x0101_0101
                    case 2: 0x0101_0000
                    default: 1
                    }
                forEachVectorKind { kind in
                    let y = Buffer<Int32>(repeating: 0, count: count)
                    run(
                        [count], [source, operand(y, FOVEA_INT32, strides: [1])],
                        [load(0, to: 0), store(0, to: 1)])
                    #expect(y.elements.allSatisfy { $0 == expected }, "\(count) on \(kind)")
                }
            }
        }

        /// Logical order [n, c, h, w] over memory in blocks [n, c / 16, h, w, 16], with a value per channel.
        @Test @Compute func blockedLayout() {
            let (n, c, h, w) = (3, 32, 5, 7)
            let extents = [n, c / 16, 16, h, w]
            let blocked = [c * h * w, 16 * h * w, 1, 16 * w, 16]
            var random = TestRandom(seed: 10)
            let x = Buffer(random.floats(n * c * h * w))
            let bias = Buffer(random.floats(c))
            forEachVectorKind { kind in
                let y = Buffer<Float>(repeating: 0, count: n * c * h * w)
                let plain = Buffer<Float>(repeating: 0, count: n * c * h * w)
                run(
                    extents,
                    [
                        operand(x, strides: blocked), operand(bias, strides: [0, 16, 1, 0, 0]),
                        operand(y, strides: blocked), operand(plain, strides: rowMajorStrides(extents)),
                    ],
                    [
                        load(0, to: 0), load(1, to: 1), apply(FOVEA_OP_ADD, to: 2, 0, 1), store(2, to: 2),
                        store(2, to: 3),
                    ])
                for index in indices(of: extents) {
                    let expected = x[dot(index, blocked)] + bias[index[1] * 16 + index[2]]
                    #expect(
                        y[dot(index, blocked)] == expected
                            && plain[dot(index, rowMajorStrides(extents))] == expected, "\(kind)")
                }
            }
        }

        /// An update in place, with a full tile, a partial tile, and values used after they were stored.
        @Test(arguments: [1, 1000, 1024, 4099])
        @Compute func updateInPlace(count: Int) {
            var random = TestRandom(seed: 11)
            let (w, g, m) = (random.floats(count), random.floats(count), random.floats(count))
            forEachVectorKind { kind in
                let (weights, gradients, moments) = (Buffer(w), Buffer(g), Buffer(m))
                run(
                    [count],
                    [
                        operand(weights, strides: [1], aliased: true), operand(gradients, strides: [1]),
                        operand(moments, strides: [1], aliased: true),
                    ],
                    [
                        load(0, to: 0), load(1, to: 1), load(2, to: 2), constant(0.5, to: 3),
                        apply(FOVEA_OP_MULTIPLY, to: 4, 2, 3), apply(FOVEA_OP_ADD, to: 4, 4, 1),
                        store(4, to: 2),
                        // the moments from before the store
                        apply(FOVEA_OP_SUBTRACT, to: 5, 0, 2), apply(FOVEA_OP_SUBTRACT, to: 5, 5, 4),
                        store(5, to: 0),
                    ])
                for i in 0..<count {
                    let moment = m[i] * 0.5 + g[i]
                    #expect(moments[i] == moment, "moment \(i) on \(kind)")
                    #expect(weights[i] == w[i] - m[i] - moment, "weight \(i) on \(kind)")
                }
            }
        }

        /// Loads of memory that the program stores: before, between and after, and through a second register.
        @Test(arguments: [5, 3000])
        @Compute func loadsAroundAStore(count: Int) {
            var random = TestRandom(seed: 12)
            let values = random.floats(count)
            let x = Buffer(values)
            let y = Buffer<Float>(repeating: 0, count: count)
            let z = Buffer<Float>(repeating: 0, count: count)
            run(
                [count],
                [
                    operand(x, strides: [1], aliased: true), operand(y, strides: [1]),
                    operand(z, strides: [1]),
                ],
                [
                    load(0, to: 0), apply(FOVEA_OP_ADD, to: 1, 0, 0), load(0, to: 2), store(1, to: 0),
                    load(0, to: 3), apply(FOVEA_OP_MULTIPLY, to: 4, 2, 3), store(4, to: 1), store(1, to: 2),
                ])
            for i in 0..<count {
                #expect(x[i] == 2 * values[i] && z[i] == x[i] && y[i] == values[i] * x[i])
            }
        }

        /// A register that is overwritten while its older value is still the one to be stored.
        @Test @Compute func registersAreReused() {
            let x = Buffer<Float>((0..<2048).map(Float.init))
            let y = Buffer<Float>(repeating: 0, count: 2048)
            let z = Buffer<Float>(repeating: 0, count: 2048)
            run(
                [2048], [operand(x, strides: [1]), operand(y, strides: [1]), operand(z, strides: [1])],
                [
                    load(0, to: 0), constant(3, to: 1), apply(FOVEA_OP_ADD, to: 0, 0, 1), store(0, to: 1),
                    apply(FOVEA_OP_MULTIPLY, to: 0, 0, 1), constant(-1, to: 1),
                    apply(FOVEA_OP_ADD, to: 0, 0, 1),
                    store(0, to: 2), store(1, to: 1),
                ])
            #expect(z.elements == x.elements.map { ($0 + 3) * 3 - 1 })
            #expect(y.elements.allSatisfy { $0 == -1 })
        }

        /// Values that are the same for every lane, computed and stored.
        @Test(arguments: [1, 7, 2500])
        @Compute func uniformValues(count: Int) {
            let rate = Buffer<Float>([4])
            let y = Buffer<Float>(repeating: 0, count: count)
            let n = Buffer<Int32>(repeating: 0, count: count)
            forEachVectorKind { _ in
                run(
                    [count],
                    [
                        operand(rate, strides: [0]), operand(y, strides: [1]),
                        operand(n, FOVEA_INT32, strides: [1]),
                        iota(strides: [0], offset: 11),
                    ],
                    [
                        load(0, to: 0), apply(FOVEA_OP_SQRT, to: 0, 0), constant(1, to: 1),
                        apply(FOVEA_OP_ADD, to: 0, 0, 1), store(0, to: 1),
                        apply(FOVEA_OP_CONSTANT_I, to: 2, integer: -4),
                        apply(FOVEA_OP_IOTA, to: 3, operand: 3),
                        apply(FOVEA_OP_ADD_I, to: 2, 2, 3), store(2, to: 2),
                    ])
                #expect(y.elements.allSatisfy { $0 == 3 } && n.elements.allSatisfy { $0 == 7 })
            }
        }

        @Test @Compute func threadsDoNotChangeResults() {
            var random = TestRandom(seed: 13)
            let x = Buffer(random.floats(100_003))
            forEachVectorKind { kind in
                let results = withThreads {
                    let y = Buffer<Float>(repeating: 0, count: 100_003)
                    run(
                        [100_003], [operand(x, strides: [1]), operand(y, strides: [1])],
                        [
                            load(0, to: 0), apply(FOVEA_OP_EXP, to: 1, 0), apply(FOVEA_OP_SIN, to: 1, 1),
                            store(1, to: 1),
                        ])
                    return y.elements.map(\.bitPattern)
                }
                #expect(results.allSatisfy { $0 == results[0] }, "\(kind)")
            }
        }

        @Test @Compute func settings() {
            let kind = String(cString: fovea_vector_kind())
            #expect(fovea_set_vector_kind("mmx") == 0)
            #expect(String(cString: fovea_vector_kind()) == kind)
            #expect(fovea_set_vector_kind("baseline") == 1)
            #expect(String(cString: fovea_vector_kind()) == "baseline")
            #expect(fovea_set_vector_kind(kind) == 1)
            #expect(withThreads([3]) { fovea_thread_count() } == [3])
            #expect(withThreads([-1]) { fovea_thread_count() } == [1])
        }
    }
}
