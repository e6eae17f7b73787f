import CKernels
import FoveaGraph
import Glibc
import Testing

extension KernelTests {
    /// Sums that programs take while they run.
    @Suite struct ProgramSums {
        @Compute private func sum(_ a: Int32, to operand: Int32) -> fovea_instruction {
            apply(FOVEA_OP_SUM, to: 0, a, operand: operand)
        }

        @Compute private func target(
            _ buffer: Buffer<Float>, strides: [Int], divisor: Int = 0, limit: Int = 0
        ) -> fovea_operand {
            var result = operand(buffer, strides: strides)
            result.divisor = Int64(divisor)
            result.limit = Int64(limit)
            return result
        }

        /// Runs over any axes in any order, with as many sums over others at once.
        @Test(arguments: 0..<150)
        @Compute func anyAxes(seed: Int) {
            var random = TestRandom(seed: UInt64(seed))
            let rank = Int.random(in: 0...5, using: &random)
            let most = [1, 20_000, 150, 25, 12, 7][rank]
            let extents = (0..<rank).map { _ in Int.random(in: 1...most, using: &random) }
            let count = extents.reduce(1, *)
            let order = (0..<rank).shuffled(using: &random)
            func strides(keeping isKept: (Int) -> Bool) -> (strides: [Int], count: Int) {
                var strides = Array(repeating: 0, count: rank)
                var size = 1
                for axis in order where isKept(axis) {
                    strides[axis] = size
                    size *= extents[axis]
                }
                return (strides, size)
            }
            let whole = strides { _ in true }
            let masks = (0..<3).map { _ in Int.random(in: 0..<(1 << rank), using: &random) }
            let kept = masks.map { mask in strides { mask >> $0 & 1 == 1 } }
            let values = random.floats(count)
            let x = Buffer(values)
            let space = indices(of: extents)
            let expected = kept.map { kept -> [Double] in
                var sums = [Double](repeating: 0, count: kept.count)
                for index in space {
                    sums[dot(index, kept.strides)] += Double(values[dot(index, whole.strides)]) * 2
                }
                return sums
            }
            forEachVectorKind { kind in
                let results = withThreads {
                    let y = Buffer<Float>(repeating: -77, count: count)
                    let sums = kept.map { Buffer<Float>(repeating: -77, count: $0.count) }
                    run(
                        extents,
                        [operand(x, strides: whole.strides), operand(y, strides: whole.strides)]
                            + zip(sums, kept).map { target($0, strides: $1.strides) },
                        [
                            load(0, to: 0), apply(FOVEA_OP_ADD, to: 1, 0, 0), sum(1, to: 2), sum(1, to: 3),
                            store(1, to: 1), sum(1, to: 4),
                        ])
                    #expect(y.elements == values.map { $0 * 2 }, "\(kind)")
                    return sums.map(\.elements)
                }
                #expect(results.allSatisfy { $0 == results[0] }, "threads change sums on \(kind)")
                for (sums, expected) in zip(results[0], expected) {
                    let scale = Double(count) / Double(max(expected.count, 1)) * 2
                    for (sum, expected) in zip(sums, expected) {
                        #expect(abs(Double(sum) - expected) <= 3e-7 * (scale + abs(expected)), "\(kind)")
                    }
                }
            }
        }

        /// Images in blocks of 16 channels, of many sizes, with numbers per channel and per image and channel, and sums of
        /// the same shapes: what a batch normalisation reads and adds up.
        @Test(arguments: [1, 3, 16, 49, 64, 65, 200], [1, 2, 3])
        @Compute func blocksOfChannels(pixels: Int, blocks: Int) {
            let (images, channels) = (3, blocks * 16)
            let extents = [images, blocks, pixels, 16]
            let whole = rowMajorStrides(extents)
            let perChannel = [0, 16, 0, 1]
            let perImage = [channels, 16, 0, 1]
            var random = TestRandom(seed: UInt64(pixels * 8 + blocks))
            let values = random.floats(images * channels * pixels)
            let means = random.floats(channels)
            let scales = random.floats(images * channels)
            let (x, mean, scale) = (Buffer(values), Buffer(means), Buffer(scales))
            var expected = [Float](repeating: 0, count: values.count)
            var sums = [Double](repeating: 0, count: channels)
            var products = [Double](repeating: 0, count: images * channels)
            for index in indices(of: extents) {
                let place = dot(index, whole)
                let number = (values[place] - means[dot(index, perChannel)]) * scales[dot(index, perImage)]
                expected[place] = number
                sums[dot(index, perChannel)] += Double(number)
                products[dot(index, perImage)] += Double(number) / Double(pixels)
            }
            forEachVectorKind { kind in
                let y = Buffer<Float>(repeating: -77, count: values.count)
                let sumOf = Buffer<Float>(repeating: -77, count: channels)
                let productOf = Buffer<Float>(repeating: -77, count: images * channels)
                run(
                    extents,
                    [
                        operand(x, strides: whole), operand(mean, strides: perChannel),
                        operand(scale, strides: perImage), operand(y, strides: whole),
                        target(sumOf, strides: perChannel),
                        target(productOf, strides: perImage, divisor: pixels),
                    ],
                    [
                        load(0, to: 0), load(1, to: 1), apply(FOVEA_OP_SUBTRACT, to: 0, 0, 1), load(2, to: 1),
                        // A register that held a number per channel takes the product.
                        apply(FOVEA_OP_MULTIPLY, to: 1, 0, 1), store(1, to: 3), sum(1, to: 4), sum(1, to: 5),
                    ])
                #expect(y.elements == expected, "\(kind)")
                for (sum, expected) in zip(sumOf.elements, sums) {
                    #expect(abs(Double(sum) - expected) <= 1e-6 * Double(images * pixels), "\(kind)")
                }
                for (mean, expected) in zip(productOf.elements, products) {
                    #expect(abs(Double(mean) - expected) <= 1e-6, "\(kind)")
                }
            }
        }

        /// What is computed from numbers per channel alone, stored for every pixel and added up.
        @Test @Compute func repeatedGroups() {
            let (pixels, channels) = (300, 16)
            let a = Buffer((0..<channels).map { Float($0) })
            let y = Buffer<Float>(repeating: 0, count: pixels * channels)
            let total = Buffer<Float>(repeating: 0, count: channels)
            forEachVectorKind { kind in
                run(
                    [pixels, channels],
                    [
                        operand(a, strides: [0, 1]), operand(y, strides: [channels, 1]),
                        target(total, strides: [0, 1]),
                    ],
                    [
                        load(0, to: 0), constant(0.5, to: 1), apply(FOVEA_OP_MULTIPLY, to: 1, 0, 1),
                        store(1, to: 1), sum(1, to: 2),
                    ])
                #expect(
                    y.elements == (0..<(pixels * channels)).map { Float($0 % channels) * 0.5 }, "\(kind)")
                #expect(total.elements == (0..<channels).map { Float($0) * 0.5 * Float(pixels) }, "\(kind)")
            }
        }

        /// Twenty channels in blocks of 16: vectors end inside the second block, at the very end of readable memory.
        @Test @Compute func walksBeyondTheEnd() throws {
            let page = Int(sysconf(Int32(_SC_PAGESIZE)))
            let pages = try #require(
                mmap(nil, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0))
            try #require(pages != MAP_FAILED)
            defer { munmap(pages, 2 * page) }
            try #require(mprotect(pages + page, page, PROT_NONE) == 0)
            let channels = 20
            let start = pages + page - channels * 4
            let vector = start.bindMemory(to: Float.self, capacity: channels)
            for channel in 0..<channels { vector[channel] = Float(channel + 1) }
            for pixels in [1, 5, 100] {
                let extents = [2, 2, pixels, 16]
                var source = fovea_operand()
                source.base = start
                source.dtype = FOVEA_FLOAT32
                source.limit = Int64(channels)
                fill(&source.strides, with: [0, 16, 0, 1])
                forEachVectorKind { kind in
                    let y = Buffer<Float>(repeating: -77, count: 64 * pixels)
                    let total = Buffer<Float>(repeating: -77, count: channels + 5)
                    run(
                        extents,
                        [
                            source, operand(y, strides: rowMajorStrides(extents)),
                            target(total, strides: [0, 16, 0, 1], limit: channels),
                        ], [load(0, to: 0), store(0, to: 1), sum(0, to: 2)])
                    for index in indices(of: extents) {
                        let channel = index[1] * 16 + index[3]
                        #expect(
                            y[dot(index, rowMajorStrides(extents))]
                                == (channel < channels ? Float(channel + 1) : 0), "\(kind)")
                    }
                    #expect(
                        total.elements
                            == (0..<channels).map { Float(($0 + 1) * 2 * pixels) }
                            + Array(repeating: -77, count: 5),
                        "\(kind)")
                }
            }
        }

        /// A mean of large numbers with small deviations, and the sum of the squares of these.
        @Test @Compute func sumsAreAccurate() {
            let count = 1_000_003
            var random = TestRandom(seed: 3)
            let values = random.floats(count, in: 999...1001)
            let x = Buffer(values)
            let exact = values.reduce(0.0) { $0 + Double($1) } / Double(count)
            forEachVectorKind { kind in
                let mean = Buffer<Float>(repeating: 0, count: 1)
                run(
                    [count],
                    [operand(x, strides: [1]), target(mean, strides: [0], divisor: count)],
                    [load(0, to: 0), sum(0, to: 1)])
                #expect(abs(Double(mean[0]) - exact) <= 4e-5, "\(mean[0]) for \(exact) on \(kind)")
            }
        }
    }
}
