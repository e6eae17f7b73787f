import CKernels
import FoveaGraph
import Glibc
import Testing

extension KernelTests {
    @Suite struct SoftmaxTests {
        /// Outer, extent and inner: lines side by side, lines of few elements, long lines, and what is left of a group.
        static let shapes = [
            [1, 1, 1], [3, 2, 1], [128, 10, 1], [35, 16, 1], [7, 3, 5], [2, 9, 15], [5, 17, 1], [4, 32, 1],
            [3, 47, 1], [2, 1000, 1], [2, 7, 16], [2, 19, 33], [3, 40, 3], [0, 4, 1], [4, 0, 1],
        ]

        static func run(_ shape: [Int], isLogarithmic: Bool, _ x: [Float]) -> [Float] {
            let (source, result) = (Buffer(x), Buffer<Float>(repeating: -77, count: x.count))
            var softmax = fovea_softmax(
                is_logarithmic: isLogarithmic ? 1 : 0, outer: Int64(shape[0]), extent: Int64(shape[1]),
                inner: Int64(shape[2]))
            fovea_run_softmax(&softmax, source.pointer.baseAddress, result.pointer.baseAddress)
            return result.elements
        }

        /// The places of each line's elements.
        static func lines(_ shape: [Int]) -> [[Int]] {
            (0..<shape[0] * shape[2]).map { line in
                let start = line / shape[2] * shape[1] * shape[2] + line % shape[2]
                return (0..<shape[1]).map { start + $0 * shape[2] }
            }
        }

        /// The logarithms of the softmax of a line, in `Double`.
        static func exactLogarithms(_ line: [Float]) -> [Double] {
            let largest = Double(line.max() ?? 0)
            let sum = line.reduce(0) { $0 + exp(Double($1) - largest) }
            return line.map { Double($0) - largest - log(sum) }
        }

        /// Expects the softmax of lines to be exact but for the last bits, and the same bits from any number of threads.
        @Compute static func check(_ shape: [Int], _ x: [Float], _ what: String) {
            forEachVectorKind { kind in
                let powers = withThreads { run(shape, isLogarithmic: false, x) }
                let logarithms = withThreads { run(shape, isLogarithmic: true, x) }
                #expect(Set(powers).count == 1 && Set(logarithms).count == 1, "\(what) on \(kind)")
                var worst = 0.0
                var sign = true
                for line in lines(shape) {
                    for (place, exact) in zip(line, exactLogarithms(line.map { x[$0] })) {
                        let error = abs(Double(logarithms[0][place]) - exact) / max(1, abs(exact))
                        worst = max(worst, error, abs(Double(powers[0][place]) - exp(exact)))
                        if logarithms[0][place] > 0 || powers[0][place] > 1 { sign = false }
                    }
                }
                #expect(worst <= 3e-7 && sign, "\(what) on \(kind): off by \(worst)")
            }
        }

        @Test(arguments: shapes) @Compute func isExact(_ shape: [Int]) {
            var random = TestRandom(seed: 41)
            for gap: Float in [0, 0.001, 1, 10, 60, 300] {
                var x = random.floats(shape.reduce(1, *), in: -gap...gap)
                // Lines that lie anywhere, and one element that stands out.
                for line in Self.lines(shape) {
                    let shift = Float.random(in: -100...100, using: &random)
                    for place in line { x[place] += shift }
                    if let place = line.randomElement(using: &random) { x[place] += gap }
                }
                Self.check(shape, x, "\(shape), gap \(gap)")
            }
        }

        /// The figures that a network sees which is sure: one class stands out by a gap.
        @Test(arguments: [2, 3, 10, 16, 17, 100, 1000]) @Compute func isExactForSurePredictions(
            _ classes: Int
        ) {
            let lines = (0...240).map { step in
                (0..<classes).map { $0 == step % classes ? Float(step) / 4 : 0 }
            }
            Self.check([lines.count, classes, 1], lines.flatMap { $0 }, "\(classes) classes")
            forEachVectorKind { kind in
                let logarithms = Self.run(
                    [lines.count, classes, 1], isLogarithmic: true, lines.flatMap { $0 })
                // Where the sum is but little more than 1, the logarithm keeps its digits.
                for step in [60, 80] {
                    let exact = -log1p(Double(classes - 1) * exp(-Double(step) / 4))
                    let found = Double(logarithms[step * classes + step % classes])
                    #expect(
                        abs(found / exact - 1) <= 1e-6,
                        "\(classes) classes, gap \(step / 4) on \(kind): \(found), not \(exact)")
                }
            }
        }

        @Test @Compute func theLogarithmOfOneIsZero() {
            forEachVectorKind { kind in
                for shape in [[1, 2, 1], [1, 20, 1], [1, 2, 16]] {
                    var x = [Float](repeating: -.infinity, count: shape.reduce(1, *))
                    for line in Self.lines(shape) { x[line[1]] = 3.7 }
                    let powers = Self.run(shape, isLogarithmic: false, x)
                    let logarithms = Self.run(shape, isLogarithmic: true, x)
                    for place in x.indices {
                        let isOnly = x[place] == 3.7
                        #expect(powers[place] == (isOnly ? 1 : 0), "\(shape) on \(kind)")
                        #expect(logarithms[place] == (isOnly ? 0 : -.infinity), "\(shape) on \(kind)")
                    }
                }
            }
        }

        /// What has no softmax makes all of its line NaN, wherever it is, and nothing of another line.
        @Test(arguments: shapes.filter { $0.reduce(1, *) > 0 }, [Float.nan, .infinity])
        @Compute func aLineWithoutSoftmaxIsNaN(_ shape: [Int], _ number: Float) {
            var random = TestRandom(seed: 43)
            let lines = Self.lines(shape)
            let x = random.floats(shape.reduce(1, *))
            forEachVectorKind { kind in
                for isLogarithmic in [false, true] {
                    let usual = Self.run(shape, isLogarithmic: isLogarithmic, x)
                    for element in 0..<shape[1] where element < 20 || element % 97 == 0 {
                        let line = lines[element * 7 % lines.count]
                        var changed = x
                        changed[line[element]] = number
                        let result = Self.run(shape, isLogarithmic: isLogarithmic, changed)
                        let inLine = Set(line)
                        let isRight = x.indices.allSatisfy {
                            inLine.contains($0) ? result[$0].isNaN : result[$0] == usual[$0]
                        }
                        #expect(isRight, "\(number) at \(element) of \(shape) on \(kind)")
                    }
                    let none = [Float](repeating: -.infinity, count: x.count)
                    #expect(Self.run(shape, isLogarithmic: isLogarithmic, none).allSatisfy { $0.isNaN })
                }
            }
        }
    }
}
