import FoveaLayers

/// How one kind of layer is written in Keras's files. The kinds are in `KerasLayerKinds.swift`.
struct KerasLayerKind: Sendable {
    /// The class in Keras, whose name Fovea's layer has, too.
    let className: String
    let settings: [KerasSetting]
    /// Keys that say nothing of Fovea's layer, with the values that they may have; none stands for any.
    let ignored: [String: [ConfigurationValue]]
    /// What Fovea has no key for and Keras takes another value for than Fovea.
    let constants: Configuration
    /// What only Fovea has a key for, with the one value that Keras's layer stands for.
    let foveaOnly: Configuration

    init(
        _ className: String, _ settings: [KerasSetting] = [],
        ignored: [String: [ConfigurationValue]] = [:], constants: Configuration = [:],
        foveaOnly: Configuration = [:]
    ) {
        self.className = className
        self.settings = settings
        self.ignored = ignored
        self.constants = constants
        self.foveaOnly = foveaOnly
    }

    /// What every layer may have beside its own settings.
    static let common: Set<String> = [
        "name", "trainable", "dtype", "batch_input_shape", "batch_shape", "input_shape", "input_dtype",
        "batch_size", "autocast",
    ]

    /// Fovea's settings for Keras's, all keys of which must be known.
    func fovea(_ keras: Configuration, warn: (String) -> Void) throws(ConfigurationError) -> Configuration {
        var remaining = keras.filter { !Self.common.contains($0.key) }
        var result = foveaOnly
        for setting in settings {
            let value = try setting.take(from: &remaining, owner: className)
            result[setting.key] = try setting.form.fovea(
                Self.plain(value), key: setting.key, owner: className, settings: keras, warn: warn)
        }
        for (key, value) in remaining.sorted(by: { $0.key < $1.key }) {
            let allowed = ignored[key] ?? [.null]
            guard allowed.isEmpty || allowed.contains(value) || constants[key] == value else {
                throw ConfigurationError(
                    owner: className, key: key,
                    "Fovea's layer has nothing like it and cannot do \(value.shown)")
            }
        }
        return result
    }

    /// Keras's settings for Fovea's. What Keras takes anyway is left out, since not every version knows every key.
    func keras(_ fovea: Configuration, dialect: KerasDialect) throws(ConfigurationError) -> Configuration {
        var result = constants
        var remaining = fovea
        for setting in settings {
            guard let value = remaining.removeValue(forKey: setting.key), value != setting.usual else {
                continue
            }
            let key = dialect == .legacy ? setting.earlierKeys.first ?? setting.key : setting.key
            result[key] = try setting.form.keras(value, key: setting.key, owner: className)
        }
        for (key, value) in remaining.sorted(by: { $0.key < $1.key }) where foveaOnly[key] != value {
            throw notInKeras(key, value)
        }
        return result
    }

    private func notInKeras(_ key: String, _ value: ConfigurationValue) -> ConfigurationError {
        ConfigurationError(
            owner: className, key: key,
            "Keras's layer cannot do \(value.shown); write .safetensors, which keeps everything")
    }

    /// Numbers that Keras 3 wraps, such as `{"class_name": "__numpy__", "config": {"value": 6.0, …}}`.
    private static func plain(_ value: ConfigurationValue) -> ConfigurationValue {
        guard let members = value.members, let name = members["class_name"]?.text else { return value }
        switch name {
        case "__numpy__", "__tensor__": return members["config"]?.members?["value"] ?? value
        case "__tuple__": return members["items"] ?? value
        default: return value
        }
    }
}

let kerasLayerKinds: [String: KerasLayerKind] = Dictionary(
    (kernelKinds + normalizationKinds + spatialKinds + elementKinds + mergingKinds + randomKinds).map {
        ($0.className, $0)
    }, uniquingKeysWith: { $1 })
