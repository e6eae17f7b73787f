import FoveaGraph

/// How pixels between pixels come about.
public enum Interpolation: String, Hashable, Sendable, CaseIterable {
    /// Each pixel repeated.
    case nearest
    /// On the straight line between the centres of the two nearest pixels, along each axis; beyond the outermost
    /// centres the outermost pixel.
    case bilinear
}

/// Images made larger by whole factors.
///
/// Pixel `i` of an axis made `f` times as long lies at `t = (i + 0.5) / f - 0.5` of the input's pixels. `.nearest`
/// takes the pixel `round(t)`, `.bilinear` mixes its neighbours: `(⌊t⌋ + 1 - t)·x[⌊t⌋] + (t - ⌊t⌋)·x[⌊t⌋ + 1]`.
///
/// - Input: `[batch, height, width, channels]`.
/// - Output: `[batch, height · size, width · size, channels]`.
/// - Errors: `ShapeError` when built, for a size that is not positive or exceeds 65,536.
public typealias UpSampling2D = UpSampling<TwoAxes>

/// Sequences made longer by a whole factor: `UpSampling2D` of images of height 1. Keras's repeats steps only, as `.nearest`.
///
/// - Input: `[batch, steps, channels]`.
/// - Output: `[batch, steps · size, channels]`.
/// - Errors: `ShapeError` when built, as `UpSampling2D`.
public typealias UpSampling1D = UpSampling<OneAxis>

/// Images or sequences made larger by whole factors: `UpSampling2D` or `UpSampling1D`.
public final class UpSampling<Axes: SpatialAxes>: SpatialLayer {
    public static var typeName: String { "UpSampling\(Axes.count)D" }
    public static var spatialAxes: Int { Axes.count }
    public let name: String?
    public let size: Axes.Size
    public let dataFormat: DataFormat
    public let interpolation: Interpolation

    /// - Parameters:
    ///   - size: how many times as high and as wide, or as long, they become.
    ///   - dataFormat: where the channels are.
    ///   - interpolation: how the pixels between come about.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(
        size: Axes.Size = 2, dataFormat: DataFormat = .channelsLast, interpolation: Interpolation = .nearest,
        name: String? = nil
    ) {
        self.size = size
        self.dataFormat = dataFormat
        self.interpolation = interpolation
        self.name = name
    }

    public func build(images: Shape, in scope: inout BuildScope) {}

    public func call(images: Tensor) throws(ShapeError) -> Tensor {
        let factors = Axes.imageSize(size)
        guard factors.isSensible else {
            throw error(
                "size must be from 1 to \(Size2D.sensibleExtents.upperBound)"
                    + "\(Axes.count == 1 ? "" : " in each direction"), not \(size)")
        }
        return try images.stretched(axis: 1, by: factors.height, interpolation)
            .stretched(axis: 2, by: factors.width, interpolation)
    }

    public var configuration: Configuration {
        dataFormat.configuration.with([
            "size": Axes.configuration(size), "interpolation": .string(interpolation.rawValue),
        ])
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            size: try configuration.size("size", along: Axes.self),
            dataFormat: try DataFormat(&configuration),
            interpolation: try configuration.choice("interpolation"), name: name)
    }
}

extension Tensor {
    /// An axis made `factor` times as long.
    fileprivate func stretched(
        axis: Int, by factor: Int, _ interpolation: Interpolation
    ) throws(ShapeError) -> Tensor {
        // Each pixel becomes a row of `factor` along a new axis, which then joins the old one.
        var (row, long) = (shape.dimensions, shape)
        row.insert(1, at: axis + 1)
        long[axis] *= factor
        let pixels = try reshaped(to: Shape(row))
        row[axis + 1] = factor
        guard interpolation == .bilinear, factor > 1 else {
            return try pixels.broadcast(to: Shape(row)).reshaped(to: long)
        }
        // From the pixel's centre, in pixels; within half a pixel, so only one neighbour counts.
        let distances = (0..<factor).map { (Double($0) + 0.5) / Double(factor) - 0.5 }
        func weight(_ share: (Double) -> Double) -> Tensor {
            var extents = [Int](repeating: 1, count: row.count)
            extents[axis + 1] = factor
            return .constant(
                TensorValue(shape: Shape(extents), dtype: dtype, doubles: distances.map(share)))
        }
        let before = try pixels.neighbour(axis: axis, before: true) * weight { Swift.max(-$0, 0) }
        let after = try pixels.neighbour(axis: axis, before: false) * weight { Swift.max($0, 0) }
        let mixed = try pixels * weight { 1 - abs($0) } + before + after
        return try mixed.reshaped(to: long)
    }

    /// At each place along an axis the element before or after it; at the end the outermost element itself.
    private func neighbour(axis: Int, before: Bool) throws(ShapeError) -> Tensor {
        let count = shape[axis]
        if count == 1 { return self }
        func part(_ start: Int, _ extent: Int) throws(ShapeError) -> Tensor {
            var (starts, extents) = ([Int](repeating: 0, count: shape.rank), shape)
            starts[axis] = start
            extents[axis] = extent
            return try sliced(starts: starts, extents: extents)
        }
        let parts =
            before
            ? [try part(0, 1), try part(0, count - 1)] : [try part(1, count - 1), try part(count - 1, 1)]
        return try .concatenate(parts, axis: axis)
    }
}
