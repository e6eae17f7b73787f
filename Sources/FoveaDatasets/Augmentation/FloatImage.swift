import FoveaGraph

/// One image with float32 pixels, in the form in which augmentation works on it.
public struct FloatImage: Hashable, Sendable {
    public let height: Int
    public let width: Int
    public let channels: Int
    /// The value of full brightness: 255 for images made from bytes. Changes of colour keep pixels between 0 and this.
    public let white: Float
    /// `height · width · channels` numbers in row-major order, channels last.
    public let pixels: [Float]

    /// - Parameters:
    ///   - height: rows, positive.
    ///   - width: columns, positive.
    ///   - channels: numbers for each pixel, positive.
    ///   - white: the value of full brightness.
    ///   - pixels: `height · width · channels` numbers in row-major order, channels last.
    /// - Throws: `DatasetError` when an extent or `white` is not positive or the number of pixels is another.
    public init(
        height: Int, width: Int, channels: Int, white: Float = 255, pixels: [Float]
    ) throws(DatasetError) {
        try Self.check(height, width, channels, count: pixels.count)
        guard white > 0, white.isFinite else {
            throw DatasetError(
                .invalidArgument, "white, the value of full brightness, is \(white); it must be positive")
        }
        self.init(unchecked: height, width, channels, white, pixels)
    }

    /// An image of bytes, of which 255 is white.
    ///
    /// - Throws: `DatasetError` when an extent is not positive or the number of bytes is another.
    public init(height: Int, width: Int, channels: Int, bytes: [UInt8]) throws(DatasetError) {
        try Self.check(height, width, channels, count: bytes.count)
        self.init(unchecked: height, width, channels, 255, converted(bytes) { Float($0) })
    }

    /// - Parameters:
    ///   - value: `[height, width, channels]`, uint8 or float32.
    ///   - white: the value of full brightness in float32 images. That of uint8 images is 255.
    /// - Throws: `DatasetError` for other shapes and element types.
    public init(_ value: TensorValue, white: Float = 1) throws(DatasetError) {
        let shape = value.shape
        guard shape.rank == 3 else {
            throw DatasetError(
                .wrongShape, "an image has the shape [height, width, channels], not \(shape)")
        }
        switch value.storage {
        case .uint8(let bytes):
            try self.init(height: shape[0], width: shape[1], channels: shape[2], bytes: bytes)
        case .float32(let pixels):
            try self.init(height: shape[0], width: shape[1], channels: shape[2], white: white, pixels: pixels)
        default:
            throw DatasetError(
                .wrongElementType, "images are uint8 or float32, not \(value.dtype.rawValue); cast them first"
            )
        }
    }

    /// For pixels whose number is known to be right.
    init(unchecked height: Int, _ width: Int, _ channels: Int, _ white: Float, _ pixels: [Float]) {
        self.height = height
        self.width = width
        self.channels = channels
        self.white = white
        self.pixels = pixels
    }

    private static func check(
        _ height: Int, _ width: Int, _ channels: Int, count: Int
    ) throws(DatasetError) {
        guard height > 0, width > 0, channels > 0,
            Shape([height, width, channels]).elementCount == count
        else {
            throw DatasetError(
                .wrongShape,
                "\(count) numbers are no image of \(height)×\(width) pixels with \(channels) channels; each extent "
                    + "must be positive and their product the count")
        }
    }

    /// The image with other pixels.
    func with(_ pixels: [Float]) -> FloatImage {
        FloatImage(unchecked: height, width, channels, white, pixels)
    }

    /// float32 `[height, width, channels]`.
    public var tensorValue: TensorValue {
        TensorValue(unchecked: [height, width, channels], .float32(pixels))
    }

    /// The pixels as bytes: scaled so that `white` is 255, rounded to nearest, kept from 0 to 255. NaN is 0.
    public var bytes: [UInt8] {
        let scale = 255 / white
        // Adding 2²³ rounds to a whole number, which the lowest bits then hold. The order of the operands makes NaN 0.
        return converted(pixels) {
            UInt8(truncatingIfNeeded: (max(0, min($0 * scale, 255)) + 0x1p23).bitPattern)
        }
    }
}

/// `map`, in a form that becomes vector instructions.
private func converted<Element, Result>(_ elements: [Element], _ body: (Element) -> Result) -> [Result] {
    elements.withUnsafeBufferPointer { source in
        [Result](unsafeUninitializedCapacity: source.count) { target, count in
            for index in source.indices { target.initializeElement(at: index, to: body(source[index])) }
            count = source.count
        }
    }
}
