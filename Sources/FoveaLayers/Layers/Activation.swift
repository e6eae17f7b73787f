import FoveaGraph

/// A function of each element (of each last axis, for softmax).
///
/// - Input and output: any shape.
public final class Activation: UnaryLayer {
    public static let typeName = "Activation"
    public let name: String?
    public let function: ActivationFunction

    /// - Parameters:
    ///   - function: what is applied.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(_ function: ActivationFunction, name: String? = nil) {
        self.function = function
        self.name = name
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor { try function(x) }

    public var configuration: Configuration { ["activation": .string(function.rawValue)] }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(try configuration.choice("activation"), name: name)
    }
}

/// `exp(xᵢ) / Σⱼ exp(xⱼ)` over an axis: positive numbers whose sum is 1.
///
/// - Input and output: `[batch, …]`.
/// - Throws: `ShapeError` when the axis is none of an example.
public final class Softmax: UnaryLayer {
    public static let typeName = "Softmax"
    public let name: String?
    public let axis: Int

    /// - Parameters:
    ///   - axis: over which the sums are, -1 for the last; not 0, the batch.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(axis: Int = -1, name: String? = nil) {
        self.axis = axis
        self.name = name
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        try x.softmax(axis: exampleAxis(axis, of: x.shape))
    }

    public var configuration: Configuration { ["axis": .integer(axis)] }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(axis: try configuration.integer("axis"), name: name)
    }
}
