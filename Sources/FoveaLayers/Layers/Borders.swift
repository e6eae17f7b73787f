import FoveaGraph

/// Rows and columns of zeros around an image.
///
/// - Input: `[batch, height, width, channels]`.
/// - Output: `[batch, top + height + bottom, left + width + right, channels]`.
/// - Errors: `ShapeError` when built, for a padding that is negative or exceeds 65,536.
public typealias ZeroPadding2D = ZeroPadding<TwoAxes>

/// Steps of zeros before and after a sequence.
///
/// - Input: `[batch, steps, channels]`.
/// - Output: `[batch, start + steps + end, channels]`.
/// - Errors: `ShapeError` when built, as `ZeroPadding2D`.
public typealias ZeroPadding1D = ZeroPadding<OneAxis>

/// Zeros around images or sequences: `ZeroPadding2D` or `ZeroPadding1D`.
public final class ZeroPadding<Axes: SpatialAxes>: SpatialLayer {
    public static var typeName: String { "ZeroPadding\(Axes.count)D" }
    public static var spatialAxes: Int { Axes.count }
    public let name: String?
    public let dataFormat: DataFormat
    /// What is added at each side; left and right are the start and end of sequences.
    public let padding: Padding2D

    /// - Parameters:
    ///   - padding: how many rows are put above and below and how many columns left and right, or how many steps before and
    ///     after.
    ///   - dataFormat: where the channels are.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public convenience init(
        padding: Axes.Size = 1, dataFormat: DataFormat = .channelsLast, name: String? = nil
    ) {
        self.init(border: Axes.border(padding), dataFormat: dataFormat, name: name)
    }

    private init(border: Padding2D, dataFormat: DataFormat, name: String?) {
        padding = border
        self.dataFormat = dataFormat
        self.name = name
    }

    public func build(images: Shape, in scope: inout BuildScope) {}

    public func call(images: Tensor) throws(ShapeError) -> Tensor {
        try check(padding, along: Axes.self, "padding")
        return try images.padded(
            low: [0, padding.top, padding.left, 0], high: [0, padding.bottom, padding.right, 0])
    }

    public var configuration: Configuration {
        dataFormat.configuration.with(["padding": Axes.configuration(padding)])
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            border: try configuration.border("padding", along: Axes.self),
            dataFormat: try DataFormat(&configuration), name: name)
    }
}

extension ZeroPadding<TwoAxes> {
    /// - Parameters:
    ///   - padding: how many rows are put above and below, and how many columns left and right.
    ///   - dataFormat: where the channels are.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public convenience init(
        padding: ((top: Int, bottom: Int), (left: Int, right: Int)),
        dataFormat: DataFormat = .channelsLast, name: String? = nil
    ) {
        self.init(border: Padding2D(padding), dataFormat: dataFormat, name: name)
    }
}

extension ZeroPadding<OneAxis> {
    /// - Parameters:
    ///   - padding: how many steps are put before and after.
    ///   - dataFormat: where the channels are.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public convenience init(
        padding: (start: Int, end: Int), dataFormat: DataFormat = .channelsLast, name: String? = nil
    ) {
        self.init(
            border: Padding2D(left: padding.start, right: padding.end), dataFormat: dataFormat, name: name)
    }
}

/// An image without the rows and columns at its border.
///
/// - Input: `[batch, height, width, channels]`.
/// - Output: `[batch, height - top - bottom, width - left - right, channels]`.
/// - Errors: `ShapeError` when built, for a cropping that is negative or exceeds 65,536, and when no pixel is
///   left.
public typealias Cropping2D = Cropping<TwoAxes>

/// A sequence without the steps at its ends.
///
/// - Input: `[batch, steps, channels]`.
/// - Output: `[batch, steps - start - end, channels]`.
/// - Errors: `ShapeError` when built, as `Cropping2D`.
public typealias Cropping1D = Cropping<OneAxis>

/// Images or sequences without their border: `Cropping2D` or `Cropping1D`.
public final class Cropping<Axes: SpatialAxes>: SpatialLayer {
    public static var typeName: String { "Cropping\(Axes.count)D" }
    public static var spatialAxes: Int { Axes.count }
    public let name: String?
    public let dataFormat: DataFormat
    /// What is taken away at each side; left and right are the start and end of sequences.
    public let cropping: Padding2D

    private init(border: Padding2D, dataFormat: DataFormat, name: String?) {
        cropping = border
        self.dataFormat = dataFormat
        self.name = name
    }

    public func build(images: Shape, in scope: inout BuildScope) {}

    public func call(images: Tensor) throws(ShapeError) -> Tensor {
        try check(cropping, along: Axes.self, "cropping")
        let size = images.shape.imageSize
        let rest = Size2D(
            size.height - cropping.top - cropping.bottom, size.width - cropping.left - cropping.right)
        guard rest.isPositive else {
            throw error(
                Axes.count == 1
                    ? "cropping \(cropping.summary(along: Axes.self)) leaves nothing of the \(size.width) steps"
                    : "cropping \(cropping.summary(along: Axes.self)) leaves nothing of the \(size) image")
        }
        return try images.sliced(
            starts: [0, cropping.top, cropping.left, 0],
            extents: [images.shape[0], rest.height, rest.width, images.shape.channels])
    }

    public var configuration: Configuration {
        dataFormat.configuration.with(["cropping": Axes.configuration(cropping)])
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            border: try configuration.border("cropping", along: Axes.self),
            dataFormat: try DataFormat(&configuration), name: name)
    }
}

extension Cropping<TwoAxes> {
    /// - Parameters:
    ///   - cropping: how many rows are taken away above and below, and how many columns left and right.
    ///   - dataFormat: where the channels are.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public convenience init(
        cropping: Size2D = 0, dataFormat: DataFormat = .channelsLast, name: String? = nil
    ) {
        self.init(border: TwoAxes.border(cropping), dataFormat: dataFormat, name: name)
    }

    /// - Parameters:
    ///   - cropping: how many rows are taken away above and below, and how many columns left and right.
    ///   - dataFormat: where the channels are.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public convenience init(
        cropping: ((top: Int, bottom: Int), (left: Int, right: Int)),
        dataFormat: DataFormat = .channelsLast, name: String? = nil
    ) {
        self.init(border: Padding2D(cropping), dataFormat: dataFormat, name: name)
    }
}

extension Cropping<OneAxis> {
    /// - Parameters:
    ///   - cropping: how many steps are taken away at the start and at the end. Keras, too, takes one away unless said.
    ///   - dataFormat: where the channels are.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public convenience init(
        cropping: Int = 1, dataFormat: DataFormat = .channelsLast, name: String? = nil
    ) {
        self.init(border: OneAxis.border(cropping), dataFormat: dataFormat, name: name)
    }

    /// - Parameters:
    ///   - cropping: how many steps are taken away at the start and at the end.
    ///   - dataFormat: where the channels are.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public convenience init(
        cropping: (start: Int, end: Int), dataFormat: DataFormat = .channelsLast, name: String? = nil
    ) {
        self.init(
            border: Padding2D(left: cropping.start, right: cropping.end), dataFormat: dataFormat, name: name)
    }
}

extension SpatialLayer {
    /// Checks a border that is added or taken away.
    fileprivate func check(
        _ border: Padding2D, along axes: any SpatialAxes.Type, _ name: String
    ) throws(ShapeError) {
        let range = 0...Size2D.sensibleExtents.upperBound
        guard [border.top, border.bottom, border.left, border.right].allSatisfy(range.contains) else {
            throw error(
                "\(name) must be from 0 to \(range.upperBound) at each side, not \(border.summary(along: axes))"
            )
        }
    }
}

extension SpatialAxes {
    /// As much at both ends of each axis.
    fileprivate static func border(_ size: Size) -> Padding2D {
        let image = imageSize(size, height: 0)
        return Padding2D(top: image.height, bottom: image.height, left: image.width, right: image.width)
    }
}

extension Padding2D {
    fileprivate init(_ sides: ((top: Int, bottom: Int), (left: Int, right: Int))) {
        self.init(top: sides.0.top, bottom: sides.0.bottom, left: sides.1.left, right: sides.1.right)
    }

    fileprivate func summary(along axes: any SpatialAxes.Type) -> String {
        axes.count == 1 ? "(\(left), \(right))" : "((\(top), \(bottom)), (\(left), \(right)))"
    }
}
