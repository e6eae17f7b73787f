import CKernels
import FoveaGraph
import Testing

extension KernelTests {
    @Suite struct Gathering {
        typealias Sizes = (groups: Int, outer: Int, extent: Int, inner: Int, count: Int)
        static let sizes: [Sizes] = [
            (1, 1, 5, 1, 9), (1, 3, 7, 4, 11), (1, 2, 1, 33, 3), (1, 1, 1000, 17, 2000), (1, 4, 3, 5, 0),
            (1, 0, 3, 5, 2), (1, 2, 3, 0, 4), (1, 2, 0, 3, 4), (3, 1, 5, 2, 7), (2, 3, 7, 4, 11),
            (20, 1, 400, 3, 500), (0, 2, 3, 5, 2), (3, 2, 4, 1, 0),
        ]

        @Compute static func indexList(_ sizes: Sizes, _ random: inout TestRandom) -> [Int32] {
            (0..<sizes.groups * sizes.count).map {
                $0 % 5 == 3
                    ? [-1, .min, .max, Int32(sizes.extent)][$0 % 4]
                    : Int32.random(in: 0...Int32(sizes.extent), using: &random)
            }
        }

        @Test(arguments: sizes)
        @Compute func gather(groups: Int, outer: Int, extent: Int, inner: Int, count: Int) {
            var random = TestRandom(seed: 40)
            let indices = Self.indexList((groups, outer, extent, inner, count), &random)
            let tables = groups * outer
            func check<T: Equatable & BitwiseCopyable>(_ table: [T], zero: T) {
                let source = Buffer(table)
                let list = Buffer(indices)
                let results = withThreads {
                    let destination = Buffer<T>(repeating: table.last ?? zero, count: tables * count * inner)
                    fovea_gather(
                        Int32(MemoryLayout<T>.size), Int64(groups), Int64(outer), Int64(extent), Int64(inner),
                        Int64(count), source.base, list.pointer.baseAddress, destination.base)
                    return destination.elements
                }
                var expected: [T] = []
                for o in 0..<tables {
                    for index in indices[(o / outer * count)...].prefix(count).map(Int.init) {
                        let row = (o * extent + index) * inner
                        expected +=
                            (0..<extent).contains(index)
                            ? Array(table[row..<row + inner]) : Array(repeating: zero, count: inner)
                    }
                }
                #expect(results.allSatisfy { $0 == expected })
            }
            let size = tables * extent * inner
            check(random.floats(size, in: 1...2), zero: 0)
            check((0..<size).map { UInt8(truncatingIfNeeded: $0 | 1) }, zero: 0)
            check((0..<size).map { UInt16(truncatingIfNeeded: $0 | 1) }, zero: 0)
        }

        @Test(arguments: sizes)
        @Compute func scatterAdd(groups: Int, outer: Int, extent: Int, inner: Int, count: Int) {
            var random = TestRandom(seed: 41)
            let indices = Self.indexList((groups, outer, extent, inner, count), &random)
            let tables = groups * outer
            let values = random.floats(tables * count * inner)
            var expected = [Float](repeating: 0, count: tables * extent * inner)
            for o in 0..<tables {
                let own = indices[(o / outer * count)...].prefix(count).map(Int.init)
                for (i, index) in own.enumerated() where (0..<extent).contains(index) {
                    for j in 0..<inner {
                        expected[(o * extent + index) * inner + j] += values[(o * count + i) * inner + j]
                    }
                }
            }
            let source = Buffer(values)
            let list = Buffer(indices)
            let results = withThreads {
                let destination = Buffer<Float>(repeating: -77, count: tables * extent * inner)
                fovea_scatter_add(
                    Int64(groups), Int64(outer), Int64(extent), Int64(inner), Int64(count),
                    source.pointer.baseAddress, list.pointer.baseAddress, destination.pointer.baseAddress)
                return destination.elements
            }
            #expect(results.allSatisfy { $0 == expected })
        }
    }
}
