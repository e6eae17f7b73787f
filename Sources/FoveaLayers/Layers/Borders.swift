import FoveaGraph

/// Rows and columns of zeros around an image.
///
/// - Input: `[batch, height, width, channels]`.
/// - Output: `[batch, top + height + bottom, left + width + right, channels]`.
/// - Errors: `ShapeError` when built, for a padding that is negative or exceeds 65,536.
public final class ZeroPadding2D: BorderLayer {
    public static let typeName = "ZeroPadding2D"
    static let key = "padding"
    public let name: String?
    public let dataFormat: DataFormat
    public var padding: Padding2D { border }
    let border: Padding2D

    /// - Parameters:
    ///   - padding: how many rows are put above and below, and how many columns left and right.
    ///   - dataFormat: where the channels are.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public convenience init(
        padding: Size2D = 1, dataFormat: DataFormat = .channelsLast, name: String? = nil
    ) {
        self.init(border: Padding2D(padding), dataFormat: dataFormat, name: name)
    }

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

    init(border: Padding2D, dataFormat: DataFormat, name: String?) {
        self.border = border
        self.dataFormat = dataFormat
        self.name = name
    }

    public var configuration: Configuration { settings }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        try self.init(name: name, settings: &configuration)
    }

    public func call(images: Tensor) throws(ShapeError) -> Tensor {
        try checkBorder()
        return try images.padded(
            low: [0, padding.top, padding.left, 0], high: [0, padding.bottom, padding.right, 0])
    }
}

/// An image without the rows and columns at its border.
///
/// - Input: `[batch, height, width, channels]`.
/// - Output: `[batch, height - top - bottom, width - left - right, channels]`.
/// - Errors: `ShapeError` when built, for a cropping that is negative or exceeds 65,536, and when no pixel is
///   left.
public final class Cropping2D: BorderLayer {
    public static let typeName = "Cropping2D"
    static let key = "cropping"
    public let name: String?
    public let dataFormat: DataFormat
    public var cropping: Padding2D { border }
    let border: Padding2D

    /// - Parameters:
    ///   - cropping: how many rows are taken away above and below, and how many columns left and right.
    ///   - dataFormat: where the channels are.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public convenience init(
        cropping: Size2D = 0, dataFormat: DataFormat = .channelsLast, name: String? = nil
    ) {
        self.init(border: Padding2D(cropping), dataFormat: dataFormat, name: name)
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

    init(border: Padding2D, dataFormat: DataFormat, name: String?) {
        self.border = border
        self.dataFormat = dataFormat
        self.name = name
    }

    public var configuration: Configuration { settings }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        try self.init(name: name, settings: &configuration)
    }

    public func call(images: Tensor) throws(ShapeError) -> Tensor {
        try checkBorder()
        let size = images.shape.imageSize
        let rest = Size2D(
            size.height - cropping.top - cropping.bottom, size.width - cropping.left - cropping.right)
        guard rest.isPositive else {
            throw error("cropping \(border.summary) leaves nothing of the \(size) image")
        }
        return try images.sliced(
            starts: [0, cropping.top, cropping.left, 0],
            extents: [images.shape[0], rest.height, rest.width, images.shape.channels])
    }
}

/// What layers that add or take away a border have in common.
protocol BorderLayer: SpatialLayer {
    /// What the layer calls its border.
    static var key: String { get }
    var border: Padding2D { get }
    init(border: Padding2D, dataFormat: DataFormat, name: String?)
}

extension BorderLayer {
    public func build(images: Shape, in scope: inout BuildScope) {}

    fileprivate func checkBorder() throws(ShapeError) {
        let limit = WindowArguments.limit
        guard [border.top, border.bottom, border.left, border.right].allSatisfy((0...limit).contains) else {
            throw error("\(Self.key) must be from 0 to \(limit) at each side, not \(border.summary)")
        }
    }

    var settings: Configuration {
        dataFormat.configuration.with([Self.key: .border(border)])
    }

    init(name: String?, settings reader: inout ConfigurationReader) throws(ConfigurationError) {
        self.init(
            border: try reader.border(Self.key), dataFormat: try DataFormat(&reader), name: name
        )
    }
}

extension Padding2D {
    fileprivate init(_ size: Size2D) {
        self.init(top: size.height, bottom: size.height, left: size.width, right: size.width)
    }

    fileprivate init(_ sides: ((top: Int, bottom: Int), (left: Int, right: Int))) {
        self.init(top: sides.0.top, bottom: sides.0.bottom, left: sides.1.left, right: sides.1.right)
    }

    fileprivate var summary: String { "((\(top), \(bottom)), (\(left), \(right)))" }
}
