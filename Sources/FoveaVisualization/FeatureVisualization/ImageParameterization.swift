import Foundation
import FoveaGraph

/// Images that are made of a variable.
struct ImageParameterization {
    /// What changes.
    let variable: Variable
    /// `[count, height, width, channels]`.
    let images: Tensor
    /// The same with what is beyond their borders, as far as that is known.
    let surroundings: Tensor

    /// Pixels that begin with given numbers.
    init(pixels: TensorValue) {
        variable = Variable(name: "images", initial: pixels)
        images = Tensor(variable)
        surroundings = images
    }

    /// Coefficients of a cosine transform that begin with normal noise.
    ///
    /// - Parameters:
    ///   - count: how many images.
    ///   - size: of an image.
    ///   - margin: how many more pixels there are above and below, and on the left and right.
    ///   - channels: three are taken for red, green and blue, of which principal components are made.
    ///   - decay: the power of the frequency that a coefficient is divided by.
    ///   - generator: gives the noise.
    init(
        count: Int, size: Size2D, margin: Size2D = 0, channels: Int, decay: Double,
        using generator: inout PhiloxGenerator
    ) throws {
        let inside = size
        let size = Size2D(inside.height + 2 * margin.height, inside.width + 2 * margin.width)
        let shape: Shape = [count, channels, size.height, size.width]
        let noise = (0..<shape.elementCount).map { _ in Float(0.01 * generator.standardNormal()) }
        variable = Variable(name: "frequencies", initial: try TensorValue(shape: shape, noise))
        let scaled = try Tensor(variable) * .constant(Self.scales(size, decay: decay))
        let rows = try Tensor.matmul(scaled, .constant(Self.cosines(size.width))).transposed([0, 1, 3, 2])
        let planes = try Tensor.matmul(rows, .constant(Self.cosines(size.height)))
        var images = try planes.transposed([0, 3, 2, 1])
        if channels == 3 {
            let mixed = try Tensor.matmul(
                images.reshaped(to: [count * size.height * size.width, 3]), .constant(Self.colors))
            images = try mixed.reshaped(to: images.shape)
        }
        surroundings = try images.sigmoid()
        self.images = try surroundings.sliced(
            starts: [0, margin.height, margin.width, 0],
            extents: [count, inside.height, inside.width, channels])
    }

    /// `1 / max(frequency, lowest)ᵈ / 4` for each pair of frequencies, in cycles per pixel, `[height, width]`: spectra of
    /// photographs fall off like that.
    private static func scales(_ size: Size2D, decay: Double) -> TensorValue {
        let lowest = 1 / Double(max(size.height, size.width))
        let elements = (0..<size.height).flatMap { row in
            (0..<size.width).map { column in
                let (y, x) = (
                    Double(row) / Double(2 * size.height), Double(column) / Double(2 * size.width)
                )
                return Float(pow(max((x * x + y * y).squareRoot(), lowest), -decay) / 4)
            }
        }
        return TensorValue(unchecked: [size.height, size.width], .float32(elements))
    }

    /// The orthonormal basis of the cosine transform (DCT-II): row `f` has `√(2/n) cos(π f (x + ½) / n)`, row 0 `√(1/n)`.
    private static func cosines(_ count: Int) -> TensorValue {
        let elements = (0..<count).flatMap { frequency in
            (0..<count).map { place in
                let angle = Double.pi * Double(frequency) * (Double(place) + 0.5) / Double(count)
                return Float(
                    (frequency == 0 ? 1 : 2.0.squareRoot()) * cos(angle) / Double(count).squareRoot())
            }
        }
        return TensorValue(unchecked: [count, count], .float32(elements))
    }

    /// From independent components to red, green and blue: the square root of the covariance of ImageNet's colours, divided by
    /// the length of its longest column. Its numbers are those published with Olah et al. 2017.
    private static let colors: TensorValue = {
        let columns = [[0.26, 0.27, 0.27], [0.09, 0, -0.09], [0.02, -0.05, 0.03]]
        let longest = columns.map { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }.max() ?? 1
        return TensorValue(
            unchecked: [3, 3], .float32(columns.flatMap { $0.map { Float($0 / longest) } }))
    }()
}

extension PhiloxGenerator {
    /// Mean 0 and deviation 1 (Box and Muller 1958).
    mutating func standardNormal() -> Double {
        let radius = (-2 * log(1 - uniform())).squareRoot()
        return radius * cos(2 * Double.pi * uniform())
    }
}

extension Tensor {
    /// The middle of images `[count, height, width, channels]`, moved and zoomed at random, all alike and anew at each step; beyond
    /// their borders the border's pixels.
    ///
    /// - Parameter size: of the middle.
    func shaken(jitter: Int, zoom: Double, to size: Size2D) throws -> Tensor {
        if jitter == 0, zoom == 0 { return self }
        let scale = try Tensor.randomUniform([1]) * Float(2 * zoom) + Float(1 - zoom)
        var result = self
        for (axis, count) in [(1, size.height), (2, size.width)] where shape[axis] > 1 {
            let (extent, middle) = (shape[axis], Float(shape[axis]) / 2)
            let shift = try (Tensor.randomUniform([1]) * Float(2 * jitter + 1)).unary(.floor) - Float(jitter)
            let centres = Tensor.constant(
                TensorValue((0..<count).map { Float($0) + 0.5 - Float(count) / 2 }))
            let places = try (centres * scale + middle + shift).unary(.floor)
            let inside = try Tensor.minimum(.maximum(places, 0), Float(extent - 1))
            result = try result.gathered(at: inside.cast(to: .int32), axis: axis)
        }
        return result
    }

    /// The mean magnitude of the differences of neighbours, of each image `[count]`.
    func totalVariation() throws -> Tensor {
        var sum = Tensor.filled(0, [shape[0]])
        for axis in [1, 2] where shape[axis] > 1 {
            var extents = shape
            extents[axis] -= 1
            var starts = [0, 0, 0, 0]
            let first = try sliced(starts: starts, extents: extents)
            starts[axis] = 1
            let second = try sliced(starts: starts, extents: extents)
            sum = try sum + (second - first).unary(.abs).mean(axes: [1, 2, 3])
        }
        return sum
    }
}
