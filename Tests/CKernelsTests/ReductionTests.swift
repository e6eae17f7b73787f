import CKernels
import FoveaGraph
import Testing

extension KernelTests {
    @Suite struct Reductions {
        /// A view of dense memory [extents], of which some axes are reduced.
        struct View: CustomTestStringConvertible {
            var extents: [Int]
            var reduced: [Int]
            var strides: [Int]

            init(_ extents: [Int], reducing reduced: [Int], strides: [Int]? = nil) {
                self.extents = extents
                self.reduced = reduced
                self.strides = strides ?? rowMajorStrides(extents)
            }
            var testDescription: String { "\(extents) over \(reduced), strides \(strides)" }
            var kept: [Int] { extents.indices.filter { !reduced.contains($0) } }
            var memory: Int { zip(extents, strides).reduce(1) { $0 + max(0, $1.0 - 1) * $1.1 } }
            var outputs: Int { kept.reduce(1) { $0 * extents[$1] } }

            var reduction: fovea_reduction {
                var result = fovea_reduction()
                result.kept_rank = Int32(kept.count)
                result.reduced_rank = Int32(reduced.count)
                fill(&result.kept_extents, with: kept.map { extents[$0] })
                fill(&result.kept_strides, with: kept.map { strides[$0] })
                fill(&result.reduced_extents, with: reduced.map { extents[$0] })
                fill(&result.reduced_strides, with: reduced.map { strides[$0] })
                return result
            }

            /// The memory offsets that go into each output, in row-major order.
            var groups: [[Int]] {
                let inner = indices(of: reduced.map { extents[$0] }).map { index in
                    zip(index, reduced).reduce(0) { $0 + $1.0 * strides[$1.1] }
                }
                return indices(of: kept.map { extents[$0] }).map { index in
                    let base = zip(index, kept).reduce(0) { $0 + $1.0 * strides[$1.1] }
                    return inner.map { $0 + base }
                }
            }
        }

        static let views: [View] = [
            View([1], reducing: [0]), View([7], reducing: [0]), View([100_003], reducing: [0]),
            View([5], reducing: []),
            View([128, 10], reducing: [1]), View([3, 1025], reducing: [1]), View([129, 33], reducing: [1]),
            View([128, 10], reducing: [0]), View([128, 128], reducing: [0]), View([3001, 64], reducing: [0]),
            View([700, 3], reducing: [0]), View([50, 79], reducing: [0]), View([20_000, 6], reducing: [0]),
            View([6, 7, 8, 9], reducing: [0, 2]), View([6, 7, 8, 9], reducing: [1, 3]),
            View([6, 7, 8, 9], reducing: [0, 1, 2]), View([6, 7, 8, 9], reducing: [0, 2, 3]),
            View([6, 7, 8, 9], reducing: [1, 2]), View([6, 1, 8, 1], reducing: [0, 1]),
            View([5, 2, 16, 7, 3], reducing: [0, 3, 4], strides: [672, 336, 1, 48, 16]),
            View([40, 30], reducing: [0], strides: [1, 40]),
            View([40, 30], reducing: [1], strides: [1, 40]),
            View([9, 50], reducing: [1], strides: [100, 2]),
            View([9, 50], reducing: [0], strides: [100, 2]),
            View([9, 50], reducing: [1], strides: [1, 0]), View([9, 50], reducing: [1], strides: [0, 1]),
            View([30, 20, 10], reducing: [2, 0]),
        ]

        @Test(arguments: views)
        @Compute func floats(view: View) {
            var random = TestRandom(seed: 30)
            let values = random.floats(view.memory, in: -3...5)
            let source = Buffer(values)
            var reduction = view.reduction
            let groups = view.groups.map { $0.map { Double(values[$0]) } }
            forEachVectorKind { kind in
                let destination = Buffer<Float>(repeating: -77, count: view.outputs)
                fovea_reduce(FOVEA_SUM, FOVEA_FLOAT32, &reduction, source.base, destination.base)
                for (y, group) in zip(destination.elements, groups) {
                    let exact = group.reduce(0, +)
                    #expect(abs(Double(y) - exact) <= abs(exact) * 6e-8 + 1e-9, "sum on \(kind)")
                }
                fovea_reduce(FOVEA_MEAN, FOVEA_FLOAT32, &reduction, source.base, destination.base)
                for (y, group) in zip(destination.elements, groups) {
                    let exact = group.reduce(0, +) / Double(group.count)
                    #expect(abs(Double(y) - exact) <= abs(exact) * 6e-8 + 1e-9, "mean on \(kind)")
                }
                fovea_reduce(FOVEA_MAX, FOVEA_FLOAT32, &reduction, source.base, destination.base)
                #expect(destination.elements.map(Double.init) == groups.map { $0.max() }, "max on \(kind)")
            }
            let indices = Buffer<Int32>(repeating: -77, count: view.outputs)
            fovea_argmax(FOVEA_FLOAT32, &reduction, source.base, indices.pointer.baseAddress)
            #expect(indices.elements == groups.map { group in Int32(group.firstIndex(of: group.max()!)!) })
        }

        @Test(arguments: views)
        @Compute func integers(view: View) {
            var random = TestRandom(seed: 31)
            // Few distinct values give the argmax ties; large ones make sums wrap.
            let values = (0..<view.memory).map { _ in Int32.random(in: -9...9, using: &random) * 200_000_000 }
            let source = Buffer(values)
            var reduction = view.reduction
            let groups = view.groups.map { $0.map { Int64(values[$0]) } }
            forEachVectorKind { kind in
                let destination = Buffer<Int32>(repeating: -77, count: view.outputs)
                fovea_reduce(FOVEA_SUM, FOVEA_INT32, &reduction, source.base, destination.base)
                #expect(
                    destination.elements == groups.map { Int32(truncatingIfNeeded: $0.reduce(0, +)) },
                    "sum on \(kind)")
                fovea_reduce(FOVEA_MEAN, FOVEA_INT32, &reduction, source.base, destination.base)
                #expect(
                    destination.elements == groups.map { Int32($0.reduce(0, +) / Int64($0.count)) },
                    "mean on \(kind)")
                fovea_reduce(FOVEA_MAX, FOVEA_INT32, &reduction, source.base, destination.base)
                #expect(destination.elements == groups.map { Int32($0.max()!) }, "max on \(kind)")
            }
            let indices = Buffer<Int32>(repeating: -77, count: view.outputs)
            fovea_argmax(FOVEA_INT32, &reduction, source.base, indices.pointer.baseAddress)
            #expect(indices.elements == groups.map { group in Int32(group.firstIndex(of: group.max()!)!) })
        }

        @Test @Compute func longSumsKeepTheirDigits() {
            let count = 3_000_001
            let source = Buffer<Float>(repeating: 0.1, count: count)
            let destination = Buffer<Float>([0])
            var reduction = View([count], reducing: [0]).reduction
            forEachVectorKind { kind in
                fovea_reduce(FOVEA_SUM, FOVEA_FLOAT32, &reduction, source.base, destination.base)
                #expect(destination[0] == Float(Double(Float(0.1)) * Double(count)), "\(kind)")
            }
        }

        @Test @Compute func threadsDoNotChangeResults() {
            var random = TestRandom(seed: 32)
            for view in [
                View([1_000_003], reducing: [0]), View([15_488, 64], reducing: [0]),
                View([300, 999], reducing: [1]),
                View([50_000, 5], reducing: [0]),
            ] {
                let source = Buffer(random.floats(view.memory))
                let results = withThreads([1, 2, 3, 5]) {
                    let destination = Buffer<Float>(repeating: 0, count: view.outputs)
                    var reduction = view.reduction
                    fovea_reduce(FOVEA_SUM, FOVEA_FLOAT32, &reduction, source.base, destination.base)
                    return destination.elements
                }
                #expect(results.allSatisfy { $0 == results[0] }, "\(view.testDescription)")
            }
        }

        @Test(arguments: [1, 5, 8, 33, 100, 40_000], [0, 1])
        @Compute func nanWins(length: Int, axis: Int) {
            for place in Set([0, length / 2, length - 1]) {
                var values = [Float](repeating: 1, count: length * 9)
                let view = axis == 1 ? View([9, length], reducing: [1]) : View([length, 9], reducing: [0])
                values[view.groups[4][place]] = .nan
                if place > 0 { values[view.groups[4][0]] = .infinity }
                let source = Buffer(values)
                var reduction = view.reduction
                forEachVectorKind { kind in
                    let destination = Buffer<Float>(repeating: 0, count: 9)
                    fovea_reduce(FOVEA_MAX, FOVEA_FLOAT32, &reduction, source.base, destination.base)
                    #expect(destination.elements.map(\.isNaN) == (0..<9).map { $0 == 4 }, "max on \(kind)")
                }
                let indices = Buffer<Int32>(repeating: 0, count: 9)
                fovea_argmax(FOVEA_FLOAT32, &reduction, source.base, indices.pointer.baseAddress)
                #expect(indices[4] == Int32(place) && indices[3] == 0)
            }
        }

        @Test @Compute func largestOfEqualsIsTheFirst() {
            let source = Buffer<Float>([1, 3, 3, 2, -0.0, 0, -1, -2, .nan, .nan, 9, .infinity])
            let indices = Buffer<Int32>(repeating: -1, count: 3)
            var reduction = View([3, 4], reducing: [1]).reduction
            fovea_argmax(FOVEA_FLOAT32, &reduction, source.base, indices.pointer.baseAddress)
            #expect(indices.elements == [1, 0, 0])
            // The index counts in the order in which the reduced axes are named.
            let swapped = Buffer<Float>([0, 1, 2, 3, 9, 5])
            var order = View([2, 3], reducing: [1, 0]).reduction
            fovea_argmax(FOVEA_FLOAT32, &order, swapped.base, indices.pointer.baseAddress)
            #expect(indices[0] == 3)
        }

        @Test(arguments: [
            View([3, 0], reducing: [1]), View([0, 3], reducing: [0]), View([3, 0, 2], reducing: [1, 2]),
        ])
        @Compute func nothingToReduce(view: View) {
            let source = Buffer<Float>([1])
            let floats = Buffer<Float>(repeating: -77, count: 3)
            let integers = Buffer<Int32>(repeating: -77, count: 3)
            var reduction = view.reduction
            fovea_reduce(FOVEA_SUM, FOVEA_FLOAT32, &reduction, source.base, floats.base)
            #expect(floats.elements == [0, 0, 0])
            fovea_reduce(FOVEA_MEAN, FOVEA_FLOAT32, &reduction, source.base, floats.base)
            #expect(floats.elements.allSatisfy { $0.isNaN })
            fovea_reduce(FOVEA_MAX, FOVEA_FLOAT32, &reduction, source.base, floats.base)
            #expect(floats.elements.allSatisfy { $0 == -Float.infinity })
            fovea_reduce(FOVEA_MAX, FOVEA_INT32, &reduction, source.base, integers.base)
            #expect(integers.elements.allSatisfy { $0 == Int32.min })
            fovea_reduce(FOVEA_MEAN, FOVEA_INT32, &reduction, source.base, integers.base)
            #expect(integers.elements == [0, 0, 0])
            fovea_argmax(FOVEA_FLOAT32, &reduction, source.base, integers.pointer.baseAddress)
            #expect(integers.elements == [0, 0, 0])
        }

        @Test(arguments: [View([0, 4], reducing: [1]), View([4, 0], reducing: [0])])
        @Compute func nothingToKeep(view: View) {
            let source = Buffer<Float>([1])
            let destination = Buffer<Float>([-77])
            var reduction = view.reduction
            fovea_reduce(FOVEA_SUM, FOVEA_FLOAT32, &reduction, source.base, destination.base)
            #expect(destination[0] == -77)
        }
    }
}
