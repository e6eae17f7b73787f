import FoveaGraph

/// A layer over images or sequences, written for `[batch, height, width, channels]` only: sequences reach it as
/// images of height 1, and channels that come first are moved to the end.
public protocol SpatialLayer: UnaryLayer {
    /// 2 for images, which is so unless implemented, 1 for sequences.
    static var spatialAxes: Int { get }
    var dataFormat: DataFormat { get }

    /// Checks the arguments and declares the parameters, for images `[batch, height, width, channels]`.
    ///
    /// - Throws: `ShapeError` when the layer cannot work with its arguments or with those images.
    func build(images: Shape, in scope: inout BuildScope) throws(ShapeError)

    /// The output for images `[batch, height, width, channels]`: images too, or something of another rank, which
    /// is left as it is.
    func call(images: Tensor) throws(ShapeError) -> Tensor
}

extension SpatialLayer {
    public static var spatialAxes: Int { 2 }

    public func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {
        let images = try imageShape(input)
        do { try build(images: images, in: &scope) } catch { throw received(input, error) }
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        let images = try imageShape(x.shape)
        do throws(ShapeError) {
            var y = try call(images: dataFormat.channelsLast(x).reshaped(to: images))
            guard y.shape.rank == images.rank else { return y }
            if Self.spatialAxes == 1 { y = try y.reshaped(to: [y.shape[0], y.shape[2], y.shape[3]]) }
            return try dataFormat.restored(y)
        } catch { throw received(x.shape, error) }
    }

    /// The input as images with the channels last.
    private func imageShape(_ input: Shape) throws(ShapeError) -> Shape {
        // Limited so that arithmetic with extents does not overflow.
        let extents = 1...Int(Int32.max)
        guard input.rank == Self.spatialAxes + 2, input.dimensions.dropFirst().allSatisfy(extents.contains)
        else {
            let kind = Self.spatialAxes == 1 ? "sequences" : "images"
            let axes = Self.spatialAxes == 1 ? "steps" : "height, width"
            let layout = dataFormat == .channelsLast ? "\(axes), channels" : "channels, \(axes)"
            throw error(
                "it works on \(kind) [batch, \(layout)]; put it before Flatten, or add Reshape", input)
        }
        var dimensions = dataFormat.channelsLast(input).dimensions
        if Self.spatialAxes == 1 { dimensions.insert(1, at: 1) }
        return Shape(dimensions)
    }

    /// An error that the layer found, with the shape that it was given.
    private func received(_ input: Shape, _ error: ShapeError) -> ShapeError {
        error.operation == Self.typeName ? self.error(error.message, input) : error
    }
}
