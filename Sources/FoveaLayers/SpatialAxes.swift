import FoveaGraph

/// Along how many axes a window moves: `OneAxis` of sequences or `TwoAxes` of images.
///
/// `Conv1D` and `Conv2D`, and all other layers that exist for both, are one class each with this as its argument. They compute
/// with images; sequences reach them as images of height 1.
public protocol SpatialAxes: Sendable {
    /// An extent along each axis.
    associatedtype Size: Hashable, Sendable, ExpressibleByIntegerLiteral
    /// What convolutions may do at the border.
    associatedtype ConvolutionPadding: WindowPadding

    /// How many there are.
    static var count: Int { get }

    /// The size as a height and a width; `height` is that of sequences.
    static func imageSize(_ size: Size, height: Int) -> Size2D

    /// What of a height and a width lies along the axes.
    static func size(of image: Size2D) -> Size
}

/// The steps of sequences `[batch, steps, channels]`.
public enum OneAxis: SpatialAxes {
    public typealias ConvolutionPadding = Padding1D

    public static var count: Int { 1 }
    public static func imageSize(_ size: Int, height: Int) -> Size2D { Size2D(height, size) }
    public static func size(of image: Size2D) -> Int { image.width }
}

/// The height and width of images `[batch, height, width, channels]`.
public enum TwoAxes: SpatialAxes {
    public typealias ConvolutionPadding = Padding

    public static var count: Int { 2 }
    public static func imageSize(_ size: Size2D, height: Int) -> Size2D { size }
    public static func size(of image: Size2D) -> Size2D { image }
}

extension SpatialAxes {
    static func imageSize(_ size: Size) -> Size2D { imageSize(size, height: 1) }

    static func extents(_ size: Size) -> [Int] {
        let image = imageSize(size)
        return [image.height, image.width].suffix(count)
    }

    /// The shape of a kernel: that of its window, and the extents behind it.
    static func kernelShape(_ window: Size, _ others: Int...) -> Shape { Shape(extents(window) + others) }

    /// A kernel as convolutions of images take it, with a height.
    static func imageKernel(_ kernel: Tensor) throws(ShapeError) -> Tensor {
        try count == 2 ? kernel : kernel.reshaped(to: Shape([1] + kernel.shape.dimensions))
    }
}

extension Size2D {
    /// What a height or width may be: more than any image needs, and small enough that no arithmetic with it overflows.
    static let sensibleExtents = 1...65_536

    var isSensible: Bool {
        Self.sensibleExtents.contains(height) && Self.sensibleExtents.contains(width)
    }
}

// MARK: - Configuration

extension SpatialAxes {
    static func configuration(_ size: Size) -> ConfigurationValue {
        .list(extents(size).map { .integer($0) })
    }

    /// How much is put around an image or taken away there: two numbers for each axis, which are not in a list of their own
    /// where there is one axis.
    static func configuration(_ border: Padding2D) -> ConfigurationValue {
        let columns: ConfigurationValue = [.integer(border.left), .integer(border.right)]
        return count == 1 ? columns : [[.integer(border.top), .integer(border.bottom)], columns]
    }
}

extension ConfigurationReader {
    /// An extent along each axis.
    mutating func size<Axes: SpatialAxes>(
        _ key: String, along axes: Axes.Type
    ) throws(ConfigurationError) -> Axes.Size {
        try take(key, Self.expectedSize(axes)) { Self.size($0, along: axes) }
    }

    /// An extent along each axis; nil for null.
    mutating func optionalSize<Axes: SpatialAxes>(
        _ key: String, along axes: Axes.Type
    ) throws(ConfigurationError) -> Axes.Size? {
        try take(key, "null, or " + Self.expectedSize(axes)) { value -> Axes.Size?? in
            if case .null = value { return .some(nil) }
            guard let size = Self.size(value, along: axes) else { return nil }
            return size
        }
    }

    private static func expectedSize(_ axes: any SpatialAxes.Type) -> String {
        axes.count == 1 ? "a list of one integer" : "a list of two integers, height and width"
    }

    private static func size<Axes: SpatialAxes>(
        _ value: ConfigurationValue, along axes: Axes.Type
    ) -> Axes.Size? {
        guard let extents = value.asIntegers, extents.count == Axes.count else { return nil }
        return Axes.size(of: Size2D(extents[0], extents[extents.count - 1]))
    }

    /// How much is put around an image or taken away there.
    mutating func border(
        _ key: String, along axes: any SpatialAxes.Type
    ) throws(ConfigurationError) -> Padding2D {
        if axes.count == 1 {
            return try take(key, "a list of two integers: at the start and at the end") { value in
                guard let ends = value.asIntegers, ends.count == 2 else { return nil }
                return Padding2D(left: ends[0], right: ends[1])
            }
        }
        return try take(key, "two lists of two integers: top and bottom, left and right") { value in
            guard case .list(let axes) = value else { return nil }
            let ends = axes.compactMap(\.asIntegers)
            guard axes.count == 2, ends.map(\.count) == [2, 2] else { return nil }
            return Padding2D(top: ends[0][0], bottom: ends[0][1], left: ends[1][0], right: ends[1][1])
        }
    }
}
