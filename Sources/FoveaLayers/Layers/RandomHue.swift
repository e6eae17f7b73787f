import FoveaGraph

/// Moves the colours of images along the colour circle while training, each image by a part of its own. The identity in
/// inference, and for images of one channel.
///
/// Hue, saturation and value stay as they are, but for the hue, which moves by `h / 2` of the circle with `h` drawn from
/// `factor`, one way or the other.
///
/// - Input and output: `[batch, height, width, channels]` with 1 (grey) or 3 channels (red, green, blue).
/// - Throws: `ShapeError` when built, for a factor that is not from 0 to 1, and another number of channels.
public final class RandomHue: SpatialLayer {
    public static let typeName = "RandomHue"
    public let name: String?
    public let factor: ClosedRange<Double>
    public let dataFormat: DataFormat

    /// - Parameters:
    ///   - factor: in halves of the colour circle, 0 to 1. Keras takes a single number `f` for `0...f`.
    ///   - dataFormat: where the channels are.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(
        factor: ClosedRange<Double>, dataFormat: DataFormat = .channelsLast, name: String? = nil
    ) {
        self.factor = factor
        self.dataFormat = dataFormat
        self.name = name
    }

    public func build(images: Shape, in scope: inout BuildScope) throws(ShapeError) {
        try check(RandomFactor(factor), "factor", in: 0...1, images)
        try checkColors(images)
    }

    public func call(images: Tensor) throws(ShapeError) -> Tensor {
        let parts = try RandomFactor(factor).drawn(for: images, rank: 4) * 0.5
        return try .select(
            .isTraining, changed(images, by: parts * .randomSigns(for: images, rank: 4)), images)
    }

    /// - Parameter parts: of the colour circle, `[batch, 1, 1, 1]`; 0 changes nothing.
    func changed(_ images: Tensor, by parts: Tensor) throws(ShapeError) -> Tensor {
        guard images.shape[3] == 3 else { return images }
        let (red, green, blue, value, range) = try images.colors()
        // Grey has no hue, and stays whatever it is taken to be.
        let divisor = try range.orOneForZero()
        // In sixths of the circle, red at 0, green at 2 and blue at 4.
        let hue = try Tensor.select(
            value.equal(red), (green - blue) / divisor,
            .select(value.equal(green), 2 + (blue - red) / divisor, 4 + (red - green) / divisor))
        let moved = try hue + (parts * 6).cast(to: images.dtype)
        let channels = try [Float(0), 2, 4].map { (place) throws(ShapeError) in
            // How far the colour is from that of the channel, along the circle: the channel is full up to one sixth, and
            // there is none of it from two sixths on.
            let ahead = try moved - (place - 3)
            let distance = try (ahead - (ahead * (1 / 6)).unary(.floor) * 6 - 3).unary(.abs)
            return try value - range * Tensor.minimum((distance - 1).relu(), 1)
        }
        return try .concatenate(channels)
    }

    public var configuration: Configuration {
        dataFormat.configuration.with(["factor": RandomFactor(factor).configuration])
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            factor: try configuration.range("factor"), dataFormat: try DataFormat(&configuration), name: name)
    }
}

/// Makes the colours of images stronger or weaker while training, each image by a factor of its own. The identity in
/// inference, and for images of one channel.
///
/// `y = v - (v - x) · min(f / (1 - f), v / (v - m))` with `v` and `m` the largest and the smallest channel of the pixel, all
/// counted from the lower end of the range of values, and `f` drawn from `factor`: 0 makes images grey, 0.5 changes nothing,
/// and 1 makes colours as strong as they get.
///
/// - Input and output: `[batch, height, width, channels]` with 1 (grey) or 3 channels (red, green, blue).
/// - Throws: `ShapeError` when built, for a factor that is not from 0 to 1, an empty range of values, and another number of
///   channels.
public final class RandomSaturation: SpatialLayer {
    public static let typeName = "RandomSaturation"
    public let name: String?
    public let factor: ClosedRange<Double>
    public let valueRange: ClosedRange<Double>
    public let dataFormat: DataFormat

    /// - Parameters:
    ///   - factor: 0 to 1. Keras takes a single number `f` for `0...f`.
    ///   - valueRange: the values that pixels have, `0...255` for bytes that were not scaled. Keras's default is that;
    ///     here images of bytes arrive as numbers from 0 to 1.
    ///   - dataFormat: where the channels are.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(
        factor: ClosedRange<Double>, valueRange: ClosedRange<Double> = 0...1,
        dataFormat: DataFormat = .channelsLast, name: String? = nil
    ) {
        self.factor = factor
        self.valueRange = valueRange
        self.dataFormat = dataFormat
        self.name = name
    }

    public func build(images: Shape, in scope: inout BuildScope) throws(ShapeError) {
        try check(RandomFactor(factor), "factor", in: 0...1, images)
        try checkValueRange(valueRange, images)
        try checkColors(images)
    }

    public func call(images: Tensor) throws(ShapeError) -> Tensor {
        let factors = try RandomFactor(factor).drawn(for: images, rank: 4)
        return try .select(.isTraining, changed(images, by: factors), images)
    }

    /// - Parameter factors: `[batch, 1, 1, 1]`; 0.5 changes nothing.
    func changed(_ images: Tensor, by factors: Tensor) throws(ShapeError) -> Tensor {
        guard images.shape[3] == 3 else { return images }
        // Keras adds this too; stronger than any colour can become.
        let strengths = try (factors / (1 - factors + 1e-7)).cast(to: images.dtype)
        let (_, _, _, value, range) = try images.colors()
        let most = try (value - Float(valueRange.lowerBound)) / range.orOneForZero()
        return try value - (value - images) * .minimum(strengths, most)
    }

    public var configuration: Configuration {
        dataFormat.configuration.with([
            "factor": RandomFactor(factor).configuration,
            "value_range": RandomFactor(valueRange).configuration,
        ])
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            factor: try configuration.range("factor"), valueRange: try configuration.range("value_range"),
            dataFormat: try DataFormat(&configuration), name: name)
    }
}

extension Layer {
    fileprivate func checkColors(_ images: Shape) throws(ShapeError) {
        guard [1, 3].contains(images[3]) else {
            throw error(
                "needs images of one channel (grey) or three (red, green, blue), not of \(images[3])", images)
        }
    }
}

extension Tensor {
    /// The channels of images, the largest of each pixel, and how much larger it is than the smallest.
    fileprivate func colors() throws(ShapeError) -> (
        red: Tensor, green: Tensor, blue: Tensor, value: Tensor, range: Tensor
    ) {
        func channel(_ index: Int) throws(ShapeError) -> Tensor {
            try sliced(starts: [0, 0, 0, index], extents: [shape[0], shape[1], shape[2], 1])
        }
        let (red, green, blue) = (try channel(0), try channel(1), try channel(2))
        let value = try Tensor.maximum(.maximum(red, green), blue)
        let range = try value - .minimum(.minimum(red, green), blue)
        return (red, green, blue, value, range)
    }

    /// What can be divided by, also when gradients are taken.
    fileprivate func orOneForZero() throws(ShapeError) -> Tensor {
        try .select(greater(0), self, .filled(1, shape, dtype))
    }
}
