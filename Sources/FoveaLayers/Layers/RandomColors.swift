import FoveaGraph

/// Changes the contrast of images while training, each by a factor of its own: `y = (x - mean) · c + mean` for each channel,
/// with `c` drawn from `1 - lower … 1 + upper`, kept inside the range of values. The identity in inference.
///
/// - Input and output: `[batch, height, width, channels]`.
/// - Throws: `ShapeError` when built, for a factor that is not from 0 to 1, and an empty range of values.
public final class RandomContrast: SpatialLayer {
    public static let typeName = "RandomContrast"
    public let name: String?
    /// How much contrast is taken away at most.
    public let lower: Double
    /// How much contrast is added at most.
    public let upper: Double
    public let valueRange: ClosedRange<Double>
    public let dataFormat: DataFormat

    /// - Parameters:
    ///   - factor: how much contrast is added or taken away at most, 0 to 1.
    ///   - valueRange: the values that pixels have, `0...255` for bytes that were not scaled. Keras's default is that;
    ///     here images of bytes arrive as numbers from 0 to 1.
    ///   - dataFormat: where the channels are.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public convenience init(
        factor: Double, valueRange: ClosedRange<Double> = 0...1, dataFormat: DataFormat = .channelsLast,
        name: String? = nil
    ) {
        self.init(
            lower: factor, upper: factor, valueRange: valueRange, dataFormat: dataFormat, name: name)
    }

    /// - Parameters:
    ///   - lower: how much contrast is taken away at most, 0 to 1.
    ///   - upper: how much contrast is added at most, 0 to 1.
    ///   - valueRange: the values that pixels have, `0...255` for bytes that were not scaled.
    ///   - dataFormat: where the channels are.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(
        lower: Double, upper: Double, valueRange: ClosedRange<Double> = 0...1,
        dataFormat: DataFormat = .channelsLast, name: String? = nil
    ) {
        self.lower = lower
        self.upper = upper
        self.valueRange = valueRange
        self.dataFormat = dataFormat
        self.name = name
    }

    public func build(images: Shape, in scope: inout BuildScope) throws(ShapeError) {
        for (name, value) in [("lower", lower), ("upper", upper)] where !(0...1).contains(value) {
            throw error("the factor's \(name) end must be from 0 to 1, not \(value)", images)
        }
        try checkValueRange(valueRange, images)
    }

    public func call(images: Tensor) throws(ShapeError) -> Tensor {
        let factors = try RandomFactor(1 - lower, 1 + upper).drawn(for: images, rank: 4)
        return try .select(.isTraining, changed(images, by: factors), images)
    }

    /// - Parameter factors: `[batch, 1, 1, 1]`; 1 changes nothing.
    func changed(_ images: Tensor, by factors: Tensor) throws(ShapeError) -> Tensor {
        let mean = try images.mean(axes: [1, 2], keepDims: true)
        return try ((images - mean) * factors.cast(to: images.dtype) + mean).clamped(to: valueRange)
    }

    public var configuration: Configuration {
        dataFormat.configuration.with([
            "factor": [.number(lower), .number(upper)],
            "value_range": RandomFactor(valueRange).configuration,
        ])
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        let factor = try configuration.factor("factor")
        self.init(
            lower: factor.lower, upper: factor.upper,
            valueRange: try configuration.range("value_range"), dataFormat: try DataFormat(&configuration),
            name: name)
    }
}

/// Makes images brighter or darker while training, each by an amount of its own: `y = x + b · (high - low)` with `b` drawn from
/// `factor`, kept inside the range of values `low … high`. The identity in inference.
///
/// - Input and output: `[batch, height, width, channels]`.
/// - Throws: `ShapeError` when built, for a factor that is not from -1 to 1, and an empty range of values.
public final class RandomBrightness: SpatialLayer {
    public static let typeName = "RandomBrightness"
    public let name: String?
    public let factor: RandomFactor
    public let valueRange: ClosedRange<Double>
    public let dataFormat: DataFormat

    /// - Parameters:
    ///   - factor: in parts of the range of values; `0.2` is `[-0.2, 0.2]`. -1 makes all black and 1 all white.
    ///   - valueRange: the values that pixels have, `0...255` for bytes that were not scaled. Keras's default is that;
    ///     here images of bytes arrive as numbers from 0 to 1.
    ///   - dataFormat: where the channels are.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(
        factor: RandomFactor, valueRange: ClosedRange<Double> = 0...1, dataFormat: DataFormat = .channelsLast,
        name: String? = nil
    ) {
        self.factor = factor
        self.valueRange = valueRange
        self.dataFormat = dataFormat
        self.name = name
    }

    public func build(images: Shape, in scope: inout BuildScope) throws(ShapeError) {
        try check(factor, "factor", in: -1...1, images)
        try checkValueRange(valueRange, images)
    }

    public func call(images: Tensor) throws(ShapeError) -> Tensor {
        try .select(.isTraining, changed(images, by: factor.drawn(for: images, rank: 4)), images)
    }

    /// - Parameter factors: `[batch, 1, 1, 1]`; 0 changes nothing.
    func changed(_ images: Tensor, by factors: Tensor) throws(ShapeError) -> Tensor {
        let amounts = try factors * Float(valueRange.upperBound - valueRange.lowerBound)
        return try (images + amounts.cast(to: images.dtype)).clamped(to: valueRange)
    }

    public var configuration: Configuration {
        dataFormat.configuration.with([
            "factor": factor.configuration,
            "value_range": RandomFactor(valueRange).configuration,
        ])
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            factor: try configuration.factor("factor"), valueRange: try configuration.range("value_range"),
            dataFormat: try DataFormat(&configuration), name: name)
    }
}

extension Layer {
    func checkValueRange(_ range: ClosedRange<Double>, _ shape: Shape) throws(ShapeError) {
        let (lower, upper) = (Float(range.lowerBound), Float(range.upperBound))
        guard lower < upper, (upper - lower).isFinite else {
            throw error("valueRange must have two finite ends that differ, not \(lower) and \(upper)", shape)
        }
    }
}

extension ConfigurationReader {
    mutating func range(_ key: String) throws(ConfigurationError) -> ClosedRange<Double> {
        let ends = try factor(key)
        guard ends.lower <= ends.upper else {
            throw ConfigurationError(
                owner: owner, key: key,
                "expected two numbers, the smaller one first, not \(ends.lower) and \(ends.upper)")
        }
        return ends.lower...ends.upper
    }
}

extension Tensor {
    fileprivate func clamped(to range: ClosedRange<Double>) throws(ShapeError) -> Tensor {
        try .minimum(.maximum(self, Float(range.lowerBound)), Float(range.upperBound))
    }
}
