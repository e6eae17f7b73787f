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

    /// A shape with its batch axis open and no other.
    mutating func fixedShape(
        _ value: ConfigurationValue, owner: String
    ) throws(ConfigurationError) -> ConfigurationValue {
        func failure(_ problem: String) -> ConfigurationError {
            ConfigurationError(owner: owner, key: "batch_shape", problem)
        }
        guard let stated = value.elements?.dropFirst(), value.elements?.isEmpty == false else {
            throw failure("expected a list of extents, not \(value.shown)")
        }
        let shown = "(\(stated.map { $0.isNull ? "None" : $0.shown }.joined(separator: ", ")))"
        // A model inside is mostly called on what the one around it takes.
        let given = inputShape?.dimensions ?? outermostShape
        var extents = Array(stated)
        if let given, given.count == extents.count {
            for axis in extents.indices where extents[axis].isNull { extents[axis] = .integer(given[axis]) }
        }
        let fixed = extents.compactMap(\.integer)
        guard fixed.count == extents.count, fixed.allSatisfy({ $0 > 0 }) else {
            let example = extents.map { $0.integer ?? 224 }
            throw failure(
                "it takes inputs of any size, \(shown), and a model of Fovea's is built for one; say which: inputShape: "
                    + "\(example), or --input-shape \(example.map { "\($0)" }.joined(separator: "x"))")
        }
        if path.isEmpty { outermostShape = outermostShape ?? fixed }
        return .list([.null] + fixed.map { .integer($0) })
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
