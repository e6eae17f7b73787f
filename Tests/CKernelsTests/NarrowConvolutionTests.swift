import CKernels
import FoveaGraph
import Testing

extension KernelTests {
    /// Convolutions of images with few channels against sums in double, pooled and not, for shapes that leave groups of columns, strips
    /// and parts partly filled. Scratch memory starts as NaN: nothing may depend on what was there.
    @Suite struct NarrowConvolutionTests {
        struct Case: CustomTestStringConvertible {
            var batch = 2
            var image: (height: Int, width: Int)
            var channels = 1
            var filters = 16
            var window = 3
            var strides = 1
            /// Above and left, below and right.
            var padding = (0, 0)

            var output: (height: Int, width: Int) {
                func size(_ extent: Int) -> Int { (extent + padding.0 + padding.1 - window) / strides + 1 }
                return (size(image.height), size(image.width))
            }
            func result(pools: Bool) -> (height: Int, width: Int) {
                pools ? (output.height / 2, output.width / 2) : output
            }
            var testDescription: String {
                "\(batch)×\(image.height)×\(image.width)×\(channels) to \(filters), window \(window), strides \(strides), padding \(padding)"
            }

            func spec(pools: Bool, rectifies: Bool = false, parts: Int) -> fovea_narrow_convolution {
                var spec = fovea_narrow_convolution()
                spec.parts = Int32(parts)
                (spec.batch, spec.height, spec.width) = (
                    Int64(batch), Int64(image.height), Int64(image.width)
                )
                (spec.channels, spec.filters) = (Int64(channels), Int64(filters))
                spec.window = (Int64(window), Int64(window))
                spec.strides = (Int64(strides), Int64(strides))
                spec.padding = (Int64(padding.0), Int64(padding.0))
                (spec.output_height, spec.output_width) = (Int64(output.height), Int64(output.width))
                (spec.pools, spec.rectifies) = (pools ? 1 : 0, rectifies ? 1 : 0)
                return spec
            }
        }

        static let cases = [
            Case(image: (7, 9)), Case(image: (10, 29), filters: 32, padding: (1, 1)),
            Case(batch: 1, image: (21, 34), channels: 3, filters: 48, padding: (1, 2)),
            Case(batch: 3, image: (12, 8), channels: 3, filters: 64, window: 5, strides: 2, padding: (2, 2)),
            Case(image: (23, 25), channels: 3, filters: 32, window: 11, strides: 4),
            Case(image: (15, 15), channels: 4, filters: 16, window: 7, padding: (3, 3)),
            Case(image: (6, 7), channels: 2, filters: 32, window: 1),
            Case(image: (9, 9), filters: 80, window: 4, strides: 3),
            // A window as large as the image, and an image smaller than its window.
            Case(image: (5, 5), window: 5),
            Case(batch: 1, image: (2, 3), channels: 3, filters: 16, window: 5, padding: (2, 2)),
        ]

        /// What there is to be found, output by output.
        private struct Problem {
            let test: Case
            let images, kernel, bias: [Float]

            init(_ test: Case, special: Float? = nil) {
                self.test = test
                func numbers(_ count: Int, _ seed: Int) -> [Float] {
                    (0..<count).map { Float(($0 * 7919 + seed + $0 / 13) % 101) / 101 - 0.45 }
                }
                var images = numbers(test.batch * test.image.height * test.image.width * test.channels, 3)
                if let special {
                    for place in stride(from: 5, to: images.count, by: 37) { images[place] = special }
                }
                self.images = images
                kernel = numbers(test.window * test.window * test.channels * test.filters, 17)
                bias = numbers(test.filters, 29)
            }

            /// Calls for each pixel under the window of an output: its place in the image, and the weight's, but for the filter.
            func forEachPixel(_ n: Int, _ y: Int, _ x: Int, _ body: (_ pixel: Int, _ weight: Int) -> Void) {
                for row in 0..<test.window {
                    for column in 0..<test.window {
                        let (i, j) = (
                            y * test.strides + row - test.padding.0,
                            x * test.strides + column - test.padding.0
                        )
                        guard i >= 0, j >= 0, i < test.image.height, j < test.image.width else { continue }
                        for channel in 0..<test.channels {
                            body(
                                ((n * test.image.height + i) * test.image.width + j) * test.channels
                                    + channel,
                                ((row * test.window + column) * test.channels + channel) * test.filters)
                        }
                    }
                }
            }

            func output(_ n: Int, _ y: Int, _ x: Int, _ filter: Int) -> Double {
                var sum = Double(bias[filter])
                forEachPixel(n, y, x) { sum += Double(images[$0]) * Double(kernel[$1 + filter]) }
                return sum
            }

            /// The place of a result in blocks of 16 filters.
            func place(_ n: Int, _ y: Int, _ x: Int, _ filter: Int, pools: Bool) -> Int {
                let (height, width) = test.result(pools: pools)
                return (((n * (test.filters / 16) + filter / 16) * height + y) * width + x) * 16 + filter % 16
            }

            func forEachResult(pools: Bool, _ body: (_ n: Int, _ y: Int, _ x: Int, _ filter: Int) -> Void) {
                let (height, width) = test.result(pools: pools)
                for n in 0..<test.batch {
                    for y in 0..<height {
                        for x in 0..<width { for filter in 0..<test.filters { body(n, y, x, filter) } }
                    }
                }
            }

            var resultCount: (Bool) -> Int {
                { pools in
                    let (height, width) = test.result(pools: pools)
                    return test.batch * height * width * test.filters
                }
            }
        }

        private static func isNear(_ found: Float, _ expected: Double, _ tolerance: Double = 1e-5) -> Bool {
            let expected = Float(expected)
            if !expected.isFinite { return expected.isNaN ? found.isNaN : found == expected }
            return abs(found - expected) <= Float(tolerance) * max(1, abs(expected))
        }

        @Test(arguments: cases) @Compute func agreesWithSums(_ test: Case) {
            for special in [nil, Float.nan, .infinity] {
                let problem = Problem(test, special: special)
                forEachVectorKind { kind in
                    for parts in special == nil ? [1, 3] : [2] {
                        forward(problem, parts, kind)
                        pooled(problem, parts, kind, rectifies: false)
                        pooled(problem, parts, kind, rectifies: true)
                        gradient(problem, parts, kind, pools: false)
                        if special == nil { gradient(problem, parts, kind, pools: true) }
                    }
                }
            }
        }

        @Compute private func run(
            _ problem: Problem, _ spec: fovea_narrow_convolution, winners: UnsafeMutablePointer<UInt8>? = nil
        ) -> [Float] {
            withUnsafePointer(to: spec) { spec in
                let count = problem.resultCount(spec.pointee.pools == 1)
                let scratch = Buffer(repeating: Float.nan, count: fovea_narrow_forward_scratch(spec) / 4 + 1)
                var output = [Float](repeating: .nan, count: count)
                fovea_narrow_forward(
                    spec, problem.images, problem.kernel, problem.bias, &output, winners, scratch.base)
                return output
            }
        }

        @Compute private func forward(_ problem: Problem, _ parts: Int, _ kind: String) {
            var spec = problem.test.spec(pools: false, parts: parts)
            let plain = run(problem, spec)
            (spec.relu, spec.ceiling) = (1, 0.25)
            let limited = run(problem, spec)
            var wrong = 0
            problem.forEachResult(pools: false) { n, y, x, filter in
                let place = problem.place(n, y, x, filter, pools: false)
                if !Self.isNear(plain[place], problem.output(n, y, x, filter)) { wrong += 1 }
                let expected = plain[place].isNaN ? plain[place] : min(max(plain[place], 0), 0.25)
                if !(limited[place] == expected || limited[place].isNaN && expected.isNaN) { wrong += 1 }
            }
            #expect(wrong == 0, "\(problem.test), \(kind)")
        }

        @Compute private func pooled(_ problem: Problem, _ parts: Int, _ kind: String, rectifies: Bool) {
            let plain = run(problem, problem.test.spec(pools: false, parts: parts))
            var winners = [UInt8](repeating: 77, count: problem.resultCount(true) + 1)
            let spec = problem.test.spec(pools: true, rectifies: rectifies, parts: parts)
            let found = winners.withUnsafeMutableBufferPointer { run(problem, spec, winners: $0.baseAddress) }
            var wrong = 0
            problem.forEachResult(pools: true) { n, y, x, filter in
                var (best, place) = (Float.nan, 0)
                for number in 0..<4 {
                    let value = plain[
                        problem.place(n, 2 * y + number / 2, 2 * x + number % 2, filter, pools: false)]
                    if number == 0 || (!best.isNaN && !(value <= best)) { (best, place) = (value, number) }
                }
                if rectifies {
                    if !(best > 0) { place = 255 }
                    if best < 0 { best = 0 }
                }
                let at = problem.place(n, y, x, filter, pools: true)
                let isRight = found[at] == best || found[at].isNaN && best.isNaN
                if !isRight || Int(winners[at]) != place { wrong += 1 }
            }
            #expect(wrong == 0, "\(problem.test), \(kind), rectified \(rectifies)")
            #expect(winners.last == 77)
        }

        @Compute private func gradient(_ problem: Problem, _ parts: Int, _ kind: String, pools: Bool) {
            let test = problem.test
            let upstream = (0..<problem.resultCount(pools)).map { Float(($0 * 31) % 23) / 23 - 0.4 }
            // Also that nobody won.
            let winners = (0..<upstream.count).map { [0, 1, 2, 3, 255][($0 / 3) % 5] as UInt8 }
            var gradient = [Float](repeating: .nan, count: problem.kernel.count)
            var biasGradient = [Float](repeating: .nan, count: test.filters)
            withUnsafePointer(to: test.spec(pools: pools, parts: parts)) { spec in
                let scratch = Buffer(
                    repeating: Float.nan, count: fovea_narrow_kernel_gradient_scratch(spec) / 4 + 1)
                fovea_narrow_kernel_gradient(
                    spec, problem.images, upstream, pools ? winners : nil, &gradient, &biasGradient,
                    scratch.base)
            }
            var expected = [Double](repeating: 0, count: gradient.count)
            var expectedBias = [Double](repeating: 0, count: test.filters)
            problem.forEachResult(pools: pools) { n, y, x, filter in
                let place = problem.place(n, y, x, filter, pools: pools)
                let (number, share) = (Int(winners[place]), Double(upstream[place]))
                guard !pools || number < 4 else { return }
                let (row, column) = pools ? (2 * y + number / 2, 2 * x + number % 2) : (y, x)
                expectedBias[filter] += share
                problem.forEachPixel(n, row, column) {
                    expected[$1 + filter] += Double(problem.images[$0]) * share
                }
            }
            let tolerance = 1e-5
            #expect(
                zip(gradient, expected).allSatisfy { Self.isNear($0, $1, tolerance) },
                "\(test), \(kind), pooled \(pools)")
            #expect(
                zip(biasGradient, expectedBias).allSatisfy { Self.isNear($0, $1, tolerance) },
                "\(test), \(kind), pooled \(pools)")
        }
    }
}
