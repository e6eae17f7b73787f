import FoveaGraph

/// Its input, unchanged: `y = x`. A place in a model that has a name, or a layer for a branch that has none.
///
/// - Input and output: any shape.
public final class Identity: UnaryLayer {
    public static let typeName = "Identity"
    public let name: String?

    /// - Parameter name: the layer's name in its model; chosen by the model when nil.
    public init(name: String? = nil) { self.name = name }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor { x }

    public var configuration: Configuration { [:] }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(name: name)
    }
}
