import CKernels
import FoveaGraph
import Testing

extension KernelTests {
    /// Batch normalisation against sums in double.
    @Suite struct NormalizationKernelTests {
        /// Batch, channels, pixels and lanes: whole vectors, one and several; rows of several pixels, with pixels that
        /// fill none; blocks that the channels do not fill; planes of more than a chunk, and so small ones that a
        /// chunk has several images.
        private static let shapes = [
            [1, 16, 5, 16], [3, 16, 7, 8], [2, 24, 4, 8], [1, 48, 301, 48], [37, 64, 9, 16],
            [2, 32, 2500, 16],
            [5, 32, 700, 32], [2, 8, 2049, 8], [300, 24, 5, 8], [2, 3, 4000, 3], [3, 1, 7, 1],
            [1, 20, 3, 20],
            [4, 37, 50, 37], [2, 13, 9, 16], [3, 40, 700, 16], [5, 13, 3, 8], [2, 1, 2, 16],
            [1, 129, 40, 129],
        ]

        private struct Batch {
            let shape: [Int]
            let blocks: Int
            let x, upstream, scale, offset: [Float]

            init(_ shape: [Int], mean: Float = 2, elements: Float? = nil) {
                var random = TestRandom(seed: 31)
                self.shape = shape
                let blocks = (shape[1] + shape[3] - 1) / shape[3]
                let count = shape[0] * blocks * shape[2] * shape[3]
                /// Behind the last channel there are zeros.
                func completed(_ numbers: [Float]) -> [Float] {
                    numbers.enumerated().map { place, number in
                        let block = place / (shape[2] * shape[3]) % blocks
                        return block * shape[3] + place % shape[3] < shape[1] ? number : 0
                    }
                }
                self.blocks = blocks
                x = completed(random.floats(count).map { elements ?? $0 + mean })
                upstream = completed(random.floats(count))
                scale = random.floats(shape[1])
                offset = random.floats(shape[1])
            }

            func spec(relu: Bool) -> fovea_normalization {
                fovea_normalization(
                    batch: Int64(shape[0]), channels: Int64(shape[1]), pixels: Int64(shape[2]),
                    lanes: Int64(shape[3]), epsilon: 1e-3, relu: relu ? 1 : 0)
            }

            /// The places of a channel's elements.
            func places(_ channel: Int) -> [Int] {
                let (block, lane) = (channel / shape[3], channel % shape[3])
                return (0..<shape[0]).flatMap { image in
                    (0..<shape[2]).map { ((image * blocks + block) * shape[2] + $0) * shape[3] + lane }
                }
            }

            /// Results, moments, and the gradients with respect to x, scale and offset.
            func run(relu: Bool) -> [[Float]] {
                var spec = spec(relu: relu)
                let channels = scale.count
                let scratchBytes = fovea_normalization_scratch(&spec)
                let scratch = UnsafeMutableRawPointer.allocate(byteCount: scratchBytes, alignment: 64)
                defer { scratch.deallocate() }
                scratch.initializeMemory(as: Float.self, repeating: .nan, count: scratchBytes / 4)
                let (x, upstream, scale, offset) = (
                    Buffer(x), Buffer(upstream), Buffer(scale), Buffer(offset)
                )
                let images = (0..<2).map { _ in Buffer<Float>(repeating: .nan, count: self.x.count) }
                let vectors = (0..<4).map { _ in Buffer<Float>(repeating: .nan, count: channels) }
                func at(_ buffer: Buffer<Float>) -> UnsafeMutablePointer<Float>? {
                    buffer.pointer.baseAddress
                }
                fovea_normalize(
                    &spec, at(x), at(scale), at(offset), at(images[0]), at(vectors[0]), at(vectors[1]),
                    scratch)
                fovea_normalize_gradient(
                    &spec, at(x), at(upstream), at(vectors[0]), at(vectors[1]), at(scale), at(offset),
                    at(images[1]), at(vectors[2]), at(vectors[3]), scratch)
                return [images[0], vectors[0], vectors[1], images[1], vectors[2], vectors[3]].map(\.elements)
            }

            /// The same by their definitions.
            func expected(relu: Bool) -> [[Double]] {
                var results = [
                    [Double](repeating: 0, count: x.count), [], [], [Double](repeating: 0, count: x.count),
                    [], [],
                ]
                for channel in scale.indices {
                    let places = places(channel)
                    let count = Double(places.count)
                    let mean = places.reduce(0) { $0 + Double(x[$1]) } / count
                    let variance =
                        places.reduce(0) { $0 + (Double(x[$1]) - mean) * (Double(x[$1]) - mean) } / count
                    let deviation = (variance + Double(Float(1e-3))).squareRoot()
                    let (scale, offset) = (Double(scale[channel]), Double(offset[channel]))
                    var (sum, product) = (0.0, 0.0)
                    var passed: [Double] = []
                    for place in places {
                        let normalized = (Double(x[place]) - mean) / deviation
                        let y = normalized * scale + offset
                        results[0][place] = relu ? max(y, 0) : y
                        passed.append(relu && y <= 0 ? 0 : Double(upstream[place]))
                        sum += passed[passed.count - 1]
                        product += passed[passed.count - 1] * normalized
                    }
                    for (place, passed) in zip(places, passed) {
                        let normalized = (Double(x[place]) - mean) / deviation
                        results[3][place] =
                            scale / deviation * (passed - sum / count - normalized * product / count)
                    }
                    results[1].append(mean)
                    results[2].append(variance)
                    results[4].append(product)
                    results[5].append(sum)
                }
                return results
            }
        }

        @Test(arguments: shapes, [false, true]) @Compute func equalsDefinition(shape: [Int], relu: Bool) {
            let batch = Batch(shape)
            let expected = batch.expected(relu: relu)
            forEachVectorKind { kind in
                let runs = withThreads { batch.run(relu: relu) }
                #expect(
                    runs.allSatisfy {
                        $0.map { $0.map(\.bitPattern) } == runs[0].map { $0.map(\.bitPattern) }
                    },
                    "\(shape), \(kind)")
                for (which, (actual, expected)) in zip(runs[0], expected).enumerated() {
                    let size = expected.reduce(1e-3) { max($0, abs($1)) }
                    let error = zip(actual, expected).reduce(0) { max($0, abs(Double($1.0) - $1.1)) }
                    #expect(error <= 1e-6 * size, "\(which) of \(shape), \(kind), relu \(relu): \(error)")
                }
            }
        }

        /// A mean that is large beside the deviations costs no digits of the variance, and where nothing deviates it is zero.
        @Test(arguments: [[4, 32, 900, 16], [4, 3, 900, 3]]) @Compute func largeMeans(shape: [Int]) {
            let batch = Batch(shape, mean: 1000)
            let expected = batch.expected(relu: false)[2]
            let constant = Batch(shape, elements: 1e6)
            forEachVectorKind { kind in
                let actual = batch.run(relu: false)[2]
                #expect(
                    zip(actual, expected).allSatisfy { abs(Double($0) - $1) < 1e-5 * $1 }, "\(kind)")
                #expect(constant.run(relu: false)[2].allSatisfy { $0 == 0 }, "\(kind)")
            }
        }

        /// What a normalisation gives back sums to zero over each channel, and so does its product with the deviations but for
        /// what epsilon takes: to what the elements' own rounding leaves.
        @Test(arguments: [[8, 16, 400, 16], [5, 13, 100, 13]]) @Compute func gradientsAreLeftByNothingElse(
            shape: [Int]
        ) {
            let batch = Batch(shape)
            forEachVectorKind { kind in
                let gradient = batch.run(relu: false)[3]
                for channel in batch.scale.indices {
                    let elements = batch.places(channel).map { Double(gradient[$0]) }
                    let size = elements.reduce(0) { max($0, abs($1)) }
                    // Rounding to the nearest float errs by 2^-25 in the mean, up or down.
                    let bound = 4 * 3e-8 * size * Double(elements.count).squareRoot()
                    #expect(abs(elements.reduce(0, +)) <= bound, "channel \(channel), \(kind)")
                }
            }
        }
    }
}
