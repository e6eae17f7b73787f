import FoveaGraph

/// Images of another size, without averaging over the pixels that a smaller one leaves out.
///
/// Pixel `i` of an axis of `n` pixels made `m` long lies at `t = (i + 0.5) · n / m - 0.5` of the input's pixels. `.nearest` takes the
/// pixel `⌊(i + 0.5) · n / m⌋`, `.bilinear` mixes the two neighbours of `t`, at the border the outermost pixel.
///
/// - Input: `[batch, height, width, channels]`.
/// - Output: those with the layer's height and width.
/// - Throws: `ShapeError` when built, for a size that is not positive or exceeds 65,536.
public final class Resizing: TargetSizeLayer {
    public static let typeName = "Resizing"
    public let name: String?
    public let height: Int
    public let width: Int
    public let interpolation: Interpolation
    public let cropToAspectRatio: Bool
    public let dataFormat: DataFormat

    /// - Parameters:
    ///   - height: rows of the result.
    ///   - width: columns of the result.
    ///   - interpolation: how pixels between pixels come about.
    ///   - cropToAspectRatio: whether the largest part in the middle with the result's proportions is resized instead of
    ///     the whole image, which may distort it.
    ///   - dataFormat: where the channels are.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(
        height: Int, width: Int, interpolation: Interpolation = .bilinear, cropToAspectRatio: Bool = false,
        dataFormat: DataFormat = .channelsLast, name: String? = nil
    ) {
        self.height = height
        self.width = width
        self.interpolation = interpolation
        self.cropToAspectRatio = cropToAspectRatio
        self.dataFormat = dataFormat
        self.name = name
    }

    public func call(images: Tensor) throws(ShapeError) -> Tensor {
        let part = cropToAspectRatio ? try images.middle(proportions: size) : images
        return try part.resized(to: size, interpolation)
    }

    public var configuration: Configuration {
        sizeConfiguration.with([
            "interpolation": .string(interpolation.rawValue),
            "crop_to_aspect_ratio": .bool(cropToAspectRatio),
        ])
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            height: try configuration.integer("height"), width: try configuration.integer("width"),
            interpolation: try configuration.choice("interpolation"),
            cropToAspectRatio: try configuration.bool("crop_to_aspect_ratio"),
            dataFormat: try DataFormat(&configuration), name: name)
    }
}

/// The middle of images. Of images that are smaller in a direction, the largest part with the result's proportions is resized.
///
/// - Input: `[batch, height, width, channels]`.
/// - Output: those with the layer's height and width.
/// - Throws: `ShapeError` when built, for a size that is not positive or exceeds 65,536.
public final class CenterCrop: TargetSizeLayer {
    public static let typeName = "CenterCrop"
    public let name: String?
    public let height: Int
    public let width: Int
    public let dataFormat: DataFormat

    /// - Parameters:
    ///   - height: rows of the result.
    ///   - width: columns of the result.
    ///   - dataFormat: where the channels are.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(
        height: Int, width: Int, dataFormat: DataFormat = .channelsLast, name: String? = nil
    ) {
        self.height = height
        self.width = width
        self.dataFormat = dataFormat
        self.name = name
    }

    public func call(images: Tensor) throws(ShapeError) -> Tensor {
        let all = images.shape.imageSize
        guard all.height >= height, all.width >= width else { return try images.fitted(to: size) }
        return try images.middle(size)
    }

    public var configuration: Configuration { sizeConfiguration }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            height: try configuration.integer("height"), width: try configuration.integer("width"),
            dataFormat: try DataFormat(&configuration), name: name)
    }
}

/// Parts of images at random places while training, another place for each image. In inference, and for images that are smaller
/// in a direction, the largest part in the middle with the result's proportions, resized.
///
/// - Input: `[batch, height, width, channels]`.
/// - Output: those with the layer's height and width.
/// - Throws: `ShapeError` when built, for a size that is not positive or exceeds 65,536.
public final class RandomCrop: TargetSizeLayer {
    public static let typeName = "RandomCrop"
    public let name: String?
    public let height: Int
    public let width: Int
    public let dataFormat: DataFormat

    /// - Parameters:
    ///   - height: rows of the result.
    ///   - width: columns of the result.
    ///   - dataFormat: where the channels are.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(
        height: Int, width: Int, dataFormat: DataFormat = .channelsLast, name: String? = nil
    ) {
        self.height = height
        self.width = width
        self.dataFormat = dataFormat
        self.name = name
    }

    public func call(images: Tensor) throws(ShapeError) -> Tensor {
        let all = images.shape.imageSize
        let fitted = try images.fitted(to: size)
        guard all.height >= height, all.width >= width else { return fitted }
        var y = images
        for (axis, extent) in [(1, height), (2, width)] where y.shape[axis] > extent {
            let starts = try Tensor.randomUniform([y.shape[0], 1]) * Float(y.shape[axis] - extent + 1)
            let places = try starts.unary(.floor) + .indices(extent).reshaped(to: [1, extent])
            y = try y.resampled(axis: axis, at: places, fillMode: .constant, interpolation: .nearest)
        }
        return try .select(.isTraining, y, fitted)
    }

    public var configuration: Configuration { sizeConfiguration }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            height: try configuration.integer("height"), width: try configuration.integer("width"),
            dataFormat: try DataFormat(&configuration), name: name)
    }
}

/// What layers have in common whose result has a given size.
protocol TargetSizeLayer: SpatialLayer {
    /// Rows of the result.
    var height: Int { get }
    /// Columns of the result.
    var width: Int { get }
}

extension TargetSizeLayer {
    fileprivate var size: Size2D { Size2D(height, width) }

    public func build(images: Shape, in scope: inout BuildScope) throws(ShapeError) {
        guard size.isSensible else {
            throw error(
                "height and width must be from 1 to \(Size2D.sensibleExtents.upperBound), not \(size)", images
            )
        }
    }

    fileprivate var sizeConfiguration: Configuration {
        dataFormat.configuration.with(["height": .integer(height), "width": .integer(width)])
    }
}

extension Tensor {
    /// The largest part in the middle with the proportions of `size`, resized to it.
    fileprivate func fitted(to size: Size2D) throws(ShapeError) -> Tensor {
        try middle(proportions: size).resized(to: size, .bilinear)
    }

    fileprivate func middle(proportions size: Size2D) throws(ShapeError) -> Tensor {
        let all = shape.imageSize
        return try middle(
            Size2D(
                Swift.max(1, Swift.min(all.height, all.width * size.height / size.width)),
                Swift.max(1, Swift.min(all.width, all.height * size.width / size.height))))
    }

    /// The part of the given size, the odd row or column left out at the end.
    fileprivate func middle(_ size: Size2D) throws(ShapeError) -> Tensor {
        let all = shape.imageSize
        return try sliced(
            starts: [0, (all.height - size.height) / 2, (all.width - size.width) / 2, 0],
            extents: [shape[0], size.height, size.width, shape.channels])
    }

    fileprivate func resized(to size: Size2D, _ interpolation: Interpolation) throws(ShapeError) -> Tensor {
        try resized(axis: 1, to: size.height, interpolation).resized(axis: 2, to: size.width, interpolation)
    }

    private func resized(
        axis: Int, to extent: Int, _ interpolation: Interpolation
    ) throws(ShapeError) -> Tensor {
        let count = shape[axis]
        if count == extent { return self }
        let scale = Double(count) / Double(extent)
        guard interpolation == .bilinear else {
            return try picking(
                (0..<extent).map { Swift.min(Int((Double($0) + 0.5) * scale), count - 1) }, axis: axis)
        }
        let places = (0..<extent).map {
            Swift.min(Swift.max((Double($0) + 0.5) * scale - 0.5, 0), Double(count - 1))
        }
        let first = places.map { Int($0) }
        var weights = Shape([1, 1, 1, 1])
        weights[axis] = extent
        let share = Tensor.constant(
            TensorValue(shape: weights, dtype: dtype, doubles: places.map { $0 - $0.rounded(.down) }))
        let (before, after) = (
            try picking(first, axis: axis),
            try picking(first.map { Swift.min($0 + 1, count - 1) }, axis: axis)
        )
        return try before + (after - before) * share
    }
}
