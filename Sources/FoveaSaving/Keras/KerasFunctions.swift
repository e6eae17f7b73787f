import FoveaLayers

// What layers name by a string or an object: initializers, regularizers, constraints.

/// `{"class_name": …, "config": …}`, or a name alone.
struct KerasObject {
    let className: String
    let settings: Configuration
    let module: String?

    init?(_ value: ConfigurationValue) {
        switch value {
        case .string(let name): (className, settings, module) = (name, [:], nil)
        case .object(let members):
            guard let name = members["class_name"]?.text else { return nil }
            className = name
            settings = members["config"]?.members ?? [:]
            module = members["module"]?.text
        default: return nil
        }
    }

    /// Whether it is called so, in any spelling: `GlorotUniform` is `glorot_uniform`.
    func isNamed(_ name: String) -> Bool { plainName(className) == plainName(name) }
}

/// A name as it is compared: `L1L2` and `l1_l2` are one.
func plainName(_ name: String) -> String { name.lowercased().filter { $0 != "_" } }

/// Fovea's settings of an initializer; nil for one that it has not.
func kerasInitializer(_ value: ConfigurationValue) -> ConfigurationValue? {
    guard let object = KerasObject(value) else { return nil }
    let aliases = ["zero": "zeros", "one": "ones", "uniform": "randomuniform", "normal": "randomnormal"]
    let name = plainName(object.className)
    let settings = object.settings
    func number(_ key: String, _ usual: Double) -> Double { settings[key]?.double ?? usual }
    let all: [Initializer] = [
        .zeros, .ones, .constant(number("value", 0)),
        .randomUniform(min: number("minval", -0.05), max: number("maxval", 0.05)),
        .randomNormal(mean: number("mean", 0), stddev: number("stddev", 0.05)),
        .truncatedNormal(mean: number("mean", 0), stddev: number("stddev", 0.05)),
        .glorotUniform, .glorotNormal, .heUniform, .heNormal, .lecunUniform, .lecunNormal,
        .orthogonal(gain: number("gain", 1)), .identity(gain: number("gain", 1)),
    ]
    func isNamed(_ initializer: Initializer, _ name: String) -> Bool {
        initializer.configuration.members?["class_name"]?.text.map(plainName) == name
    }
    if let found = all.first(where: { isNamed($0, aliases[name] ?? name) }) { return found.configuration }
    guard name == "variancescaling" else { return nil }
    let distribution = settings["distribution"]?.text ?? "truncated_normal"
    guard let mode = FanMode(rawValue: settings["mode"]?.text ?? "fan_in"),
        let distribution = ScaledDistribution(
            rawValue: distribution == "normal" ? "truncated_normal" : distribution)
    else { return nil }
    return Initializer.varianceScaling(
        scale: number("scale", 1), mode: mode, distribution: distribution
    ).configuration
}

/// Fovea's settings of a regularizer; nil for null.
func kerasRegularizer(
    _ value: ConfigurationValue, key: String, owner: String
) throws(ConfigurationError) -> ConfigurationValue? {
    if value.isNull { return nil }
    let object = KerasObject(value)
    guard let object, ["l1", "l2", "l1l2"].contains(plainName(object.className)) else {
        throw ConfigurationError(
            owner: owner, key: key, "Fovea has no regularizer \(value.shown); it has L1, L2 and L1L2")
    }
    let isShort = value.text != nil
    func factor(_ name: String) -> ConfigurationValue {
        let usual = isShort && plainName(object.className).contains(name) ? 0.01 : 0
        return .number(object.settings[name]?.double.map(decimal) ?? usual)
    }
    return ["class_name": "L1L2", "config": ["l1": factor("l1"), "l2": factor("l2")]]
}

/// Fovea's settings of a constraint; nil for null.
func kerasConstraint(
    _ value: ConfigurationValue, key: String, owner: String
) throws(ConfigurationError) -> ConfigurationValue? {
    if value.isNull { return nil }
    guard let object = KerasObject(value) else {
        throw ConfigurationError(
            owner: owner, key: key, "expected null or a constraint, not \(value.shown)")
    }
    var settings: Configuration = [:]
    func take(_ key: String, _ usual: ConfigurationValue) {
        settings[key] = object.settings[key] ?? usual
    }
    func takeAxes() {
        let axis = object.settings["axis"] ?? .integer(0)
        settings["axis"] = axis.integer.map { .integers([$0]) } ?? axis
    }
    let name: String
    switch plainName(object.className) {
    case "maxnorm":
        name = "MaxNorm"
        take("max_value", .number(2))
        takeAxes()
    case "nonneg": name = "NonNeg"
    case "unitnorm":
        name = "UnitNorm"
        takeAxes()
    case "minmaxnorm":
        name = "MinMaxNorm"
        for (key, usual) in [("min_value", 0.0), ("max_value", 1), ("rate", 1)] { take(key, .number(usual)) }
        takeAxes()
    default:
        throw ConfigurationError(
            owner: owner, key: key,
            "Fovea has no constraint \(value.shown); it has MaxNorm, NonNeg, UnitNorm and MinMaxNorm")
    }
    return ["class_name": .string(name), "config": .object(settings)]
}

/// A number that a program kept as float32, as it was written at first: 0.009999999776482582 is 0.01.
func decimal(_ number: Double) -> Double {
    let single = Float(number)
    guard Double(single) == number, let written = Double("\(single)") else { return number }
    return written
}
