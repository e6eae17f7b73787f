import FoveaGraph

/// Adds noise while training: `y = x + stddev · n` with `n` drawn from the normal distribution. The identity in inference.
///
/// - Input and output: any shape.
/// - Throws: `ShapeError` when the deviation is negative or not finite.
public final class GaussianNoise: UnaryLayer {
    public static let typeName = "GaussianNoise"
    public let name: String?
    public let stddev: Double

    /// - Parameters:
    ///   - stddev: the standard deviation of the noise, in the units of the input.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(stddev: Double, name: String? = nil) {
        self.stddev = stddev
        self.name = name
    }

    public func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {
        try checkNotNegative(stddev, "stddev", input)
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        try .select(.isTraining, x + Tensor.randomNormal(x.shape) * Float(stddev), x)
    }

    public var configuration: Configuration { ["stddev": .number(stddev)] }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(stddev: try configuration.number("stddev"), name: name)
    }
}

/// Multiplies with noise of mean 1 while training: `y = x · (1 + n · √(rate / (1 - rate)))` with `n` drawn from the normal
/// distribution, so that mean and variance are those of `Dropout`. The identity in inference. Srivastava et al. 2014,
/// "Dropout: a simple way to prevent neural networks from overfitting", section 10.
///
/// - Input and output: any shape.
/// - Throws: `ShapeError` for a rate outside `0..<1`.
public final class GaussianDropout: UnaryLayer {
    public static let typeName = "GaussianDropout"
    public let name: String?
    public let rate: Double

    /// - Parameters:
    ///   - rate: that of the `Dropout` with this variance, from 0 up to but not including 1.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(rate: Double, name: String? = nil) {
        self.rate = rate
        self.name = name
    }

    public func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {
        try checkRate(rate, input)
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        let deviation = Float((rate / (1 - rate)).squareRoot())
        return try .select(.isTraining, x * (Tensor.randomNormal(x.shape) * deviation + 1), x)
    }

    public var configuration: Configuration { ["rate": .number(rate)] }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(rate: try configuration.number("rate"), name: name)
    }
}
