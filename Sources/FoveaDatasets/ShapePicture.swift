import FoveaGraph

/// The edge of a shape that fits in the circle of radius 1 around the origin.
enum ShapeOutline {
    case circle
    case polygon([SIMD2<Double>])

    /// In the order of `ShapesDataset.classNames`.
    static let all: [ShapeOutline] = [
        .circle,
        .polygon([[0.7071, 0.7071], [-0.7071, 0.7071], [-0.7071, -0.7071], [0.7071, -0.7071]]),
        .polygon([[0, 1], [-0.866, -0.5], [0.866, -0.5]]),
        .polygon([
            [0.3, 0.95], [-0.3, 0.95], [-0.3, 0.3], [-0.95, 0.3], [-0.95, -0.3], [-0.3, -0.3],
            [-0.3, -0.95], [0.3, -0.95], [0.3, -0.3], [0.95, -0.3], [0.95, 0.3], [0.3, 0.3],
        ]),
        // Five points on the circle, and between them five at 0.42 of its radius.
        .polygon([
            [0, 1], [-0.2469, 0.3398], [-0.9511, 0.309], [-0.3994, -0.1298], [-0.5878, -0.809],
            [0, -0.42], [0.5878, -0.809], [0.3994, -0.1298], [0.9511, 0.309], [0.2469, 0.3398],
        ]),
    ]

    /// The distance from a point to the edge, negative inside.
    func distance(to point: SIMD2<Double>) -> Double {
        switch self {
        case .circle: return (point * point).sum().squareRoot() - 1
        case .polygon(let corners):
            var nearest = Double.infinity
            var inside = false
            var a = corners[corners.count - 1]
            for b in corners {
                let (edge, offset) = (b - a, point - a)
                let along = (edge * offset).sum() / (edge * edge).sum()
                let miss = offset - min(max(along, 0), 1) * edge
                nearest = min(nearest, (miss * miss).sum())
                // A line to the right from an inner point meets the edge an odd number of times.
                if (a.y > point.y) != (b.y > point.y), offset.x < edge.x * offset.y / edge.y {
                    inside.toggle()
                }
                a = b
            }
            return inside ? -nearest.squareRoot() : nearest.squareRoot()
        }
    }
}

/// One image of a shape before noise: what is drawn, where and how.
struct ShapePicture {
    let outline: ShapeOutline
    let (height, width): (Int, Int)
    /// Pixels from the centre to the farthest point of the shape.
    private let radius: Double
    private let centre: SIMD2<Double>
    /// The direction of the shape's own first axis.
    private let direction: SIMD2<Double>
    /// In pixels; nil for a filled shape.
    private let lineWidth: Double?
    /// Grey values, 0 to 255.
    private let background: Double
    private let foreground: Double
    private let noiseDeviation: Double

    init(outline: ShapeOutline, height: Int, width: Int, using generator: inout PhiloxGenerator) {
        let side = Double(min(height, width))
        self.outline = outline
        (self.height, self.width) = (height, width)
        radius = side * (0.26 + 0.16 * generator.uniform())
        centre = [
            radius + generator.uniform() * (Double(width) - 2 * radius),
            radius + generator.uniform() * (Double(height) - 2 * radius),
        ]
        // A slope, not an angle: sines and cosines would differ between mathematics libraries.
        let slope = 0.7 * generator.uniform() - 0.35
        direction = [1 / (1 + slope * slope).squareRoot(), slope / (1 + slope * slope).squareRoot()]
        let line = side * (0.05 + 0.04 * generator.uniform())
        lineWidth = generator.uniform() < 0.5 ? line : nil
        background = 20 + 60 * generator.uniform()
        foreground = background + 60 + 100 * generator.uniform()
        noiseDeviation = 5 + 15 * generator.uniform()
    }

    /// Adds the grey values of the image, row by row.
    func append(to pixels: inout [UInt8], noise generator: inout PhiloxGenerator) {
        for y in 0..<height {
            for x in 0..<width {
                let share = coverage(of: [Double(x) + 0.5, Double(y) + 0.5])
                let grey = background + share * (foreground - background)
                let noisy = grey + noiseDeviation * generator.roughlyNormal()
                pixels.append(UInt8(min(max(noisy + 0.5, 0), 255)))
            }
        }
    }

    /// How much of the pixel around a point the shape covers: 0 to 1, changing over one pixel at the edge.
    private func coverage(of point: SIMD2<Double>) -> Double {
        let offset = (point - centre) / radius
        let reach = 1 + 0.5 / radius
        guard (offset * offset).sum() < reach * reach else { return 0 }
        let turned: SIMD2<Double> = [
            offset.x * direction.x + offset.y * direction.y, offset.y * direction.x - offset.x * direction.y,
        ]
        let distance = radius * outline.distance(to: turned)
        // A line lies inside the edge of the shape.
        let depth = lineWidth.map { abs(distance + $0 / 2) - $0 / 2 } ?? distance
        return min(max(0.5 - depth, 0), 1)
    }
}

extension PhiloxGenerator {
    /// The sum of the four bytes of a word, scaled to mean 0 and deviation 1.
    fileprivate mutating func roughlyNormal() -> Double {
        let word = nextWord()
        let sum = (word & 255) + (word >> 8 & 255) + (word >> 16 & 255) + word >> 24
        return (Double(sum) - 510) / 147.8
    }
}
