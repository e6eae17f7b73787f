import FoveaGraph

/// Sets a random part of its input to what SELU gives for large negative numbers while training, and scales and shifts all:
/// inputs of mean 0 and variance 1 keep these. `y = a · (x where a number drawn from [0, 1) is at least rate, else α') + b`
/// with `α' = -1.7581`, `a = ((1 - rate) · (1 + rate · α'²))^(-1/2)` and `b = -a · rate · α'`. The identity in inference.
/// Klambauer et al. 2017, arXiv:1706.02515; for networks whose activations are `.selu`.
///
/// - Input and output: any shape.
/// - Throws: `ShapeError` for a rate outside `0..<1`.
public final class AlphaDropout: UnaryLayer {
    public static let typeName = "AlphaDropout"
    public let name: String?
    public let rate: Double

    /// - Parameters:
    ///   - rate: the part that is replaced, from 0 up to but not including 1.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(rate: Double, name: String? = nil) {
        self.rate = rate
        self.name = name
    }

    public func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {
        try checkRate(rate, input)
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        if Float(rate) == 0 { return x }
        // The limit of SELU: minus the product of its two constants.
        let limit = -1.758_099_340_847_376_6
        let factor = 1 / ((1 - rate) * (1 + rate * limit * limit)).squareRoot()
        let isKept = try Tensor.randomUniform(x.shape).greaterOrEqual(Float(rate))
        let mixed = try Tensor.select(isKept, x, .filled(Float(limit), x.shape, x.dtype))
        return try .select(.isTraining, mixed * Float(factor) - Float(factor * rate * limit), x)
    }

    public var configuration: Configuration { ["rate": .number(rate)] }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(rate: try configuration.number("rate"), name: name)
    }
}
