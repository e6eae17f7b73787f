import FoveaGraph

/// A layer with one input and one output. One of your own is a final class with constant properties:
///
/// ```swift
/// /// Per-channel learned scale, y = x · gamma (Touvron et al. 2021, arXiv:2103.17239).
/// final class LayerScale: UnaryLayer {
///     let name: String?
///     let gamma: Parameter
///     var ownParameters: [Parameter] { [gamma] }
///     private let initialValue: Double
///
///     init(initialValue: Double = 1e-5, name: String? = nil) {
///         self.initialValue = initialValue
///         self.name = name
///         gamma = Parameter("gamma", initializer: .constant(initialValue))
///     }
///
///     func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {
///         try gamma.declare(shape: [input.channels], in: &scope)
///     }
///
///     func call(_ x: Tensor) throws(ShapeError) -> Tensor { try x * gamma.tensor }
///
///     // These two are needed only to save the model with its architecture.
///     var configuration: Configuration { ["initial_value": .number(initialValue)] }
///
///     convenience init(name: String?, configuration: inout ConfigurationReader) throws(ConfigurationError) {
///         self.init(initialValue: try configuration.number("initial_value"), name: name)
///     }
/// }
/// ```
public protocol UnaryLayer: Layer {
    /// Checks the arguments and declares the parameters for inputs of the given shape, batch axis included. Unless
    /// implemented, it builds the layers inside by calling the layer once.
    ///
    /// - Throws: `ShapeError` when the layer cannot work with its arguments or with that shape.
    func build(input: Shape, in scope: inout BuildScope) throws(ShapeError)

    /// The layer's output for an input, as a graph. The layer must have been built.
    func call(_ x: Tensor) throws(ShapeError) -> Tensor
}

extension UnaryLayer {
    public func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {
        try buildLayers([input], in: &scope)
    }

    public func build(inputs: [Shape], in scope: inout BuildScope) throws(ShapeError) {
        try build(input: try single(inputs, shapes: inputs), in: &scope)
    }

    public func call(_ inputs: [Tensor]) throws(ShapeError) -> [Tensor] {
        [try call(try single(inputs, shapes: inputs.map(\.shape)))]
    }

    private func single<Element>(_ inputs: [Element], shapes: [Shape]) throws(ShapeError) -> Element {
        guard inputs.count == 1 else {
            throw ShapeError(
                Self.typeName,
                "it has one input, not \(inputs.count); join them first, with Add or Concatenate",
                shapes: shapes)
        }
        return inputs[0]
    }
}
