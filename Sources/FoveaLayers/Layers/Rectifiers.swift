import FoveaGraph

/// The rectifier, `max(x, 0)`, with a ceiling, a slope and a threshold where asked for:
///
/// - `maxValue` where `x ≥ maxValue`,
/// - `x` where `threshold < x < maxValue`,
/// - `negativeSlope · (x - threshold)` elsewhere.
///
/// Nair and Hinton 2010, "Rectified linear units improve restricted Boltzmann machines".
///
/// - Input and output: any shape.
/// - Throws: `ShapeError` when a setting is negative or not finite.
public final class ReLU: UnaryLayer {
    public static let typeName = "ReLU"
    public let name: String?
    public let maxValue: Double?
    public let negativeSlope: Double
    public let threshold: Double

    /// - Parameters:
    ///   - maxValue: the largest output; none when nil.
    ///   - negativeSlope: the slope below the threshold.
    ///   - threshold: above which the input passes.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(
        maxValue: Double? = nil, negativeSlope: Double = 0, threshold: Double = 0, name: String? = nil
    ) {
        self.maxValue = maxValue
        self.negativeSlope = negativeSlope
        self.threshold = threshold
        self.name = name
    }

    public func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {
        for (what, setting) in [
            ("maxValue", maxValue ?? 0), ("negativeSlope", negativeSlope), ("threshold", threshold),
        ] where !(setting >= 0 && Float(setting).isFinite) {
            throw error("\(what) must be finite and not negative, not \(setting)", input)
        }
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        let y =
            negativeSlope == 0 && threshold == 0
            ? try x.relu()
            : try .select(
                x.greater(Float(threshold)), x, (x - Float(threshold)) * Float(negativeSlope))
        return try maxValue.map { limit throws(ShapeError) in try .minimum(y, Float(limit)) } ?? y
    }

    public var configuration: Configuration {
        [
            "max_value": maxValue.map { .number($0) } ?? .null, "negative_slope": .number(negativeSlope),
            "threshold": .number(threshold),
        ]
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            maxValue: try configuration.optionalNumber("max_value"),
            negativeSlope: try configuration.number("negative_slope"),
            threshold: try configuration.number("threshold"), name: name)
    }
}
