import FoveaGraph

/// Sets a random part of its input to zero while training and scales the rest, so that sums stay the same on
/// average: `y = x / (1 - rate)` where a number drawn from `[0, 1)` is at least `rate`, else 0. The identity
/// in inference.
///
/// Srivastava et al. 2014, "Dropout: a simple way to prevent neural networks from overfitting" (in the form
/// that scales while training).
///
/// - Input and output: any shape.
public final class Dropout: UnaryLayer {
    public static let typeName = "Dropout"
    public let name: String?
    public let rate: Double

    /// - Parameters:
    ///   - rate: the part set to zero, from 0 up to but not including 1.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(rate: Double, name: String? = nil) {
        self.rate = rate
        self.name = name
    }

    public func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {
        // Checked as the float32 that the graph holds: 0.99999999999 would be 1 there.
        guard (0..<1).contains(Float(rate)) else {
            throw error("rate must be at least 0 and less than 1, not \(rate)", input)
        }
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        let rate = Float(rate)
        if rate == 0 { return x }
        let isKept = try Tensor.randomUniform(x.shape).greaterOrEqual(rate)
        let dropped = try Tensor.select(isKept, x * (1 / (1 - rate)), .filled(0, x.shape, x.dtype))
        return try .select(.isTraining, dropped, x)
    }

    public var configuration: Configuration { ["rate": .number(rate)] }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(rate: try configuration.number("rate"), name: name)
    }
}
