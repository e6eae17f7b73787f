import CKernels
import FoveaGraph
import Testing

extension KernelTests {
    /// A 1x1 convolution and the depthwise one behind it against sums in double, for shapes that leave blocks
    /// of channels, groups of filters and tiles of columns partly filled. Scratch memory starts as NaN:
    /// nothing may depend on what was there.
    @Suite struct ExpandedDepthwiseTests {
        struct Case: CustomTestStringConvertible {
            var batch = 1
            var image: (height: Int, width: Int)
            var channels: Int
            var filters: Int
            var window = (3, 3)
            var strides = (1, 1)
            /// Above and below, left and right.
            var rowPadding = (1, 1)
            var columnPadding = (1, 1)
            var relu = true
            var ceiling: Float = 1
            var hasBias = true

            var output: (height: Int, width: Int) {
                (
                    (image.height + rowPadding.0 + rowPadding.1 - window.0) / strides.0 + 1,
                    (image.width + columnPadding.0 + columnPadding.1 - window.1) / strides.1 + 1
                )
            }
            var blocks: Int { (channels + 15) / 16 }
            var testDescription: String {
                let sizes = "\(batch)×\(image.height)×\(image.width)×\(channels) to \(filters)"
                return "\(sizes), window \(window), strides \(strides)"
            }

            func spec(threads: Int32) -> fovea_expanded_depthwise {
                var spec = fovea_expanded_depthwise()
                spec.threads = threads
                spec.batch = Int64(batch)
                (spec.height, spec.width) = (Int64(image.height), Int64(image.width))
                (spec.channels, spec.filters) = (Int64(channels), Int64(filters))
                spec.window = (Int64(window.0), Int64(window.1))
                spec.strides = (Int64(strides.0), Int64(strides.1))
                spec.padding = (Int64(rowPadding.0), Int64(columnPadding.0))
                (spec.output_height, spec.output_width) = (Int64(output.height), Int64(output.width))
                spec.relu = (relu ? 1 : 0, relu ? 1 : 0)
                spec.ceilings = (ceiling, ceiling / 2)
                return spec
            }
        }

        static let cases = [
            Case(batch: 2, image: (9, 17), channels: 16, filters: 32),
            Case(image: (14, 15), channels: 24, filters: 48, strides: (2, 2), rowPadding: (0, 1)),
            Case(batch: 3, image: (7, 7), channels: 40, filters: 96, ceiling: 0),
            Case(image: (6, 33), channels: 3, filters: 16, relu: false, hasBias: false),
            Case(
                image: (10, 28), channels: 24, filters: 48, window: (5, 5), rowPadding: (2, 2),
                columnPadding: (2, 2)),
            Case(
                image: (11, 13), channels: 16, filters: 80, window: (5, 5), strides: (2, 2),
                rowPadding: (1, 2),
                columnPadding: (2, 1)),
            // Nothing around the images, and windows and strides without kernels of their own.
            Case(image: (8, 16), channels: 20, filters: 32, rowPadding: (0, 0), columnPadding: (0, 0)),
            Case(batch: 2, image: (9, 10), channels: 16, filters: 32, window: (2, 4), strides: (1, 3)),
            // Rows that no window sees.
            Case(
                image: (10, 11), channels: 16, filters: 16, window: (1, 1), strides: (3, 3),
                rowPadding: (0, 0),
                columnPadding: (0, 0)),
            // An image smaller than its window.
            Case(
                image: (1, 2), channels: 5, filters: 48, window: (5, 5), rowPadding: (2, 2),
                columnPadding: (2, 3)),
        ]

        private struct Problem {
            let test: Case
            var images: [Float]
            let firstKernel, firstBias, secondKernel, secondBias: [Float]

            init(_ test: Case) {
                self.test = test
                let pixels = test.image.height * test.image.width
                images = numbers(test.batch * test.blocks * pixels * 16, seed: 1)
                // Behind the last channel there are zeros.
                for place in images.indices
                where place / (pixels * 16) % test.blocks * 16 + place % 16 >= test.channels {
                    images[place] = 0
                }
                firstKernel = numbers(test.channels * test.filters, seed: 2)
                firstBias = numbers(test.filters, seed: 3)
                secondKernel = numbers(test.window.0 * test.window.1 * test.filters, seed: 4)
                secondBias = numbers(test.filters, seed: 5)
            }

            func pixel(_ n: Int, _ y: Int, _ x: Int, _ channel: Int) -> Int {
                let block = n * test.blocks + channel / 16
                return ((block * test.image.height + y) * test.image.width + x) * 16 + channel % 16
            }

            private func finished(_ sum: Double, _ ceiling: Float) -> Double {
                if !test.relu { return sum }
                return max(0, ceiling > 0 ? min(sum, Double(ceiling)) : sum)
            }

            /// Of an image, a block of filters and a lane: [height, width].
            private func expanded(_ n: Int, _ block: Int, _ lane: Int) -> [Double] {
                var result: [Double] = []
                for y in 0..<test.image.height {
                    for x in 0..<test.image.width {
                        var sum = test.hasBias ? Double(firstBias[block * 16 + lane]) : 0
                        for channel in 0..<test.channels {
                            let weight = firstKernel[(block * test.channels + channel) * 16 + lane]
                            sum += Double(images[pixel(n, y, x, channel)]) * Double(weight)
                        }
                        result.append(finished(sum, test.ceiling))
                    }
                }
                return result
            }

            /// In blocks of 16 filters.
            var output: [Double] {
                let (height, width) = test.output
                let blocks = test.filters / 16
                var result = [Double](repeating: 0, count: test.batch * height * width * test.filters)
                for plane in 0..<test.batch * test.filters {
                    let (n, block, lane) = (plane / test.filters, plane / 16 % blocks, plane % 16)
                    let pixels = expanded(n, block, lane)
                    for y in 0..<height {
                        for x in 0..<width {
                            var sum = test.hasBias ? Double(secondBias[block * 16 + lane]) : 0
                            forEachSeen(y, x) { i, j, tap in
                                let weight = secondKernel[
                                    (block * test.window.0 * test.window.1 + tap) * 16 + lane]
                                sum += pixels[i * test.image.width + j] * Double(weight)
                            }
                            let place = (((n * blocks + block) * height + y) * width + x) * 16 + lane
                            result[place] = finished(sum, test.ceiling / 2)
                        }
                    }
                }
                return result
            }

            /// Calls for each pixel under the window of an output.
            func forEachSeen(_ y: Int, _ x: Int, _ body: (_ i: Int, _ j: Int, _ tap: Int) -> Void) {
                for tap in 0..<test.window.0 * test.window.1 {
                    let i = y * test.strides.0 + tap / test.window.1 - test.rowPadding.0
                    let j = x * test.strides.1 + tap % test.window.1 - test.columnPadding.0
                    if i >= 0, j >= 0, i < test.image.height, j < test.image.width { body(i, j, tap) }
                }
            }

            func run(threads: Int32) -> [Float] {
                withUnsafePointer(to: test.spec(threads: threads)) { spec in
                    let scratch = KernelMemory(fovea_expanded_depthwise_scratch(spec))
                    let (height, width) = test.output
                    let count = test.batch * height * width * test.filters
                    var output = [Float](repeating: .nan, count: count)
                    fovea_expanded_depthwise_forward(
                        spec, images, firstKernel, test.hasBias ? firstBias : nil, secondKernel,
                        test.hasBias ? secondBias : nil, &output, scratch.start)
                    return output
                }
            }
        }

        @Test(arguments: cases) @Compute func agreesWithSums(_ test: Case) {
            let problem = Problem(test)
            let expected = problem.output
            let tolerance = 1e-5 * expected.reduce(0) { max($0, abs($1)) }
            forEachVectorKind { kind in
                let found = problem.run(threads: 2)
                #expect(found.count == expected.count)
                #expect(
                    zip(found, expected).allSatisfy { abs(Double($0) - $1) <= tolerance }, "\(test), \(kind)")
            }
        }

        @Test(arguments: cases) @Compute func doesNotDependOnThreads(_ test: Case) {
            let problem = Problem(test)
            forEachVectorKind { kind in
                let found = ([1, 2, 3] as [Int32]).map { threads in
                    withThreads([threads]) { problem.run(threads: threads).map(\.bitPattern) }[0]
                }
                #expect(found[1] == found[0], "\(test), \(kind)")
                #expect(found[2] == found[0], "\(test), \(kind)")
            }
        }

        @Test(arguments: cases) @Compute func nanReachesWhoSeesIt(_ test: Case) {
            var problem = Problem(test)
            let (row, column) = (test.image.height / 2, test.image.width / 3)
            problem.images[problem.pixel(test.batch - 1, row, column, test.channels - 1)] = .nan
            let (height, width) = test.output
            var expected: [Bool] = []
            for plane in 0..<test.batch * (test.filters / 16) {
                for y in 0..<height {
                    for x in 0..<width {
                        var isSeen = false
                        problem.forEachSeen(y, x) { i, j, _ in isSeen = isSeen || (i, j) == (row, column) }
                        let isNaN = isSeen && plane / (test.filters / 16) == test.batch - 1
                        expected += Array(repeating: isNaN, count: 16)
                    }
                }
            }
            forEachVectorKind { kind in
                #expect(problem.run(threads: 2).map(\.isNaN) == expected, "\(test), \(kind)")
            }
        }
    }
}
