import FoveaGraph

/// Hides a rectangle of some images while training. The identity in inference.
///
/// An image is changed with a probability drawn from `factor`. Width and height of the rectangle are `√s` of the image's,
/// each with an `s` of its own drawn from `scale`, and its place is drawn among those where it lies inside. A pixel is hidden
/// when its middle is (in Keras, when its upper left corner is, which spares the first row and column).
///
/// - Input and output: `[batch, height, width, channels]`.
/// - Throws: `ShapeError` when built, for a factor or scale that is not from 0 to 1, an empty range of values, and a fill value
///   that is not finite.
///
/// Zhong et al. 2017, "Random erasing data augmentation", arXiv:1708.04896.
public final class RandomErasing: SpatialLayer {
    public static let typeName = "RandomErasing"
    public let name: String?
    public let factor: ClosedRange<Double>
    public let scale: ClosedRange<Double>
    /// What hidden pixels become; noise when nil.
    public let fillValue: Double?
    public let valueRange: ClosedRange<Double>
    public let dataFormat: DataFormat

    /// - Parameters:
    ///   - factor: how many of the images are changed. Keras takes a single number `f` for `0...f`.
    ///   - scale: the part of the image's area that is hidden, where both sides draw the same number.
    ///   - fillValue: what hidden pixels become; when nil, each is drawn from a normal distribution of mean 0 whose standard
    ///     deviation is the range's upper end. Both are kept inside the range of values.
    ///   - valueRange: the values that pixels have, `0...255` for bytes that were not scaled. Keras's default is that;
    ///     here images of bytes arrive as numbers from 0 to 1.
    ///   - dataFormat: where the channels are.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(
        factor: ClosedRange<Double> = 0...1, scale: ClosedRange<Double> = 0.02...0.33,
        fillValue: Double? = nil, valueRange: ClosedRange<Double> = 0...1,
        dataFormat: DataFormat = .channelsLast, name: String? = nil
    ) {
        self.factor = factor
        self.scale = scale
        self.fillValue = fillValue
        self.valueRange = valueRange
        self.dataFormat = dataFormat
        self.name = name
    }

    public func build(images: Shape, in scope: inout BuildScope) throws(ShapeError) {
        try check(RandomFactor(factor), "factor", in: 0...1, images)
        try check(RandomFactor(scale), "scale", in: 0...1, images)
        try checkValueRange(valueRange, images)
        if let fillValue, !Float(fillValue).isFinite {
            throw error("fillValue must be finite, not \(fillValue)", images)
        }
    }

    public func call(images: Tensor) throws(ShapeError) -> Tensor {
        func part() throws(ShapeError) -> Part {
            try Part(
                size: RandomFactor(scale).drawn(for: images, rank: 4).squareRoot(),
                place: RandomFactor(0, 1).drawn(for: images, rank: 4))
        }
        let erased = try erased(images, rows: part(), columns: part())
        let (drawn, probability) = (
            try RandomFactor(0, 1).drawn(for: images, rank: 4),
            try RandomFactor(factor).drawn(for: images, rank: 4)
        )
        let isErased = try Tensor.compare(.less, drawn, probability)
        return try .select(
            .isTraining, .select(isErased.broadcast(to: images.shape), erased, images), images)
    }

    /// Which part of an axis is hidden, each `[batch, 1, 1, 1]`.
    struct Part {
        /// From 0 to 1, of the axis.
        let size: Tensor
        /// From 0 to 1, of what the part's size leaves.
        let place: Tensor

        /// `a` where indices lie in the part, and `b` elsewhere.
        func select(_ a: Tensor, _ b: Tensor, at indices: Tensor, of count: Int) throws(ShapeError) -> Tensor
        {
            let length = try size * Float(count)
            let start = try place * (Float(count) - length) - 0.5
            let isBehindStart = try indices.greaterOrEqual(start).broadcast(to: b.shape)
            let isBeforeEnd = try Tensor.compare(.less, indices, start + length).broadcast(to: b.shape)
            return try .select(isBehindStart, .select(isBeforeEnd, a, b), b)
        }
    }

    func erased(_ images: Tensor, rows: Part, columns: Part) throws(ShapeError) -> Tensor {
        let (height, width) = (images.shape[1], images.shape[2])
        let (low, high) = (Float(valueRange.lowerBound), Float(valueRange.upperBound))
        let fill =
            if let fillValue {
                Tensor.filled(min(max(Float(fillValue), low), high), images.shape, images.dtype)
            } else {
                try Tensor.minimum(.maximum(.randomNormal(images.shape) * high, low), high)
                    .cast(to: images.dtype)
            }
        let row = try Tensor.indices(height).reshaped(to: [1, height, 1, 1])
        let column = try Tensor.indices(width).reshaped(to: [1, 1, width, 1])
        return try rows.select(
            columns.select(fill, images, at: column, of: width), images, at: row, of: height)
    }

    public var configuration: Configuration {
        dataFormat.configuration.with([
            "factor": RandomFactor(factor).configuration, "scale": RandomFactor(scale).configuration,
            "fill_value": fillValue.map { .number($0) } ?? .null,
            "value_range": RandomFactor(valueRange).configuration,
        ])
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            factor: try configuration.range("factor"), scale: try configuration.range("scale"),
            fillValue: try configuration.optionalNumber("fill_value"),
            valueRange: try configuration.range("value_range"), dataFormat: try DataFormat(&configuration),
            name: name)
    }
}
