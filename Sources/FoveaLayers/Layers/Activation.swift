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
