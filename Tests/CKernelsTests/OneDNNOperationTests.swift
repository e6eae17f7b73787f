import CKernels
import Glibc
import Testing

extension OneDNNTests {
    @Suite struct Matmul {
        func create(
            _ a: fovea_memory, _ b: fovea_memory, _ c: fovea_memory, bias: fovea_memory? = nil,
            relu: Bool = false
        ) -> OpaquePointer? {
            var spec = fovea_matmul()
            spec.a = a
            spec.b = b
            spec.c = c
            spec.has_bias = bias == nil ? 0 : 1
            spec.bias = bias ?? fovea_memory()
            spec.relu = relu ? 1 : 0
            return withUnsafePointer(to: spec) { fovea_matmul_create($0) }
        }

        /// c = a b for [batch, rows, depth] and [batch, depth, columns]; a batch of 1 repeats.
        func product(_ a: Grid, _ b: Grid, bias: Grid? = nil) -> Grid {
            var c = Grid(zeros: [max(a.extents[0], b.extents[0]), a.extents[1], b.extents[2]])
            for batch in 0..<c.extents[0] {
                for row in 0..<c.extents[1] {
                    for column in 0..<c.extents[2] {
                        var sum = bias?.values[column] ?? 0
                        for k in 0..<a.extents[2] {
                            sum += a[batch % a.extents[0], row, k] * b[batch % b.extents[0], k, column]
                        }
                        c[batch, row, column] = sum
                    }
                }
            }
            return c
        }

        @Test(arguments: [(1, 1, 1), (7, 13, 5), (20, 33, 48), (1, 100, 10)], [0, 1, 2, 3])
        func matrices(_ sizes: (Int, Int, Int), _ transposed: Int) throws {
            let (rows, depth, columns) = sizes
            let a = Grid(random: [1, rows, depth], seed: 5)
            let b = Grid(random: [1, depth, columns], seed: 6)
            let bias = Grid(random: [1, columns], seed: 7)
            let orders = [[0, 1], [1, 0]]
            for withBias in [false, true] {
                let handle = create(
                    .dense([rows, depth], order: orders[transposed & 1]),
                    .dense([depth, columns], order: orders[transposed >> 1]), .dense([rows, columns]),
                    bias: withBias ? .dense([1, columns]) : nil, relu: withBias)
                let primitive = try Primitive(handle)
                var inputs: [Operand: Grid] = [.source: a.reshaped([rows, depth])]
                inputs[.weights] = b.reshaped([depth, columns])
                if withBias { inputs[.bias] = bias }
                let c = try primitive.run(inputs, .destination)[0]
                let plain = product(a, b, bias: withBias ? bias : nil).reshaped([rows, columns])
                let expected = withBias ? plain.rectified : plain
                #expect(c.error(from: expected) <= 1e-5, "\(primitive.implementation)")
            }
        }

        @Test func openLayouts() throws {
            let a = Grid(random: [1, 24, 70], seed: 8)
            let b = Grid(random: [1, 70, 50], seed: 9)
            let primitive = try Primitive(create(.dense([24, 70]), .any([70, 50]), .dense([24, 50])))
            let inputs: [Operand: Grid] = [.source: a.reshaped([24, 70]), .weights: b.reshaped([70, 50])]
            let c = try primitive.run(inputs, .destination)[0]
            #expect(c.error(from: product(a, b).reshaped([24, 50])) <= 1e-5, "\(primitive.implementation)")
        }

        @Test(arguments: [(3, 3), (3, 1), (1, 3)]) func batches(_ counts: (Int, Int)) throws {
            let a = Grid(random: [counts.0, 9, 14], seed: 10)
            let b = Grid(random: [counts.1, 14, 11], seed: 11)
            let bias = Grid(random: [1, 1, 11], seed: 12)
            let primitive = try Primitive(
                create(
                    .dense(a.extents, order: [0, 2, 1]), .dense(b.extents), .dense([3, 9, 11]),
                    bias: .dense([1, 1, 11]), relu: true))
            let inputs: [Operand: Grid] = [.source: a, .weights: b, .bias: bias]
            let c = try primitive.run(inputs, .destination)[0]
            #expect(c.error(from: product(a, b, bias: bias).rectified) <= 1e-5, "\(primitive.implementation)")
        }

        @Test func refusals() {
            #expect(create(.dense([2, 3]), .dense([4, 5]), .dense([2, 5])) == nil)
            #expect(
                Primitive.message.contains("a 2x3 float32, b 4x5 float32, c 2x5 float32: invalid arguments"))
            #expect(create(.dense([2]), .dense([2]), .dense([2])) == nil)
            #expect(Primitive.message.contains("rank 2, or 3"))
        }
    }

    @Suite struct Reorder {
        func create(_ from: fovea_memory, _ to: fovea_memory) -> OpaquePointer? {
            withUnsafePointer(to: from) { from in withUnsafePointer(to: to) { fovea_reorder_create(from, $0) }
            }
        }

        @Test(arguments: [1, 3]) func channelsLastToBlockedAndBack(_ batch: Int) throws {
            let extents = [batch, 20, 5, 7]
            let x = Grid(random: extents, seed: 14)
            let there = try Primitive(create(.nhwc(extents), .nChw16c(extents)))
            #expect(there.byteCount(.destination) == batch * 32 * 35 * 4)
            let blocked = try there.run([.source: x], .destination)[0]
            #expect(blocked.values == x.values)
            // The twelve channels that pad the second block are zeros.
            let stored = try there.storage(.destination)
            let padding = try there.layout(.destination)
            forEachIndex(extents) { index in
                guard index[1] >= 4, index[1] < 16 else { return }
                var beyond = index
                beyond[1] += 16
                #expect(stored.element(padding.offset(beyond), FOVEA_FLOAT32) == 0)
            }
            let back = try Primitive(create(.nChw16c(extents), .nhwc(extents)))
            back.bind(.source, stored)
            #expect(try back.run([:], .destination)[0].values == x.values)
        }

        /// Layouts of convolutions, with their axes in the project's order: height, width, channels, filters.
        @Test(arguments: [
            ([3, 2, 0, 1], [(axis: 2, size: 16), (axis: 3, size: 16)]),
            ([3, 0, 1, 2], [(axis: 3, size: 16)]),
            ([2, 3, 0, 1], [(axis: 3, size: 16), (axis: 2, size: 16)]),
            ([3, 2, 0, 1], [(axis: 2, size: 8), (axis: 3, size: 8)]),
        ])
        func axesInOurOrder(_ outer: [Int], _ blocks: [(axis: Int, size: Int)]) throws {
            for extents in [[3, 2, 20, 40], [1, 1, 5, 17], [1, 3, 1, 16]] {
                let x = Grid(random: extents, seed: 18)
                let blocked = fovea_memory.dense(extents, order: outer, blocks: blocks)
                let there = try Primitive(create(.dense(extents), blocked))
                #expect(there.byteCount(.destination) == blocked.byteCount)
                #expect(try there.run([.source: x], .destination)[0].values == x.values)
                // Where the elements are follows from what was asked for, not from what the library says.
                #expect(try there.storage(.destination).grid(blocked).values == x.values)
                let back = try Primitive(create(blocked, .dense(extents)))
                back.bind(.source, try there.storage(.destination))
                #expect(try back.run([:], .destination)[0].values == x.values)
            }
        }

        /// Version 3 of the library has only blocks that a kernel uses; another layout is refused by name.
        @Test func unusualBlocks() throws {
            let extents = [2, 9, 4, 5]
            let blocked = fovea_memory.dense(extents, blocks: [(axis: 1, size: 3)])
            let x = Grid(random: extents, seed: 17)
            guard let handle = create(.dense(extents), blocked) else {
                #expect(Primitive.message.hasSuffix("the layout of the destination: unimplemented"))
                return
            }
            #expect(try Primitive(handle).run([.source: x], .destination)[0].values == x.values)
        }

        @Test func types() throws {
            let extents = [2, 3, 4, 5]
            let whole = Grid(
                extents, Grid(random: extents, seed: 15).values.map { (100 + 90 * $0).rounded() })
            let types = [FOVEA_FLOAT32, FOVEA_BFLOAT16, FOVEA_INT32, FOVEA_UINT8]
            for from in types {
                for to in types {
                    // oneDNN converts bfloat16 to and from float32 and bytes only.
                    if (from == FOVEA_BFLOAT16 && to == FOVEA_INT32)
                        || (from == FOVEA_INT32 && to == FOVEA_BFLOAT16)
                    {
                        continue
                    }
                    let primitive = try Primitive(create(.dense(extents, from), .nhwc(extents, to)))
                    let result = try primitive.run([.source: whole], .destination)[0]
                    #expect(result.values == whole.values, "\(primitive.implementation)")
                }
            }
            #expect(create(.dense(extents, FOVEA_BOOL), .dense(extents, FOVEA_BOOL)) == nil)
            #expect(Primitive.message.contains("type bool"))
        }

        @Test func unboundOperandsAreNotRead() throws {
            let primitive = try Primitive(create(.nhwc([1, 3, 4, 4]), .dense([1, 3, 4, 4])))
            #expect(fovea_primitive_call_run(primitive.call) != 0)
            #expect(Primitive.message.contains("not bound"))
            fovea_primitive_call_bind(primitive.call, FOVEA_ARG_WEIGHTS, nil)
            #expect(primitive.byteCount(.weights) == 0)
            #expect(fovea_primitive_bytes(primitive.handle, fovea_argument(rawValue: 77)) == 0)
            var memory = fovea_memory()
            memory.rank = 9
            #expect(
                fovea_primitive_memory(primitive.handle, FOVEA_ARG_BIAS, &memory) == 0 && memory.rank == 9)
        }

        /// What one call is given is not what another one of the same primitive computes with.
        @Test func callsShareAPrimitive() throws {
            let extents = [2, 3, 4, 5]
            let (from, to) = (fovea_memory.nhwc(extents), fovea_memory.dense(extents))
            let primitive = try Primitive(create(from, to))
            let other = try #require(fovea_primitive_call_create(primitive.handle))
            defer { fovea_primitive_call_destroy(other) }
            let (x, y) = (Grid(random: extents, seed: 1), Grid(random: extents, seed: 2))
            let (source, result) = (Storage(y, as: from), Storage(byteCount: to.byteCount))
            fovea_primitive_call_bind(other, FOVEA_ARG_SOURCE, source.pointer)
            fovea_primitive_call_bind(other, FOVEA_ARG_DESTINATION, result.pointer)
            #expect(try primitive.run([.source: x], .destination)[0].values == x.values)
            #expect(fovea_primitive_call_run(other) == 0)
            #expect(result.grid(to).values == y.values)
            #expect(try primitive.storage(.destination).grid(to).values == x.values)
        }

        @Test func byteCounts() {
            #expect(fovea_memory.dense([3, 5]).byteCount == 60)
            #expect(fovea_memory.dense([3, 5], FOVEA_BOOL).byteCount == 15)
            #expect(fovea_memory.dense([3, 5], FOVEA_BFLOAT16).byteCount == 30)
            #expect(fovea_memory.any([3, 5]).byteCount == 0)
            #expect(fovea_memory.dense([0, 5]).byteCount == 0)
            let weights = fovea_memory.dense(
                [20, 3, 3, 3], blocks: [(axis: 1, size: 16), (axis: 0, size: 16)])
            #expect(weights.byteCount == 32 * 16 * 9 * 4)
        }

        @Test func version() {
            let parts = String(cString: fovea_onednn_version()).split(separator: ".")
            #expect(parts.count == 3 && parts.allSatisfy { Int($0) != nil })
        }
    }
}
