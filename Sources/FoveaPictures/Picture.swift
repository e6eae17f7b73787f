import FoveaGraph

/// A picture of 8-bit samples: rows from top to bottom, pixels from left to right, the channels of a pixel side by side.
///
/// A value like any other: it may be read on several threads at once, and so may everything be called that makes one.
public struct Picture: Sendable, Hashable {
    /// No side of a picture is longer: 65,535 pixels.
    public static let greatestSide = 65_535
    /// No picture has more pixels: 64 Mi, that is 67,108,864.
    public static let greatestPixelCount = 1 << 26

    public let height: Int
    public let width: Int
    /// 1 for grey, 3 for red, green and blue.
    public let channels: Int
    /// `height × width × channels` samples: 0 is none and 255 all of the light.
    public let pixels: [UInt8]

    public var size: Size2D { Size2D(height, width) }

    /// - Throws: `PictureError` when a side is less than 1 or longer than ``greatestSide``, there are more pixels than
    ///   ``greatestPixelCount``, the channels are neither 1 nor 3, or the number of samples is not that of the size.
    public init(height: Int, width: Int, channels: Int, pixels: [UInt8]) throws(PictureError) {
        try Picture.check(height: height, width: width)
        guard channels == 1 || channels == 3 else {
            throw PictureError(
                .invalidArgument, "a picture has 1 channel (grey) or 3 (RGB), not \(channels)")
        }
        guard pixels.count == height * width * channels else {
            throw PictureError(
                .invalidArgument,
                "\(pixels.count) samples do not fill a picture of \(height)×\(width) pixels and \(channels) "
                    + "channels, which has \(height * width * channels)")
        }
        self.init(unchecked: height, width, channels, pixels)
    }

    /// One colour everywhere.
    ///
    /// - Throws: `PictureError` as ``init(height:width:channels:pixels:)`` does.
    public init(height: Int, width: Int, channels: Int = 3, color: Color) throws(PictureError) {
        try Picture.check(height: height, width: width)
        let samples = try color.samples(channels: channels)
        let pixels = [UInt8](unsafeUninitializedCapacity: height * width * channels) { target, count in
            count = height * width * channels
            for i in 0..<count { target[i] = samples[i % channels] }
        }
        self.init(unchecked: height, width, channels, pixels)
    }

    /// For sizes and samples that are known to be right.
    init(unchecked height: Int, _ width: Int, _ channels: Int, _ pixels: [UInt8]) {
        self.height = height
        self.width = width
        self.channels = channels
        self.pixels = pixels
    }

    static func check(height: Int, width: Int) throws(PictureError) {
        guard height > 0, width > 0 else {
            throw PictureError(
                .invalidArgument, "a picture has at least one pixel, but \(height)×\(width) are asked for")
        }
        guard max(height, width) <= greatestSide, height * width <= greatestPixelCount else {
            throw PictureError(
                .tooLarge,
                "a picture has sides of at most \(greatestSide) and at most \(greatestPixelCount) pixels, but "
                    + "\(height)×\(width) are asked for")
        }
    }
}

extension Picture {
    /// Red, green and blue from 0 to 255.
    public struct Color: Sendable, Hashable {
        public var red: UInt8
        public var green: UInt8
        public var blue: UInt8

        public init(red: UInt8, green: UInt8, blue: UInt8) {
            self.red = red
            self.green = green
            self.blue = blue
        }

        /// Equal parts of all three.
        public static func grey(_ level: UInt8) -> Color { Color(red: level, green: level, blue: level) }
        public static let black = Color.grey(0)
        public static let white = Color.grey(255)

        /// As a sample of a grey picture; see ``Picture/grey()``.
        public var luma: UInt8 { Picture.luma(red, green, blue) }

        func samples(channels: Int) throws(PictureError) -> [UInt8] {
            switch channels {
            case 1: return [luma]
            case 3: return [red, green, blue]
            default:
                throw PictureError(
                    .invalidArgument, "a picture has 1 channel (grey) or 3 (RGB), not \(channels)")
            }
        }
    }

    /// 0.2990 red + 0.5870 green + 0.1140 blue in multiples of 2⁻¹⁶, rounded (ITU-R BT.601).
    static func luma(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt8 {
        UInt8(
            truncatingIfNeeded: (Int(red) * 19_595 + Int(green) * 38_470 + Int(blue) * 7_471 + 0x8000) >> 16)
    }

    /// In grey: 0.2990 red + 0.5870 green + 0.1140 blue, as Pillow's `convert("L")` to the last bit.
    public func grey() -> Picture {
        guard channels == 3 else { return self }
        let grey = [UInt8](unsafeUninitializedCapacity: height * width) { target, count in
            count = height * width
            pixels.withUnsafeBufferPointer { source in
                for i in 0..<count {
                    target[i] = Picture.luma(source[3 * i], source[3 * i + 1], source[3 * i + 2])
                }
            }
        }
        return Picture(unchecked: height, width, 1, grey)
    }

    /// In red, green and blue; a grey sample becomes three equal ones.
    public func rgb() -> Picture {
        guard channels == 1 else { return self }
        let colors = [UInt8](unsafeUninitializedCapacity: 3 * height * width) { target, count in
            count = 3 * height * width
            pixels.withUnsafeBufferPointer { source in
                for i in 0..<source.count {
                    let sample = source[i]
                    target[3 * i] = sample
                    target[3 * i + 1] = sample
                    target[3 * i + 2] = sample
                }
            }
        }
        return Picture(unchecked: height, width, 3, colors)
    }
}

extension TensorValue {
    /// The samples of a picture as uint8 `[height, width, channels]`.
    public init(_ picture: Picture) {
        self.init(unchecked: [picture.height, picture.width, picture.channels], .uint8(picture.pixels))
    }
}

extension Picture {
    /// A tensor `[height, width, channels]` as a picture, or `[height, width]` as a grey one. Elements are rounded to the nearest
    /// integer, ties to even, and clamped to 0…255; NaN becomes 0.
    ///
    /// - Parameters:
    ///   - value: of any element type.
    ///   - white: the element of full brightness, which becomes 255, such as 1 for images that a model sees; positive.
    /// - Throws: `PictureError` when the shape is not that of a picture, or `white` is not a positive number.
    public init(_ value: TensorValue, white: Float = 255) throws(PictureError) {
        guard value.shape.rank == 2 || value.shape.rank == 3 else {
            throw PictureError(
                .invalidArgument,
                "a tensor \(value.shape) is no picture; expected [height, width, channels]. Take one from a batch"
            )
        }
        guard white > 0, white.isFinite else {
            throw PictureError(
                .invalidArgument, "the element of full brightness is \(white); it must be a positive number")
        }
        let samples: [UInt8]
        if case .uint8(let elements) = value.storage, white == 255 {
            samples = elements
        } else {
            let numbers = white == 255 ? value.floats : value.floats.map { $0 * 255 / white }
            // Not a number is not greater than 0.
            samples = numbers.map { $0 > 0 ? UInt8(min($0.rounded(.toNearestOrEven), 255)) : 0 }
        }
        try self.init(
            height: value.shape[0], width: value.shape[1],
            channels: value.shape.rank == 2 ? 1 : value.shape[2],
            pixels: samples)
    }
}
