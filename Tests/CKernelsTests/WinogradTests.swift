import CKernels
import FoveaGraph
import Testing

extension KernelTests {
    /// Winograd's algorithm against sums in double, for each kind of vectors, for shapes that leave tiles, strips and parts partly
    /// filled. Scratch memory starts as NaN: nothing may depend on what was there.
    @Suite struct WinogradTests {
        private struct Shape: CustomTestStringConvertible {
            var batch, height, width, channels, filters: Int
            /// Above, left, below, right.
            var padding: (Int, Int, Int, Int)
            var window = 3

            var output: (height: Int, width: Int) {
                (height + padding.0 + padding.2 - window + 1, width + padding.1 + padding.3 - window + 1)
            }
            var testDescription: String {
                "\(batch)×\(height)×\(width)×\(channels) to \(filters), window \(window), padding \(padding)"
            }

            func spec(parts: Int) -> fovea_winograd {
                var spec = fovea_winograd()
                (spec.parts, spec.slots) = (Int32(parts), Int32(max(parts - 1, 1)))
                spec.window = Int32(window)
                (spec.batch, spec.height, spec.width) = (Int64(batch), Int64(height), Int64(width))
                (spec.channels, spec.filters) = (Int64(channels), Int64(filters))
                spec.padding = (Int64(padding.0), Int64(padding.1))
                (spec.output_height, spec.output_width) = (Int64(output.height), Int64(output.width))
                return spec
            }
        }

        private static let shapes = [
            Shape(batch: 3, height: 7, width: 9, channels: 16, filters: 16, padding: (1, 1, 1, 1)),
            Shape(batch: 2, height: 13, width: 6, channels: 32, filters: 48, padding: (0, 2, 1, 0)),
            Shape(batch: 5, height: 8, width: 8, channels: 64, filters: 64, padding: (1, 1, 1, 1)),
            Shape(batch: 1, height: 33, width: 5, channels: 48, filters: 32, padding: (2, 0, 2, 1)),
            // Fewer results than a tile has, images smaller than the window, and zeros that no window leaves.
            Shape(batch: 1, height: 3, width: 3, channels: 16, filters: 96, padding: (0, 0, 0, 0)),
            Shape(batch: 2, height: 1, width: 2, channels: 16, filters: 16, padding: (1, 1, 1, 1)),
            Shape(batch: 2, height: 4, width: 4, channels: 32, filters: 16, padding: (2, 2, 4, 5)),
            // More channels than a strip is long for, and filters of two groups.
            Shape(batch: 2, height: 9, width: 9, channels: 144, filters: 128, padding: (1, 1, 1, 1)),
            // More tiles than are transformed at once for a large kernel, of which a strip ends within an image.
            Shape(batch: 3, height: 25, width: 23, channels: 16, filters: 32, padding: (1, 1, 1, 1)),
            Shape(
                batch: 3, height: 8, width: 11, channels: 16, filters: 32, padding: (2, 2, 2, 2), window: 5),
            Shape(batch: 1, height: 9, width: 6, channels: 48, filters: 64, padding: (0, 4, 3, 0), window: 5),
            Shape(batch: 2, height: 5, width: 5, channels: 32, filters: 16, padding: (0, 0, 0, 0), window: 5),
        ]

        /// A sum and the squares of its summands.
        private struct Sum {
            var sum = 0.0
            var squares = 0.0
            mutating func add(_ x: Double) {
                sum += x
                squares += x * x
            }
        }

        /// How many numbers are wrong. A tile's results share their errors, so these are measured by the norm of the summands of
        /// all sums, not by that of the single one.
        private static func wrongCount(_ found: [Float], _ expected: [Sum], _ tolerance: Double = 1e-5) -> Int
        {
            let norm = (expected.map(\.squares).reduce(0, +) / Double(expected.count)).squareRoot()
            return zip(found, expected).count { found, sum in
                !(abs(Double(found) - sum.sum) <= tolerance * max(sum.squares.squareRoot(), norm))
            }
        }

        /// What a convolution and its gradients come to.
        private struct Expected {
            var outputs, inputGradients, kernelGradients, biasGradients: [Sum]
        }

        private static func place(
            _ n: Int, _ y: Int, _ x: Int, _ c: Int, _ channels: Int, _ height: Int, _ width: Int
        ) -> Int { (((n * (channels / 16) + c / 16) * height + y) * width + x) * 16 + c % 16 }

        private static func expected(
            _ shape: Shape, images: [Float], kernel: [Float], upstream: [Float], bias: [Float]
        ) -> Expected {
            let (height, width) = (shape.output.height, shape.output.width)
            var result = Expected(
                outputs: Array(repeating: Sum(), count: upstream.count),
                inputGradients: Array(repeating: Sum(), count: images.count),
                kernelGradients: Array(repeating: Sum(), count: kernel.count),
                biasGradients: Array(repeating: Sum(), count: bias.count))
            for n in 0..<shape.batch {
                for y in 0..<height {
                    for x in 0..<width {
                        for f in 0..<shape.filters {
                            let out = place(n, y, x, f, shape.filters, height, width)
                            result.outputs[out].add(Double(bias[f]))
                            result.biasGradients[f].add(Double(upstream[out]))
                        }
                        for window in 0..<(shape.window * shape.window) {
                            let (row, column) = (
                                y + window / shape.window - shape.padding.0,
                                x + window % shape.window - shape.padding.1
                            )
                            guard 0..<shape.height ~= row, 0..<shape.width ~= column else { continue }
                            for c in 0..<shape.channels {
                                let at = place(n, row, column, c, shape.channels, shape.height, shape.width)
                                for f in 0..<shape.filters {
                                    let out = place(n, y, x, f, shape.filters, height, width)
                                    let weight = (window * shape.channels + c) * shape.filters + f
                                    result.outputs[out].add(Double(images[at]) * Double(kernel[weight]))
                                    result.inputGradients[at].add(
                                        Double(upstream[out]) * Double(kernel[weight]))
                                    result.kernelGradients[weight].add(
                                        Double(upstream[out]) * Double(images[at]))
                                }
                            }
                        }
                    }
                }
            }
            return result
        }

        @Test(arguments: shapes) @Compute private func convolution(shape: Shape) {
            let outputCount = shape.batch * shape.output.height * shape.output.width * shape.filters
            let images = numbers(shape.batch * shape.height * shape.width * shape.channels, seed: 1)
            let kernel = numbers(shape.window * shape.window * shape.channels * shape.filters, seed: 2)
            let (upstream, bias) = (numbers(outputCount, seed: 3), numbers(shape.filters, seed: 4))
            let expected = Self.expected(
                shape, images: images, kernel: kernel, upstream: upstream, bias: bias)

            forEachVectorKind { kind in
                for parts in 1...4 {
                    var spec = shape.spec(parts: parts)
                    func expect(
                        _ found: [Float], _ expected: [Sum], _ what: String, _ tolerance: Double = 1e-5
                    ) {
                        let wrong = Self.wrongCount(found, expected, tolerance)
                        #expect(wrong == 0, "\(what), \(kind), \(parts) parts")
                    }
                    let transformed = KernelMemory(fovea_winograd_kernel_bytes(&spec))
                    var scratch = KernelMemory(fovea_winograd_forward_scratch(&spec))
                    var output = [Float](repeating: .nan, count: outputCount)
                    fovea_winograd_transform(&spec, 0, kernel, transformed.start)
                    fovea_winograd_forward(
                        &spec, images, transformed.start, bias, &output, nil, scratch.start)
                    expect(output, expected.outputs, "forward")
                    spec.relu = 1
                    var rectified = [Float](repeating: .nan, count: outputCount)
                    fovea_winograd_forward(
                        &spec, images, transformed.start, bias, &rectified, nil, scratch.start)
                    #expect(rectified == output.map { max($0, 0) })
                    spec.ceiling = (rectified.max() ?? 0) / 3
                    fovea_winograd_forward(
                        &spec, images, transformed.start, bias, &output, nil, scratch.start)
                    #expect(output == rectified.map { min($0, spec.ceiling) })

                    var gradient = [Float](repeating: .nan, count: images.count)
                    scratch = KernelMemory(fovea_winograd_input_gradient_scratch(&spec))
                    fovea_winograd_transform(&spec, 1, kernel, transformed.start)
                    fovea_winograd_input_gradient(
                        &spec, upstream, nil, transformed.start, &gradient, scratch.start)
                    expect(gradient, expected.inputGradients, "input gradient")

                    var kernelGradient = [Float](repeating: .nan, count: kernel.count)
                    var biasGradient = [Float](repeating: .nan, count: bias.count)
                    scratch = KernelMemory(fovea_winograd_kernel_gradient_scratch(&spec))
                    fovea_winograd_kernel_gradient(
                        &spec, images, upstream, nil, &kernelGradient, &biasGradient, scratch.start)
                    // Of 5×5 numbers the farthest are multiplied by the fourth powers of the points.
                    let tolerance = shape.window == 5 ? 2e-5 : 1e-5
                    expect(kernelGradient, expected.kernelGradients, "kernel gradient", tolerance)
                    expect(biasGradient, expected.biasGradients, "bias gradient")
                }
            }
        }

        /// A kernel that is transformed piece by piece gives what one gives that was transformed before, bit for bit.
        @Test(arguments: shapes, [false, true]) @Compute
        private func largeKernel(shape: Shape, pools: Bool) {
            var spec = shape.spec(parts: 3)
            (spec.relu, spec.pools, spec.rectifies) = (1, pools ? 1 : 0, 0)
            let step = pools ? 2 : 1
            let count =
                shape.batch * (shape.output.height / step) * (shape.output.width / step) * shape.filters
            guard count > 0 else { return }
            let images = numbers(shape.batch * shape.height * shape.width * shape.channels, seed: 1)
            let kernel = numbers(shape.window * shape.window * shape.channels * shape.filters, seed: 2)
            let (upstream, bias) = (numbers(count, seed: 3), numbers(shape.filters, seed: 4))
            forEachVectorKind { kind in
                let transformed = KernelMemory(fovea_winograd_kernel_bytes(&spec))
                var scratch = KernelMemory(fovea_winograd_forward_scratch(&spec))
                var (expected, found) = (
                    [Float](repeating: .nan, count: count), [Float](repeating: .nan, count: count)
                )
                var (winners, foundWinners) = (
                    [UInt8](repeating: 77, count: count), [UInt8](repeating: 77, count: count)
                )
                fovea_winograd_transform(&spec, 0, kernel, transformed.start)
                fovea_winograd_forward(
                    &spec, images, transformed.start, bias, &expected, &winners, scratch.start)
                scratch = KernelMemory(fovea_winograd_large_kernel_scratch(&spec, 0))
                fovea_winograd_forward_large_kernel(
                    &spec, images, kernel, bias, &found, &foundWinners, scratch.start)
                #expect(found == expected && foundWinners == winners, "\(kind)")

                expected = [Float](repeating: .nan, count: images.count)
                found = expected
                scratch = KernelMemory(fovea_winograd_input_gradient_scratch(&spec))
                fovea_winograd_transform(&spec, 1, kernel, transformed.start)
                fovea_winograd_input_gradient(
                    &spec, upstream, winners, transformed.start, &expected, scratch.start)
                scratch = KernelMemory(fovea_winograd_large_kernel_scratch(&spec, 1))
                fovea_winograd_input_gradient_large_kernel(
                    &spec, upstream, winners, kernel, &found, scratch.start)
                #expect(found == expected, "\(kind)")
            }
        }

        /// What is pooled at once is what pooling gives afterwards, bit for bit, and so are the gradients.
        @Test(arguments: shapes) @Compute private func pooled(shape: Shape) {
            let (height, width) = (shape.output.height, shape.output.width)
            var pool = fovea_max_pool()
            (pool.planes, pool.lanes) = (Int64(shape.batch * shape.filters / 16), 16)
            (pool.height, pool.width) = (Int64(height), Int64(width))
            (pool.pooled_height, pool.pooled_width) = (Int64(height / 2), Int64(width / 2))
            (pool.window, pool.strides) = ((2, 2), (2, 2))
            let count = shape.batch * height * width * shape.filters
            let pooledCount = shape.batch * (height / 2) * (width / 2) * shape.filters
            guard pooledCount > 0 else { return }
            let images = numbers(shape.batch * shape.height * shape.width * shape.channels, seed: 1)
            let kernel = numbers(shape.window * shape.window * shape.channels * shape.filters, seed: 2)
            let (upstream, bias) = (numbers(pooledCount, seed: 3), numbers(shape.filters, seed: 4))
            forEachVectorKind { kind in
                for rectifies in [Int32(0), 1] {
                    var spec = shape.spec(parts: 2)
                    pool.is_rectified = rectifies
                    let transformed = KernelMemory(fovea_winograd_kernel_bytes(&spec))
                    let scratch = KernelMemory(
                        max(
                            fovea_winograd_forward_scratch(&spec),
                            fovea_winograd_input_gradient_scratch(&spec),
                            fovea_winograd_kernel_gradient_scratch(&spec)))
                    var output = [Float](repeating: .nan, count: count)
                    var expected = [Float](repeating: .nan, count: pooledCount)
                    var expectedWinners = [UInt8](repeating: 77, count: pooledCount)
                    fovea_winograd_transform(&spec, 0, kernel, transformed.start)
                    fovea_winograd_forward(
                        &spec, images, transformed.start, bias, &output, nil, scratch.start)
                    fovea_max_pool_forward(&pool, output, &expected, &expectedWinners)

                    (spec.pools, spec.rectifies) = (1, rectifies)
                    var found = [Float](repeating: .nan, count: pooledCount)
                    var winners = [UInt8](repeating: 77, count: pooledCount)
                    fovea_winograd_forward(
                        &spec, images, transformed.start, bias, &found, &winners, scratch.start)
                    #expect(found == expected && winners == expectedWinners, "\(kind)")

                    fovea_winograd_transform(&spec, 1, kernel, transformed.start)
                    /// Of images, kernel and bias.
                    func gradients(_ upstream: [Float], _ winners: [UInt8]?) -> [[Float]] {
                        var of = [Float](repeating: .nan, count: images.count)
                        var ofKernel = [Float](repeating: .nan, count: kernel.count)
                        var ofBias = [Float](repeating: .nan, count: bias.count)
                        fovea_winograd_input_gradient(
                            &spec, upstream, winners, transformed.start, &of, scratch.start)
                        fovea_winograd_kernel_gradient(
                            &spec, images, upstream, winners, &ofKernel, &ofBias, scratch.start)
                        return [of, ofKernel, ofBias]
                    }
                    let together = gradients(upstream, winners)
                    var unpooled = [Float](repeating: .nan, count: count)
                    fovea_max_pool_backward(&pool, upstream, winners, &unpooled)
                    spec.pools = 0
                    #expect(gradients(unpooled, nil) == together, "\(kind)")
                }
            }
        }

        /// A kernel that was transformed for one kind of vectors is read by all.
        @Test @Compute func kindsShareTransformedKernels() {
            let shape = Self.shapes[2]
            let images = numbers(shape.batch * 64 * 64, seed: 1)
            let kernel = numbers(9 * 64 * 64, seed: 2)
            var spec = shape.spec(parts: 1)
            let transformed = KernelMemory(fovea_winograd_kernel_bytes(&spec))
            let scratch = KernelMemory(fovea_winograd_forward_scratch(&spec))
            fovea_winograd_transform(&spec, 0, kernel, transformed.start)
            var first: [Float] = []
            forEachVectorKind { kind in
                var output = [Float](repeating: .nan, count: images.count)
                fovea_winograd_forward(&spec, images, transformed.start, nil, &output, nil, scratch.start)
                if first.isEmpty { first = output }
                #expect(zip(output, first).allSatisfy { abs($0 - $1) <= 1e-4 }, "\(kind)")
            }
        }

        /// NaN reaches results in its tile, also rectified, and no other images.
        @Test @Compute func notANumberStays() {
            let shape = Self.shapes[0]
            var images = numbers(shape.batch * shape.height * shape.width * 16, seed: 1)
            images[Self.place(1, 3, 4, 5, 16, shape.height, shape.width)] = .nan
            forEachVectorKind { kind in
                var spec = shape.spec(parts: 2)
                spec.relu = 1
                let transformed = KernelMemory(fovea_winograd_kernel_bytes(&spec))
                let scratch = KernelMemory(fovea_winograd_forward_scratch(&spec))
                var output = [Float](repeating: 0, count: images.count)
                fovea_winograd_transform(&spec, 0, numbers(9 * 16 * 16, seed: 2), transformed.start)
                fovea_winograd_forward(&spec, images, transformed.start, nil, &output, nil, scratch.start)
                let size = output.count / 3
                #expect(
                    output[..<size].allSatisfy { !$0.isNaN } && output[(2 * size)...].allSatisfy { !$0.isNaN }
                )
                for row in 2...4 {
                    for column in 3...5 {
                        #expect(
                            output[Self.place(1, row, column, 0, 16, shape.height, shape.width)].isNaN,
                            "\(kind)")
                    }
                }
            }
        }
    }
}
