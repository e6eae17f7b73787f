import FoveaFiles
import FoveaGraph
import FoveaLayers

/// In which of its ways of writing Keras's JSON is written.
enum KerasDialect: Sendable {
    /// Of `.keras` files.
    case keras3
    /// Of `.h5` files, in the words that both Keras 3 and Keras 2 (tf_keras) understand.
    case legacy
}

/// Makes of a model the JSON that Keras would write for it.
struct KerasWriter {
    let dialect: KerasDialect
    /// What Keras cannot be told, and does not change what the model computes.
    private(set) var warnings: [String] = []

    init(_ dialect: KerasDialect) { self.dialect = dialect }

    /// A model as `{"class_name": …, "config": …}`.
    ///
    /// - Throws: `ConfigurationError` when it has a layer that Keras has not.
    mutating func model(_ model: any ModelProtocol) throws(ConfigurationError) -> Configuration {
        try envelope(of: model, name: model.displayName, path: [])
    }

    private mutating func envelope(
        of model: any ModelProtocol, name: String, path: [String]
    ) throws(ConfigurationError) -> Configuration {
        var config: Configuration
        do {
            config =
                model is Sequential
                ? try sequential(model, path) : try functional(model, path)
        } catch { throw error.inside(name) }
        config["name"] = .string(name)
        config["trainable"] = true
        var envelope: Configuration = [
            "class_name": .string(model.kerasClassName), "config": .object(config),
        ]
        if dialect == .keras3 {
            envelope["module"] = model is Sequential ? "keras" : "keras.src.models.functional"
            envelope["registered_name"] = .string(model.kerasClassName)
        }
        return envelope
    }

    // MARK: Models

    private mutating func sequential(
        _ model: any ModelProtocol, _ path: [String]
    ) throws(ConfigurationError) -> Configuration {
        var layers: [ConfigurationValue] = []
        // Keras 2 counts the calls of a model inside otherwise when that knows its input.
        if let input = model.modelInputs.first, dialect == .keras3 || path.isEmpty {
            var name = "input_layer"
            while model.namedLayers.contains(where: { $0.name == name }) { name += "_" }
            layers.append(.object(self.input(name, input.shape)))
        }
        for (name, layer) in model.namedLayers {
            layers.append(.object(try self.layer(layer, name: name, path: path)))
        }
        return ["layers": .list(layers)]
    }

    private mutating func functional(
        _ model: any ModelProtocol, _ path: [String]
    ) throws(ConfigurationError) -> Configuration {
        let calls = model.calls
        guard !calls.isEmpty else {
            throw ConfigurationError(owner: Model.typeName, "it has no shapes yet; build it first")
        }
        let places = KerasPlaces(model, dialect)
        var layers: [ConfigurationValue] = []
        for input in model.modelInputs {
            var layer = self.input(input.name, input.shape)
            layer["name"] = .string(input.name)
            layer["inbound_nodes"] = []
            layers.append(.object(layer))
        }
        for (name, layer) in model.kerasLayers {
            var value = try self.layer(layer, name: name, path: path)
            value["name"] = .string(name)
            value["inbound_nodes"] = .list(try places.nodes(ofLayer: name))
            layers.append(.object(value))
        }
        func list(_ outputs: [LayerOutput]) -> ConfigurationValue {
            let references = outputs.map { places.reference(to: $0) }
            return dialect == .keras3 && references.count == 1 ? references[0] : .list(references)
        }
        return [
            "layers": .list(layers), "input_layers": list(model.inputs), "output_layers": list(model.outputs),
        ]
    }

    private func input(_ name: String, _ shape: Shape) -> Configuration {
        object(
            "InputLayer", module: "keras.layers",
            [
                dialect == .keras3 ? "batch_shape" : "batch_input_shape": shape.configuration,
                "dtype": "float32",
                "name": .string(name),
            ])
    }

    private func object(_ className: String, module: String, _ config: Configuration) -> Configuration {
        var object: Configuration = ["class_name": .string(className), "config": .object(config)]
        if dialect == .keras3 {
            object["module"] = .string(module)
            object["registered_name"] = .null
        }
        return object
    }

    // MARK: Layers

    private mutating func layer(
        _ layer: any Layer, name: String, path: [String]
    ) throws(ConfigurationError) -> Configuration {
        if let model = layer as? any ModelProtocol {
            return try envelope(of: model, name: name, path: path + [name])
        }
        let className = type(of: layer).typeName
        do throws(ConfigurationError) {
            guard let kind = kerasLayerKinds[className] else {
                throw ConfigurationError(
                    owner: className,
                    "Keras has no such layer; write .safetensors, which keeps everything, or .onnx")
            }
            var config = try kind.keras(layer.configuration, dialect: dialect)
            config["name"] = .string(name)
            config["dtype"] = "float32"
            // Some layers take no such argument, and none that could be frozen.
            if !isTrainable(layer, (path + [name]).joined(separator: "/")) { config["trainable"] = false }
            if dialect == .legacy, config["activation"] == "hard_sigmoid" {
                warnings.append(
                    "\(name): hard_sigmoid is another function in Keras 2 (tf_keras), which computes other results"
                )
            }
            return object(className, module: "keras.layers", config)
        } catch { throw error.inside(name) }
    }

    private mutating func isTrainable(_ layer: any Layer, _ path: String) -> Bool {
        let parameters = layer.parameters.map(\.parameter)
        let frozen = parameters.filter(\.isFrozen).count
        if frozen > 0, frozen < parameters.count {
            warnings.append(
                "\(path): Keras freezes layers, not single parameters; it is written as trainable")
        }
        return frozen == 0 || frozen < parameters.count
    }
}

/// How calls of a model's layers are numbered in Keras's files.
private struct KerasPlaces {
    private let dialect: KerasDialect
    private let calls: [ModelCall]
    /// What a value comes from: the layer's name, the number of the call among the layer's, and that of the output.
    private var origins: [LayerOutput: (layer: String, call: Int, output: Int, shape: Shape)] = [:]
    private var countingOwnCall: Set<String> = []

    init(_ model: any ModelProtocol, _ dialect: KerasDialect) {
        self.dialect = dialect
        calls = model.calls
        for (output, input) in zip(model.inputs, model.modelInputs) {
            let shape = Shape([Shape.batch] + input.shape.dimensions)
            origins[output] = (input.name, 0, 0, shape)
        }
        var counts: [String: Int] = [:]
        for call in calls {
            let number = counts[call.layerName, default: 0]
            counts[call.layerName] = number + 1
            for (index, output) in call.outputs.enumerated() {
                origins[output] = (call.layerName, number, index, call.outputShapes[index])
            }
            // Keras 2 counts the call inside a model, Keras 3 does not. Files for both list its one call twice, so that number
            // 1 is there for either.
            if dialect == .legacy, call.layer is Model { countingOwnCall.insert(call.layerName) }
        }
    }

    func reference(to output: LayerOutput) -> ConfigurationValue {
        guard let origin = origins[output] else { return .null }
        let call = countingOwnCall.contains(origin.layer) ? 1 : origin.call
        return [.string(origin.layer), .integer(call), .integer(origin.output)]
    }

    /// The calls of a layer.
    func nodes(ofLayer name: String) throws(ConfigurationError) -> [ConfigurationValue] {
        let own = calls.filter { $0.layerName == name }
        let nodes = own.map { call -> ConfigurationValue in
            switch dialect {
            case .keras3:
                let tensors = call.inputs.map(tensor)
                return [
                    "args": tensors.count == 1 ? .list(tensors) : [.list(tensors)], "kwargs": [:],
                ]
            case .legacy:
                return .list(
                    call.inputs.map { .list((reference(to: $0).elements ?? []) + [.object([:])]) })
            }
        }
        guard countingOwnCall.contains(name) else { return nodes }
        guard nodes.count == 1 else {
            throw ConfigurationError(
                owner: Model.typeName,
                "a model inside that is called \(nodes.count) times cannot be in a .h5 file that all versions of Keras "
                    + "read; write .keras"
            ).inside(name)
        }
        return nodes + nodes
    }

    private func tensor(_ output: LayerOutput) -> ConfigurationValue {
        let shape = Shape(Array((origins[output]?.shape ?? []).dimensions.dropFirst()))
        return [
            "class_name": "__keras_tensor__",
            "config": [
                "shape": shape.configuration, "dtype": "float32", "keras_history": reference(to: output),
            ],
        ]
    }
}
