import CKernels
import Testing

/// An average pooling and its naive loops.
struct PoolingCase: Sendable, CustomTestStringConvertible {
    /// Whether an average divides by the window's size instead of by the elements inside the image.
    var countsPadding: Bool
    var channels = 5
    var size = (9, 8)
    var window = (2, 2)
    var strides = (2, 2)
    var before = (0, 0)
    var after = (0, 0)

    var testDescription: String {
        "\(channels) channels, counts padding: \(countsPadding), window \(window), strides \(strides), padding \(before) \(after)"
    }

    var source: [Int] { [2, channels, size.0, size.1] }
    var destination: [Int] {
        [
            2, channels, (size.0 + before.0 + after.0 - window.0) / strides.0 + 1,
            (size.1 + before.1 + after.1 - window.1) / strides.1 + 1,
        ]
    }
    var x: Grid { Grid(random: source, seed: 20) }
    var dy: Grid { Grid(random: destination, seed: 21) }

    /// The positions in the source that each destination element reads, with the divisor of an average.
    private func forEachWindow(_ body: (_ destination: Int, _ source: [Int], _ divisor: Int) -> Void) {
        let xGrid = Grid(zeros: source)
        var position = 0
        forEachIndex(destination) { index in
            var positions: [Int] = []
            for row in 0..<window.0 {
                for column in 0..<window.1 {
                    let y = index[2] * strides.0 + row - before.0
                    let x = index[3] * strides.1 + column - before.1
                    guard (0..<size.0).contains(y), (0..<size.1).contains(x) else { continue }
                    positions.append(xGrid.position([index[0], index[1], y, x]))
                }
            }
            body(position, positions, countsPadding ? window.0 * window.1 : positions.count)
            position += 1
        }
    }

    func forward() -> Grid {
        let x = x.values
        var y = Grid(zeros: destination)
        forEachWindow { destination, source, divisor in
            y.values[destination] = source.reduce(0) { $0 + x[$1] } / Double(divisor)
        }
        return y
    }

    func backward() -> Grid {
        let dy = dy.values
        var dx = Grid(zeros: source)
        forEachWindow { destination, source, divisor in
            for position in source { dx.values[position] += dy[destination] / Double(divisor) }
        }
        return dx
    }

    func spec(
        _ direction: Direction, source: fovea_memory, destination: fovea_memory
    ) -> fovea_pooling {
        var spec = fovea_pooling()
        spec.direction = direction.value
        spec.counts_padding = countsPadding ? 1 : 0
        spec.window = (Int64(window.0), Int64(window.1))
        spec.strides = (Int64(strides.0), Int64(strides.1))
        spec.padding_before = (Int64(before.0), Int64(before.1))
        spec.padding_after = (Int64(after.0), Int64(after.1))
        spec.source = source
        spec.destination = destination
        return spec
    }

    static let all: [PoolingCase] = [false, true].flatMap { countsPadding in
        [
            PoolingCase(countsPadding: countsPadding),
            PoolingCase(countsPadding: countsPadding, channels: 32),
            PoolingCase(
                countsPadding: countsPadding, channels: 20, window: (3, 3), before: (1, 1), after: (1, 1)),
            PoolingCase(
                countsPadding: countsPadding, channels: 16, window: (3, 2), strides: (1, 2), before: (0, 1),
                after: (2, 0)),
            PoolingCase(
                countsPadding: countsPadding, channels: 1, size: (7, 10), window: (7, 10), strides: (1, 1)),
        ]
    }
}

extension OneDNNTests {
    @Suite struct Pooling {
        func create(_ spec: fovea_pooling) -> OpaquePointer? {
            withUnsafePointer(to: spec) { fovea_pooling_create($0) }
        }

        @Test(arguments: PoolingCase.all) func forwardAndBackward(_ item: PoolingCase) throws {
            let layouts: [([Int]) -> fovea_memory] = [
                { .dense($0) }, { .nhwc($0) }, { .nChw16c($0) },
            ]
            for layout in layouts {
                let (source, destination) = (layout(item.source), layout(item.destination))
                let forward = try Primitive(
                    create(item.spec(.forward, source: source, destination: .any(item.destination))))
                let y = try forward.run([.source: item.x], .destination)[0]
                #expect(y.error(from: item.forward()) <= 1e-5, "\(forward.implementation)")
                #expect(try forward.layout(.destination).strideList == destination.strideList)
                #expect(try forward.layout(.destination).blockList == destination.blockList)
                let backward = try Primitive(
                    create(item.spec(.backwardData, source: .any(item.source), destination: destination)))
                let dx = try backward.run([.destination: item.dy], .source)[0]
                #expect(dx.error(from: item.backward()) <= 1e-5, "\(backward.implementation)")
                #expect(try backward.layout(.source).blockList == source.blockList)
                for primitive in [forward, backward] { #expect(primitive.byteCount(.workspace) == 0) }
            }
        }

        @Test func refusals() {
            let item = PoolingCase(countsPadding: false)
            func refuse(_ expected: String..., change: (inout fovea_pooling) -> Void) {
                var spec = item.spec(
                    .forward, source: .dense(item.source), destination: .any(item.destination))
                change(&spec)
                #expect(create(spec) == nil)
                for part in expected { #expect(Primitive.message.contains(part), "\(Primitive.message)") }
            }
            refuse("must have a layout") { $0.source = .any(item.source) }
            refuse("source 2x5x9x8 float32", "destination 2x5x4x9", "invalid arguments") {
                $0.destination = .any([2, 5, 4, 9])
            }
            refuse("strides 2x0") { $0.strides = (2, 0) }
            refuse("window 0x2") { $0.window = (0, 2) }
            refuse("padding after 0x-1") { $0.padding_after = (0, -1) }
            refuse("no weights") { $0.direction = FOVEA_BACKWARD_WEIGHTS }
            refuse("inner block of 16 along axis 9") {
                $0.source = .nChw16c(item.source)
                $0.source.inner_axes.0 = 9
            }
        }
    }
}
