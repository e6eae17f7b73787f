import FoveaFiles
import FoveaGraph
import FoveaLayers

/// Makes of the JSON that Keras writes for a model, in any of its dialects, the configuration of one of Fovea's.
struct KerasReader {
    /// The kinds of layers that may occur beside Fovea's own.
    let customLayers: [any Layer.Type]
    /// Whether the file was written by Keras 2, some of whose functions Keras 3 has under the same names.
    let isKeras2: Bool
    /// One example's shape, where the file leaves extents open.
    let inputShape: Shape?
    /// What stands in for layers that others have as their activation: it goes behind those at these paths, once these have their
    /// weights, whose order in the file knows nothing of it.
    private(set) var activations: [[String]: Configuration] = [:]
    /// The layers that training may not change, by their paths.
    private(set) var frozen: [[String]] = []
    /// What was left out, and does not change what the model computes.
    private(set) var warnings: [String] = []
    /// Layers that do something else in training, by their paths.
    private var modeDependent: [[String]] = []
    /// What Keras calls in inference mode, whatever the model is called in.
    private var calledForInference: [[String]] = []
    private(set) var path: [String] = []
    /// The shape that the outermost model takes.
    var outermostShape: [Int]?

    init(customLayers: [any Layer.Type], isKeras2: Bool, inputShape: Shape? = nil) {
        self.customLayers = customLayers
        self.isKeras2 = isKeras2
        self.inputShape = inputShape
    }

    /// The model of `{"class_name": "Sequential", "config": …}`.
    mutating func model(_ envelope: Configuration) throws(ConfigurationError) -> Configuration {
        let (className, settings) = try contents(of: .object(envelope))
        guard Self.isModel(className, settings) else {
            throw ConfigurationError(
                owner: className,
                "expected a model; Fovea reads Sequential and Functional models, not those with a call of their own; "
                    + "write the weights alone (save_weights), make the model in Swift and use loadWeights(from:)"
            )
        }
        let result = try model(className, settings, name: settings.members?["name"]?.text)
        for path in calledForInference
        where modeDependent.contains(where: { $0.starts(with: path) && !isFrozen($0) }) {
            warn(
                "\(path.joined(separator: "/")) is called with training=False; Fovea lets isTrainable decide: freeze "
                    + "it before training goes on")
        }
        return result
    }

    private func isFrozen(_ path: [String]) -> Bool { frozen.contains { path.starts(with: $0) } }

    private mutating func warn(_ message: String) {
        let place = path.isEmpty ? "" : path.joined(separator: "/") + ": "
        // Bounded, because a file has as many layers as it likes.
        if warnings.count < 20 { warnings.append(place + message) }
    }

    // MARK: Models

    private static func isModel(_ className: String, _ settings: ConfigurationValue) -> Bool {
        if className == "Sequential" { return true }
        guard let members = settings.members else { return false }
        return members["layers"] != nil && members["input_layers"] != nil
    }

    /// - Parameter settings: an object, or of old files a list of layers.
    private mutating func model(
        _ className: String, _ settings: ConfigurationValue, name: String?
    ) throws(ConfigurationError) -> Configuration {
        let config: Configuration
        if className == "Sequential" {
            config = try sequential(settings, name: name)
        } else {
            config = try functional(settings.members ?? [:], name: name)
        }
        return [
            "class_name": .string(className == "Sequential" ? Sequential.typeName : Model.typeName),
            "config": .object(config),
        ]
    }

    private mutating func sequential(
        _ settings: ConfigurationValue, name: String?
    ) throws(ConfigurationError) -> Configuration {
        let members = settings.members ?? [:]
        guard let values = settings.elements ?? members["layers"]?.elements else {
            throw ConfigurationError(owner: "Sequential", key: "layers", "it is missing")
        }
        let first = values.first?.members ?? [:]
        let stated =
            Self.inputShape(first["config"]?.members ?? [:], first["build_config"]?.members)
            ?? members["build_input_shape"] ?? members["batch_input_shape"] ?? .null
        let input = stated.isNull ? .null : try exampleShape(stated, owner: "Sequential")
        var layers: [ConfigurationValue] = []
        for value in values {
            let (className, settings) = try contents(of: value)
            if className == "InputLayer" {
                try checkInput(settings.members ?? [:])
                continue
            }
            layers.append(.object(try layer(className, settings, envelope: value.members ?? [:])))
        }
        return [
            "name": name.map { .string(Self.name($0)) } ?? .null, "layers": .list(layers),
            "build_input_shape": input,
        ]
    }

    // MARK: Layers

    /// The name of the class, with what it is made of: an object, or of old Sequential models a list.
    func contents(
        of value: ConfigurationValue
    ) throws(ConfigurationError) -> (className: String, settings: ConfigurationValue) {
        guard let members = value.members, let name = members["class_name"]?.text else {
            throw ConfigurationError(owner: "layer", key: "class_name", "it is missing")
        }
        return (name, members["config"] ?? [:])
    }

    /// Fovea's names have no slashes.
    static func name(_ name: String) -> String { name.replacing("/", with: "_") }

    /// A layer or a model inside, as Fovea's configuration.
    mutating func layer(
        _ className: String, _ settings: ConfigurationValue, envelope: Configuration
    ) throws(ConfigurationError) -> Configuration {
        let members = settings.members ?? [:]
        let name = (members["name"] ?? envelope["name"])?.text.map(Self.name)
        path.append(name ?? className)
        defer { path.removeLast() }
        if members["trainable"] == false || envelope["trainable"] == false { frozen.append(path) }
        if Self.isModel(className, settings) { return try model(className, settings, name: name) }
        do {
            let plain = try withoutActivationLayer(members, className, name)
            var result = try plainLayer(className, plain, envelope)
            result["name"] = name.map { .string($0) } ?? .null
            return ["class_name": .string(foveaName(className, result)), "config": .object(result)]
        } catch { throw name.map { error.inside($0) } ?? error }
    }

    /// The settings of a layer whose activation is a function at most; an activation that is a layer is kept for later.
    private mutating func withoutActivationLayer(
        _ settings: Configuration, _ className: String, _ name: String?
    ) throws(ConfigurationError) -> Configuration {
        guard let value = settings["activation"], let object = value.members,
            !customLayers.contains(where: { $0.typeName == className })
        else { return settings }
        try checkOrigin(object["class_name"]?.text ?? className, object)
        guard case .layer(let kind, let ofActivation) = try KerasActivation(value, owner: className) else {
            return settings
        }
        var config = try plainLayer(kind, ofActivation, object)
        config["name"] = name.map { .string($0 + "_activation") } ?? .null
        activations[path] = ["class_name": .string(kind), "config": .object(config)]
        var settings = settings
        settings["activation"] = .string(ActivationFunction.linear.rawValue)
        return settings
    }

    private mutating func plainLayer(
        _ className: String, _ settings: Configuration, _ envelope: Configuration
    ) throws(ConfigurationError) -> Configuration {
        try checkOrigin(className, envelope)
        try checkPolicy(settings["dtype"], className)
        if customLayers.contains(where: { $0.typeName == className }) {
            return settings.filter { !KerasLayerKind.common.contains($0.key) }
        }
        guard let kind = kerasLayerKinds[className] else {
            if className == "Lambda" {
                throw ConfigurationError(
                    owner: className,
                    "it holds Python code, which Fovea does not run; replace it in Keras by layers, or make the model in "
                        + "Swift with a layer of your own and use loadWeights(from:)")
            }
            throw ConfigurationError(
                owner: className,
                "Fovea has no such layer; replace it in Keras, or write a layer of that name in Swift and give it in "
                    + "customTypes")
        }
        if isKeras2, settings["activation"] == "hard_sigmoid" {
            throw ConfigurationError(
                owner: className, key: "activation",
                "Keras 2's hard_sigmoid, min(max(0.2·x + 0.5, 0), 1), is another than Keras 3's and Fovea's")
        }
        if ["BatchNormalization", "Dropout"].contains(className)
            || className.hasPrefix("Random") || className.hasSuffix("Noise")
            || className.contains("Dropout")
        {
            modeDependent.append(path)
        }
        var told: [String] = []
        let result =
            className == "Normalization"
            ? try normalization(kind, settings) : try kind.fovea(settings) { told.append($0) }
        for message in told { warn(message) }
        return result
    }

    /// Where Keras keeps mean and variance among the weights, a layer stands in until these are there.
    private func normalization(
        _ kind: KerasLayerKind, _ settings: Configuration
    ) throws(ConfigurationError) -> Configuration {
        var settings = settings
        // An axis for each number, or none when one number serves all.
        let axes = settings["axis"]?.elements ?? settings["axis"].map { [$0] } ?? [.integer(-1)]
        let servesAll = axes.isEmpty || axes == [.null]
        settings["axis"] = servesAll ? .integer(-1) : .list(axes)
        for key in ["mean", "variance"] {
            // What was given for broadcasting is nested: [[[m]]].
            while let inner = settings[key]?.elements, inner.count == 1, inner[0].elements != nil {
                settings[key] = inner[0]
            }
            if settings[key]?.double != nil { settings[key] = settings[key].map { [$0] } }
        }
        let isAdapted = settings["mean"] ?? .null == .null
        if isAdapted { (settings["mean"], settings["variance"]) = ([], []) }
        var result = try kind.fovea(settings) { _ in }
        if isAdapted {
            (result["mean"], result["variance"]) = (nil, nil)
            result["serves_all"] = .bool(servesAll)
        }
        return result
    }

    private func foveaName(_ className: String, _ settings: Configuration) -> String {
        settings["serves_all"] == nil ? className : AdaptedNormalization.typeName
    }

    /// - Throws: `ConfigurationError` for a class of another package that only has the name of one of Keras's.
    private func checkOrigin(_ className: String, _ envelope: Configuration) throws(ConfigurationError) {
        guard let module = envelope["module"]?.text,
            !customLayers.contains(where: { $0.typeName == className })
        else { return }
        let packages = ["keras", "tf_keras", "tensorflow"]
        // `a + b` is an operation, which does what the layer of its name does.
        let operations = ["Add", "Subtract", "Multiply", "Maximum", "Minimum"]
        guard packages.contains(where: { module == $0 || module.hasPrefix($0 + ".") }),
            !module.contains(".ops") || operations.contains(className)
        else {
            throw ConfigurationError(
                owner: className,
                "it is none of Keras's layers but comes from \(quoted(module)); replace it in Keras, or write a layer of "
                    + "that name in Swift and give it in customTypes")
        }
    }

    /// - Throws: `ConfigurationError` for computations in types that Fovea's layers do not have.
    private mutating func checkPolicy(
        _ value: ConfigurationValue?, _ className: String
    ) throws(ConfigurationError) {
        guard let value, !value.isNull else { return }
        let name = value.text ?? value.members?["config"]?.members?["name"]?.text
        switch name {
        case "float32": return
        case "mixed_bfloat16", "mixed_float16":
            let message =
                "the policy \(name ?? "") is left out: say the precision when training or predicting"
            if !warnings.contains(message) { warnings.append(message) }
        default:
            throw ConfigurationError(
                owner: className, key: "dtype",
                "Fovea's layers have float32 parameters, not \(name.map { quoted($0) } ?? value.shown)")
        }
    }

    // MARK: Calls

    /// The path of a layer that is called in inference mode.
    mutating func noteInferenceCall(of name: String) { calledForInference.append(path + [name]) }
}
