import FoveaDatasets
import FoveaGraph

@testable import FoveaVisualization

/// Pictures of one object (a disc, a frame or a cross) beside two distractors (a spot and a ridge that fade away) that say nothing of
/// the class, anywhere on a noisy ground: where the truth is, is known. Objects are somewhat brighter.
struct DrawnObjects {
    static let side = 32
    static let objectSide = 11
    let examples: Examples
    /// Where the object is.
    let regions: [PixelRegion]

    init(count: Int, stream: UInt32) throws {
        var pixels: [Float] = []
        var labels: [Int32] = []
        var regions: [PixelRegion] = []
        for index in 0..<count {
            var generator = PhiloxGenerator(seed: 17, stream: stream, step: UInt64(index))
            let label = index % 3
            var canvas = (0..<(Self.side * Self.side)).map { _ in Float(0.2 + 0.1 * generator.uniform()) }
            // Each in a quarter of its own.
            var quarters = [0, 1, 2, 3]
            for kind in [label, 3, 4] {
                let quarter = quarters.remove(at: generator.index(below: quarters.count))
                let half = Self.side / 2
                let room = half - Self.objectSide + 1
                let top = quarter / 2 * half + generator.index(below: room)
                let left = quarter % 2 * half + generator.index(below: room)
                let brightness = (kind == label ? 0.65 : 0.4) + 0.25 * generator.uniform()
                Self.draw(kind, &canvas, top, left, Float(brightness))
                if kind == label {
                    regions.append(
                        PixelRegion(
                            rows: top..<(top + Self.objectSide), columns: left..<(left + Self.objectSide)))
                }
            }
            pixels += canvas
            labels.append(Int32(label))
        }
        self.regions = regions
        examples = try Examples(
            inputs: TensorValue(shape: [count, Self.side, Self.side, 1], pixels), targets: TensorValue(labels)
        )
    }

    private static func draw(
        _ kind: Int, _ canvas: inout [Float], _ top: Int, _ left: Int, _ brightness: Float
    ) {
        let middle = objectSide / 2
        for y in 0..<objectSide {
            for x in 0..<objectSide {
                let (dy, dx) = (y - middle, x - middle)
                let place = (top + y) * side + left + x
                switch kind {
                case 0: if dy * dy + dx * dx <= middle * middle { canvas[place] = brightness }
                case 1: if max(abs(dy), abs(dx)) >= middle - 1 { canvas[place] = brightness }
                case 2: if min(abs(dy), abs(dx)) <= 1 { canvas[place] = brightness }
                default:
                    // A spot or a ridge that fades away.
                    let distance =
                        kind == 3 ? dy * dy + dx * dx : (dy + dx) * (dy + dx) + (dy - dx) * (dy - dx) / 8
                    let share = max(0, 1 - Float(distance) / Float(middle * middle))
                    canvas[place] += (brightness - canvas[place]) * share
                }
            }
        }
    }
}
