import FoveaGraph
import FoveaLayers

/// What a model of Keras takes.
extension KerasReader {
    /// The shape of what enters, batch axis included, as the first layer says it.
    static func inputShape(_ settings: Configuration, _ built: Configuration?) -> ConfigurationValue? {
        for key in ["batch_shape", "batch_input_shape"] {
            if let shape = settings[key], !shape.isNull { return shape }
        }
        // A model that comes first knows its own.
        if let first = settings["layers"]?.elements?.first?.members {
            return inputShape(first["config"]?.members ?? [:], first["build_config"]?.members)
        }
        return built?["input_shape"]
    }

    /// A shape with its batch axis open, and others that neither the file nor the caller says.
    mutating func exampleShape(
        _ value: ConfigurationValue, owner: String
    ) throws(ConfigurationError) -> ConfigurationValue {
        func failure(_ problem: String) -> ConfigurationError {
            ConfigurationError(owner: owner, key: "batch_shape", problem)
        }
        guard let stated = value.elements?.dropFirst(), value.elements?.isEmpty == false else {
            throw failure("expected a list of extents, not \(value.shown)")
        }
        // A model inside is mostly called on what the one around it takes.
        let given = inputShape?.dimensions ?? outermostShape
        var extents = Array(stated)
        if let given, given.count == extents.count {
            for axis in extents.indices where extents[axis].isNull { extents[axis] = .integer(given[axis]) }
        }
        guard extents.allSatisfy({ $0.isNull || ($0.integer ?? 0) > 0 }) else {
            let shown = stated.map { $0.isNull ? "None" : $0.shown }.joined(separator: ", ")
            throw failure("expected positive extents or None, not (\(shown))")
        }
        let fixed = extents.compactMap(\.integer)
        if path.isEmpty, fixed.count == extents.count { outermostShape = outermostShape ?? fixed }
        return .list([.null] + extents)
    }

    func checkInput(_ settings: Configuration) throws(ConfigurationError) {
        for key in ["sparse", "ragged"] where settings[key] == true {
            throw ConfigurationError(owner: "InputLayer", key: key, "Fovea has dense tensors only")
        }
        guard let dtype = settings["dtype"]?.text else { return }
        guard dtype.hasPrefix("float") || dtype == "bfloat16" else {
            throw ConfigurationError(
                owner: "InputLayer", key: "dtype",
                "inputs of \(quoted(dtype)) cannot be read: Fovea's are float32; begin the model with float32 inputs"
            )
        }
    }
}
