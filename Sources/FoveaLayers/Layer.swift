import FoveaGraph

/// A step of a model: it declares parameters when built and makes a graph when called.
///
/// Images are `[batch, height, width, channels]` throughout. A layer of your own is a final class with
/// constant properties:
///
/// ```swift
/// /// Per-channel learned scale, y = x · gamma (Touvron et al. 2021, arXiv:2103.17239).
/// final class LayerScale: Layer {
///     static let typeName = "LayerScale"
///     let name: String?
///     let gamma: Parameter
///     var ownParameters: [Parameter] { [gamma] }
///     var configuration: Configuration { ["initial_value": .number(initialValue)] }
///     private let initialValue: Double
///
///     init(initialValue: Double = 1e-5, name: String? = nil) {
///         self.initialValue = initialValue
///         self.name = name
///         gamma = Parameter("gamma", initializer: .constant(initialValue))
///     }
///
///     convenience init(name: String?, configuration: inout ConfigurationReader) throws(ConfigurationError) {
///         self.init(initialValue: try configuration.number("initial_value"), name: name)
///     }
///
///     func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {
///         try gamma.declare(shape: [input.channels], in: &scope)
///     }
///
///     func call(_ x: Tensor) throws(ShapeError) -> Tensor { try x * gamma.tensor }
/// }
/// ```
public protocol Layer: AnyObject, Sendable {
    /// The name of the kind, as in Keras: `Conv2D`. It is shown in summaries and written to files.
    static var typeName: String { get }

    /// The name that the user gave; a model names the others.
    var name: String? { get }

    /// Parameters of the layer itself, in the order in which weight files hold them. None unless implemented.
    var ownParameters: [Parameter] { get }

    /// Layers inside, with their names. None unless implemented.
    var namedLayers: [(name: String, layer: any Layer)] { get }

    /// The arguments that make a layer like this one. The model that holds the layer adds its name.
    var configuration: Configuration { get }

    /// Makes a layer from what `configuration` gave, taking each key once. The caller checks that none is
    /// left.
    init(name: String?, configuration: inout ConfigurationReader) throws(ConfigurationError)

    /// Checks the arguments and declares the parameters for inputs of the given shape, batch axis included.
    /// Does nothing unless implemented.
    ///
    /// - Throws: `ShapeError` when the layer cannot work with its arguments or with that shape.
    func build(input: Shape, in scope: inout BuildScope) throws(ShapeError)

    /// The layer's output for an input, as a graph. The layer must have been built.
    func call(_ x: Tensor) throws(ShapeError) -> Tensor
}

extension Layer {
    public var ownParameters: [Parameter] { [] }
    public var namedLayers: [(name: String, layer: any Layer)] { [] }
    public func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {}

    /// Every parameter, in order, with its path from here, such as `conv2d_1/kernel`.
    public var parameters: [(path: String, parameter: Parameter)] {
        ownParameters.map { ($0.name, $0) }
            + namedLayers.flatMap { name, layer in
                layer.parameters.map { (path: "\(name)/\($0.path)", parameter: $0.parameter) }
            }
    }

    /// The parameters that training changes.
    public var trainableParameters: [(path: String, parameter: Parameter)] {
        parameters.filter(\.parameter.isTrainable)
    }

    func error(_ message: String, _ shapes: Shape...) -> ShapeError {
        ShapeError(Self.typeName, message, shapes: shapes)
    }

    /// Class name, name and settings, as models and files hold them.
    func envelope(name: String?) -> ConfigurationValue {
        var settings = configuration
        settings["name"] = name.map { .string($0) } ?? .null
        return ["class_name": .string(Self.typeName), "config": .object(settings)]
    }
}

/// The layers that files may contain. Pass a longer list to read layers of your own.
public let builtInLayers: [any Layer.Type] = [
    Activation.self, AveragePooling2D.self, Conv2D.self, Dense.self, Dropout.self, Flatten.self,
    GlobalAveragePooling2D.self, MaxPooling2D.self, Reshape.self, Sequential.self,
]

/// A layer from `{"class_name": …, "config": {"name": …, …}}`.
func makeLayer(
    _ value: ConfigurationValue, layerTypes: [any Layer.Type]
) throws(ConfigurationError) -> any Layer {
    guard case .object(let envelope) = value else {
        throw ConfigurationError(owner: "layer", "expected an object, not \(value.summary)")
    }
    var (className, settings) = try ConfigurationReader.opened(
        envelope, owner: "layer", layerTypes: layerTypes)
    guard let type = layerTypes.first(where: { $0.typeName == className }) else {
        throw settings.unknown("layer", className, among: layerTypes.map { $0.typeName }, key: "class_name")
    }
    let name = try settings.optionalString("name")
    let layer = try type.init(name: name, configuration: &settings)
    try settings.finish()
    return layer
}
