import CKernels
import Testing

extension KernelTests {
    @Suite struct Gathering {
        typealias Sizes = (outer: Int, extent: Int, inner: Int, count: Int)
        static let sizes: [Sizes] = [
            (1, 5, 1, 9), (3, 7, 4, 11), (2, 1, 33, 3), (1, 1000, 17, 2000), (4, 3, 5, 0), (0, 3, 5, 2),
            (2, 3, 0, 4),
            (2, 0, 3, 4),
        ]

        static func indexList(_ sizes: Sizes, _ random: inout TestRandom) -> [Int32] {
            (0..<sizes.count).map {
                $0 % 5 == 3
                    ? [-1, .min, .max, Int32(sizes.extent)][$0 % 4]
                    : Int32.random(in: 0...Int32(sizes.extent), using: &random)
            }
        }

        @Test(arguments: sizes)
        func gather(outer: Int, extent: Int, inner: Int, count: Int) {
            var random = TestRandom(seed: 40)
            let indices = Self.indexList((outer, extent, inner, count), &random)
            func check<T: Equatable & BitwiseCopyable>(_ table: [T], zero: T) {
                let source = Buffer(table)
                let list = Buffer(indices)
                let results = withThreads {
                    let destination = Buffer<T>(repeating: table.last ?? zero, count: outer * count * inner)
                    fovea_gather(
                        Int32(MemoryLayout<T>.size), Int64(outer), Int64(extent), Int64(inner), Int64(count),
                        source.base, list.pointer.baseAddress, destination.base)
                    return destination.elements
                }
                var expected: [T] = []
                for o in 0..<outer {
                    for index in indices.map(Int.init) {
                        let row = (o * extent + index) * inner
                        expected +=
                            (0..<extent).contains(index)
                            ? Array(table[row..<row + inner]) : Array(repeating: zero, count: inner)
                    }
                }
                #expect(results.allSatisfy { $0 == expected })
            }
            let size = outer * extent * inner
            check(random.floats(size, in: 1...2), zero: 0)
            check((0..<size).map { UInt8(truncatingIfNeeded: $0 | 1) }, zero: 0)
            check((0..<size).map { UInt16(truncatingIfNeeded: $0 | 1) }, zero: 0)
        }

        @Test(arguments: sizes)
        func scatterAdd(outer: Int, extent: Int, inner: Int, count: Int) {
            var random = TestRandom(seed: 41)
            let indices = Self.indexList((outer, extent, inner, count), &random)
            let values = random.floats(outer * count * inner)
            var expected = [Float](repeating: 0, count: outer * extent * inner)
            for o in 0..<outer {
                for (i, index) in indices.map(Int.init).enumerated() where (0..<extent).contains(index) {
                    for j in 0..<inner {
                        expected[(o * extent + index) * inner + j] += values[(o * count + i) * inner + j]
                    }
                }
            }
            let source = Buffer(values)
            let list = Buffer(indices)
            let results = withThreads {
                let destination = Buffer<Float>(repeating: -77, count: outer * extent * inner)
                fovea_scatter_add(
                    Int64(outer), Int64(extent), Int64(inner), Int64(count), source.pointer.baseAddress,
                    list.pointer.baseAddress, destination.pointer.baseAddress)
                return destination.elements
            }
            #expect(results.allSatisfy { $0 == expected })
        }
    }
}
