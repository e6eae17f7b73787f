import FoveaGraph

/// A step of a model: it declares parameters when built and makes a graph when called.
///
/// Images are `[batch, height, width, channels]` throughout. Most layers have one input and one output; they conform to
/// `UnaryLayer`, which shows how to write one. A layer with several, such as `Add`, conforms to this protocol itself.
///
/// **Layers made of layers** list these in `namedLayers` and call them. They need no `build`: unless implemented, it calls
/// the layer once, and every layer in `namedLayers` is built when it is reached.
///
/// ```swift
/// /// Two convolutions and a way around them, y = relu(x + f(x)).
/// final class ResidualBlock: UnaryLayer {
///     let name: String?
///     private let first: Conv2D
///     private let second: Conv2D
///
///     init(filters: Int, name: String? = nil) {
///         self.name = name
///         first = Conv2D(filters: filters, kernelSize: 3, padding: .same, activation: .relu)
///         second = Conv2D(filters: filters, kernelSize: 3, padding: .same)
///     }
///
///     var namedLayers: [(name: String, layer: any Layer)] { [("first", first), ("second", second)] }
///
///     func call(_ x: Tensor) throws(ShapeError) -> Tensor { try (x + second(first(x))).relu() }
/// }
/// ```
public protocol Layer: AnyObject, Sendable {
    /// The name of the kind, as in Keras: `Conv2D`. It is shown in summaries and written to files. The name of the type
    /// unless implemented.
    static var typeName: String { get }

    /// The name that the user gave; a model names the others.
    var name: String? { get }

    /// Parameters of the layer itself, in the order in which weight files hold them. None unless implemented.
    var ownParameters: [Parameter] { get }

    /// Layers inside, with their names. None unless implemented.
    var namedLayers: [(name: String, layer: any Layer)] { get }

    /// How many outputs it has. One unless implemented.
    var outputCount: Int { get }

    /// The arguments that make a layer like this one. The model that holds the layer adds its name.
    ///
    /// - Throws: `ConfigurationError` where a file cannot hold the layer, which is so unless implemented.
    var configuration: Configuration { get throws(ConfigurationError) }

    /// Makes a layer from what `configuration` gave, taking each key once. The caller checks that none is
    /// left.
    init(name: String?, configuration: inout ConfigurationReader) throws(ConfigurationError)

    /// Checks the arguments and declares the parameters for inputs of the given shapes, batch axis included. Unless
    /// implemented, it builds the layers inside by calling the layer once.
    ///
    /// - Throws: `ShapeError` when the layer cannot work with its arguments or with those shapes.
    func build(inputs: [Shape], in scope: inout BuildScope) throws(ShapeError)

    /// The layer's outputs for its inputs, as a graph. The layer must have been built.
    func call(_ inputs: [Tensor]) throws(ShapeError) -> [Tensor]
}

extension Layer {
    public static var typeName: String { "\(Self.self)" }
    public var ownParameters: [Parameter] { [] }
    public var namedLayers: [(name: String, layer: any Layer)] { [] }
    public var outputCount: Int { 1 }

    public var configuration: Configuration {
        get throws(ConfigurationError) {
            throw ConfigurationError(
                owner: Self.typeName,
                "a file cannot hold this layer; implement `configuration` and `init(name:configuration:)`, or "
                    + "save weights only")
        }
    }

    public init(name: String?, configuration: inout ConfigurationReader) throws(ConfigurationError) {
        throw ConfigurationError(
            owner: Self.typeName, "it cannot be made from a file; implement `init(name:configuration:)`")
    }

    public func build(inputs: [Shape], in scope: inout BuildScope) throws(ShapeError) {
        try buildLayers(inputs, in: &scope)
    }

    /// Every parameter, in order, with its path from here, such as `conv2d_1/kernel`. One that several layers share comes
    /// once, under its first path.
    public var parameters: [(path: String, parameter: Parameter)] {
        var seen = Set<ObjectIdentifier>()
        return allParameters.filter { seen.insert(ObjectIdentifier($0.parameter)).inserted }
    }

    private var allParameters: [(path: String, parameter: Parameter)] {
        ownParameters.map { ($0.name, $0) }
            + namedLayers.flatMap { name, layer in
                layer.allParameters.map { (path: "\(name)/\($0.path)", parameter: $0.parameter) }
            }
    }

    /// The parameters that training changes.
    public var trainableParameters: [(path: String, parameter: Parameter)] {
        parameters.filter(\.parameter.isTrainable)
    }

    /// How many numbers the parameters have, those of the layers inside included: Keras's `count_params()`. 0 before the build.
    public var parameterCount: Int { parameters.map(\.parameter.elementCount).reduce(0, +) }

    /// How many of these training changes.
    public var trainableParameterCount: Int {
        trainableParameters.map(\.parameter.elementCount).reduce(0, +)
    }

    /// Whether training may change the layer. Setting it is for every parameter, also of the layers inside: false freezes
    /// them, and a frozen `BatchNormalization` works as in inference.
    ///
    /// It takes effect when a model is compiled, as in Keras: what is compiled already, a `Trainer` or a graph, keeps what was
    /// frozen and what was not. In a training loop of one's own that is so once the model has been called.
    public var isTrainable: Bool {
        get { parameters.allSatisfy { !$0.parameter.isFrozen } }
        set { for (_, parameter) in parameters { parameter.isFrozen = !newValue } }
    }

    func error(_ message: String, _ shapes: Shape...) -> ShapeError {
        ShapeError(Self.typeName, message, shapes: shapes)
    }

    /// Class name, name and settings, as models and files hold them.
    func envelope(name: String?) throws(ConfigurationError) -> ConfigurationValue {
        var settings: Configuration
        do { settings = try configuration } catch { throw error.inside(name ?? snakeCase(Self.typeName)) }
        settings["name"] = name.map { .string($0) } ?? .null
        var envelope: Configuration = [
            "class_name": .string(Self.typeName), "config": .object(settings),
        ]
        // Layers inside say it of themselves.
        let frozen = ownParameters.filter(\.isFrozen).map(\.name)
        if !frozen.isEmpty { envelope["frozen"] = .list(frozen.map { .string($0) }) }
        return .object(envelope)
    }
}

/// The layers that files may contain. Pass a longer list to read layers of your own.
public let builtInLayers: [any Layer.Type] = [
    Activation.self, ActivityRegularization.self, AdaptiveAveragePooling1D.self,
    AdaptiveAveragePooling2D.self, AdaptiveMaxPooling1D.self, AdaptiveMaxPooling2D.self, Add.self,
    AlphaDropout.self, Average.self, AveragePooling1D.self, AveragePooling2D.self, BatchNormalization.self,
    CenterCrop.self, Concatenate.self, Conv1D.self, Conv1DTranspose.self, Conv2D.self, Conv2DTranspose.self,
    Cropping1D.self, Cropping2D.self, Dense.self, DepthwiseConv1D.self, DepthwiseConv2D.self, Dot.self,
    Dropout.self, ELU.self, Flatten.self, GaussianDropout.self, GaussianNoise.self,
    GlobalAveragePooling1D.self, GlobalAveragePooling2D.self, GlobalMaxPooling1D.self,
    GlobalMaxPooling2D.self, GroupNormalization.self, Identity.self, LayerNormalization.self, LeakyReLU.self,
    LocalResponseNormalization.self, MaxPooling1D.self, MaxPooling2D.self, Maximum.self, Minimum.self,
    Model.self, Multiply.self, Normalization.self, PReLU.self, Permute.self, RMSNormalization.self,
    RandomBrightness.self, RandomContrast.self, RandomCrop.self, RandomErasing.self, RandomFlip.self,
    RandomHue.self, RandomRotation.self, RandomSaturation.self, RandomShear.self, RandomTranslation.self,
    RandomZoom.self, ReLU.self, RepeatVector.self, Rescaling.self, Reshape.self, Resizing.self,
    SeparableConv1D.self, SeparableConv2D.self, Sequential.self, Softmax.self, SpatialDropout1D.self,
    SpatialDropout2D.self, Subtract.self, UnitNormalization.self, UpSampling1D.self, UpSampling2D.self,
    ZeroPadding1D.self, ZeroPadding2D.self,
]

/// A layer from `{"class_name": …, "config": {"name": …, …}}`.
func makeLayer(
    _ value: ConfigurationValue, layerTypes: [any Layer.Type]
) throws(ConfigurationError) -> any Layer {
    guard case .object(let envelope) = value else {
        throw ConfigurationError(owner: "layer", "expected an object, not \(value.summary)")
    }
    var (className, settings, frozen) = try ConfigurationReader.openedLayer(
        envelope, layerTypes: layerTypes)
    guard let type = layerTypes.first(where: { $0.typeName == className }) else {
        throw settings.unknown("layer", className, among: layerTypes.map { $0.typeName }, key: "class_name")
    }
    let name = try settings.optionalString("name")
    let layer = try type.init(name: name, configuration: &settings)
    try settings.finish()
    for name in frozen {
        guard let parameter = layer.ownParameters.first(where: { $0.name == name }) else {
            throw settings.unknown("parameter", name, among: layer.ownParameters.map(\.name), key: "frozen")
        }
        parameter.isFrozen = true
    }
    return layer
}
