import FoveaLayers

/// What a layer of Keras's has as its `activation`: a function, or a layer in the place of one.
enum KerasActivation {
    case function(ActivationFunction)
    /// One that no function of Fovea's equals.
    case layer(className: String, settings: Configuration)

    /// The layers that have no weights and so can be moved behind the one that they belong to.
    private static let layers = ["ReLU", "LeakyReLU", "ELU", "Softmax"]

    private static let aliases = ["swish": "silu", "hard_swish": "hard_silu"]

    init(_ value: ConfigurationValue, owner: String) throws(ConfigurationError) {
        if value.isNull {
            self = .function(.linear)
            return
        }
        let members = value.members ?? [:]
        let settings = members["config"]?.members ?? [:]
        let className = members["class_name"]?.text
        if className == "Activation" {
            self = try KerasActivation(settings["activation"] ?? .null, owner: owner)
            return
        }
        // A function that was given itself: `{"class_name": "function", "config": "relu"}`.
        let name = className == "function" ? members["config"]?.text : value.text
        if let name, let function = ActivationFunction(rawValue: Self.aliases[name] ?? name),
            function != .geluTanh
        {
            self = .function(function)
            return
        }
        guard let className, Self.layers.contains(className), let kind = kerasLayerKinds[className] else {
            throw ConfigurationError(
                owner: owner, key: "activation",
                className == "PReLU"
                    ? "the layer PReLU has weights, which Fovea reads of layers of their own only; put it behind the layer in "
                        + "Keras"
                    : "Fovea has no activation function \(value.shown); it has "
                        + ActivationFunction.allCases.map(\.rawValue).joined(separator: ", "))
        }
        let own = try kind.fovea(settings) { _ in }
        self =
            Self.function(className, own).map { .function($0) }
            ?? .layer(className: className, settings: settings)
    }

    /// The function that a layer with these settings is; they are Fovea's.
    private static func function(_ className: String, _ settings: Configuration) -> ActivationFunction? {
        func number(_ key: String) -> Double? { settings[key]?.double.map(decimal) }
        switch className {
        case "ReLU" where number("threshold") == 0:
            switch (number("max_value"), number("negative_slope")) {
            case (nil, 0): return .relu
            case (6, 0): return .relu6
            case (nil, 0.2): return .leakyRelu
            default: return nil
            }
        case "LeakyReLU": return number("negative_slope") == 0.2 ? .leakyRelu : nil
        case "ELU": return number("alpha") == 1 ? .elu : nil
        case "Softmax": return settings["axis"] == .integer(-1) ? .softmax : nil
        default: return nil
        }
    }
}

extension Configuration {
    /// A model's configuration with a layer behind each call of those at some paths.
    ///
    /// - Parameters:
    ///   - layers: the layers to be put in, by the paths of those in front of them.
    ///   - path: the model's own.
    func inserting(_ layers: [[String]: Configuration], path: [String] = []) -> Configuration {
        guard !layers.isEmpty, var config = self["config"]?.members, let own = config["layers"]?.elements
        else { return self }
        var all: [ConfigurationValue] = []
        /// Where each layer is now, and what was put behind it.
        var places: [(layer: Int, behind: Int?)] = []
        for value in own {
            let layer = value.members ?? [:]
            let layerPath = path + [layer["config"]?.members?["name"]?.text ?? ""]
            places.append((all.count, nil))
            all.append(.object(layer.inserting(layers, path: layerPath)))
            if let behind = layers[layerPath] {
                places[places.count - 1].behind = all.count
                all.append(.object(behind))
            }
        }
        config["layers"] = .list(all)
        if let calls = config["calls"]?.elements {
            // Inputs and calls are numbered in one row.
            var numbers = Array(0..<(config["inputs"]?.elements?.count ?? 0))
            var newCalls: [ConfigurationValue] = []
            let inputCount = numbers.count
            func moved(_ values: ConfigurationValue?) -> ConfigurationValue {
                .list(
                    (values?.elements ?? []).map { value in
                        guard let place = value.integers, place.count == 2, numbers.indices.contains(place[0])
                        else { return value }
                        return .integers([numbers[place[0]], place[1]])
                    })
            }
            for value in calls {
                guard let call = value.members, let layer = call["layer"]?.integer,
                    places.indices.contains(layer)
                else { return self }
                newCalls.append(["layer": .integer(places[layer].layer), "inputs": moved(call["inputs"])])
                if let behind = places[layer].behind {
                    let last = inputCount + newCalls.count - 1
                    newCalls.append(["layer": .integer(behind), "inputs": [.integers([last, 0])]])
                }
                numbers.append(inputCount + newCalls.count - 1)
            }
            config["calls"] = .list(newCalls)
            config["outputs"] = moved(config["outputs"])
        }
        var result = self
        result["config"] = .object(config)
        return result
    }
}
