import CKernels
import FoveaGraph
import Testing

extension KernelTests {
    @Suite struct MaxPoolTests {
        /// Height and width of images, window, strides and padding; lanes; planes.
        struct Case: CustomStringConvertible {
            var image: [Int], window: [Int], strides: [Int], padding: [Int], lanes: Int, planes: Int
            var description: String {
                "\(image) \(window) \(strides) \(padding) \(lanes) lanes \(planes) planes"
            }

            /// As many results as fit, the padding counted on both sides.
            var pooled: [Int] { (0..<2).map { (image[$0] + 2 * padding[$0] - window[$0]) / strides[$0] + 1 } }

            func spec(isRectified: Bool) -> fovea_max_pool {
                var pool = fovea_max_pool()
                pool.planes = Int64(planes)
                pool.lanes = Int64(lanes)
                (pool.height, pool.width) = (Int64(image[0]), Int64(image[1]))
                (pool.pooled_height, pool.pooled_width) = (Int64(pooled[0]), Int64(pooled[1]))
                pool.window = (Int64(window[0]), Int64(window[1]))
                pool.strides = (Int64(strides[0]), Int64(strides[1]))
                pool.padding = (Int64(padding[0]), Int64(padding[1]))
                pool.is_rectified = isRectified ? 1 : 0
                return pool
            }
        }

        static let cases: [Case] = [
            .init(image: [6, 8], window: [2, 2], strides: [2, 2], padding: [0, 0], lanes: 16, planes: 3),
            .init(image: [7, 5], window: [2, 2], strides: [2, 2], padding: [0, 0], lanes: 32, planes: 2),
            .init(image: [7, 9], window: [2, 2], strides: [2, 2], padding: [1, 1], lanes: 16, planes: 1),
            .init(image: [8, 8], window: [2, 2], strides: [2, 2], padding: [0, 0], lanes: 3, planes: 2),
            .init(image: [9, 7], window: [3, 3], strides: [2, 2], padding: [1, 1], lanes: 20, planes: 2),
            .init(image: [9, 11], window: [3, 2], strides: [1, 2], padding: [1, 0], lanes: 17, planes: 1),
            .init(
                image: [11, 10], window: [2, 3], strides: [4, 5], padding: [0, 0], lanes: 16, planes: 2),
            .init(
                image: [12, 6], window: [12, 6], strides: [1, 1], padding: [0, 0], lanes: 48, planes: 1),
            .init(image: [1, 1], window: [1, 1], strides: [1, 1], padding: [0, 0], lanes: 1, planes: 1),
            .init(
                image: [40, 40], window: [2, 2], strides: [2, 2], padding: [0, 0], lanes: 16, planes: 16),
            // As many places as a byte has numbers for, and one more.
            .init(
                image: [15, 18], window: [14, 18], strides: [1, 1], padding: [0, 0], lanes: 17, planes: 1),
            .init(
                image: [17, 17], window: [15, 17], strides: [2, 2], padding: [1, 1], lanes: 20, planes: 2),
        ]

        @Test(arguments: cases) @Compute func agreesWithPlainLoops(_ test: Case) {
            forEachVectorKind { _ in
                for isRectified in [false, true] {
                    _ = withThreads([1, 2]) {
                        compare(test, isRectified: isRectified, special: nil)
                        for special in [Float.nan, .infinity, -.infinity] {
                            compare(test, isRectified: isRectified, special: special)
                        }
                    }
                }
            }
        }

        /// - Parameter special: what some elements are, so that windows have it in each place, alone and with others.
        @Compute private func compare(_ test: Case, isRectified: Bool, special: Float?) {
            let (height, width, lanes) = (test.image[0], test.image[1], test.lanes)
            let count = test.planes * height * width * lanes
            // Few different values, so that windows have equal elements, and more below zero than above.
            let images = (0..<count).map { index -> Float in
                let number = (index * 7919 + index / 13) % 11
                if let special, (index * 31 + index / 7) % 5 == 0 { return special }
                return Float(number - 7)
            }
            let results = test.planes * test.pooled[0] * test.pooled[1] * lanes
            let upstream = (0..<results).map { Float($0 % 23) - 9.5 }

            var pooled = [Float](repeating: 0, count: results)
            var winners = [Int32](repeating: 0, count: results)
            var gradient = [Float](repeating: 0, count: count)
            for result in 0..<results {
                let (lane, j) = (result % lanes, result / lanes % test.pooled[1])
                let i = result / lanes / test.pooled[1] % test.pooled[0]
                let plane = result / lanes / test.pooled[1] / test.pooled[0]
                var best: (value: Float, place: Int, index: Int)?
                for row in 0..<test.window[0] {
                    for column in 0..<test.window[1] {
                        let y = i * test.strides[0] - test.padding[0] + row
                        let x = j * test.strides[1] - test.padding[1] + column
                        guard (0..<height).contains(y), (0..<width).contains(x) else { continue }
                        let index = ((plane * height + y) * width + x) * lanes + lane
                        let wins = { (value: Float) in
                            images[index] > value || images[index].isNaN && !value.isNaN
                        }
                        if best.map({ wins($0.value) }) ?? true {
                            best = (images[index], row * test.window[1] + column, index)
                        }
                    }
                }
                guard let best else { continue }
                let wins = !isRectified || best.value > 0
                pooled[result] = wins || best.value.isNaN ? best.value : 0
                winners[result] = wins ? Int32(best.place) : -1
                if wins { gradient[best.index] += upstream[result] }
            }

            let source = Buffer(images)
            let foundPooled = Buffer(repeating: Float.nan, count: results)
            var pool = test.spec(isRectified: isRectified)
            let winnerBytes = Int(fovea_max_pool_winner_bytes(&pool))
            let foundWinners = Buffer(repeating: UInt8(77), count: results * winnerBytes)
            let foundGradient = Buffer(repeating: Float.nan, count: count)
            let above = Buffer(upstream)
            fovea_max_pool_forward(
                &pool, source.pointer.baseAddress, foundPooled.pointer.baseAddress,
                foundWinners.pointer.baseAddress)
            #expect(foundPooled.elements.map(\.bitPattern) == pooled.map(\.bitPattern))
            let places =
                winnerBytes == 1
                ? foundWinners.elements.map { $0 == FOVEA_NO_WINNER ? -1 : Int32($0) }
                : foundWinners.pointer.withMemoryRebound(to: Int32.self) { Array($0) }
            #expect(places == winners)
            fovea_max_pool_backward(
                &pool, above.pointer.baseAddress, foundWinners.pointer.baseAddress,
                foundGradient.pointer.baseAddress)
            #expect(foundGradient.elements == gradient)

            let withoutWinners = Buffer(repeating: Float.nan, count: results)
            fovea_max_pool_forward(
                &pool, source.pointer.baseAddress, withoutWinners.pointer.baseAddress, nil)
            #expect(withoutWinners.elements.map(\.bitPattern) == pooled.map(\.bitPattern))
        }
    }
}
