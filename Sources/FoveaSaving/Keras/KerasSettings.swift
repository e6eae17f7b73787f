import Foundation
import FoveaLayers

// Settings of losses, metrics, optimizers and schedules, which are values with properties in Swift and `config`s in Keras.

/// `betaOne` of `beta_one`, `beta1` of `beta_1`.
func foveaKey(_ key: String) -> String {
    let words = key.split(separator: "_")
    return words.dropFirst().reduce("\(words.first ?? "")") {
        $0 + $1.prefix(1).uppercased() + $1.dropFirst()
    }
}

/// `learning_rate` of `learningRate`, `beta_1` of `beta1`.
func kerasKey(_ key: String) -> String {
    var result = ""
    var wasDigit = false
    for letter in key {
        if letter.isUppercase || letter.isNumber && !wasDigit { result += "_" }
        result += letter.lowercased()
        wasDigit = letter.isNumber
    }
    return result
}

/// A value's properties as JSON has them.
func settings(of value: some Encodable) throws -> Configuration {
    try JSONDecoder().decode(Configuration.self, from: JSONEncoder().encode(value))
}

/// A value with some of its properties changed.
func changed<Value: Codable>(_ value: Value, _ changes: Configuration) throws -> Value {
    let all = try settings(of: value).merging(changes) { $1 }.filter { !$0.value.isNull }
    return try JSONDecoder().decode(Value.self, from: JSONEncoder().encode(all))
}

/// Keras's settings under the names of the properties of a value.
struct KerasSettings {
    /// Keys that are called otherwise in Fovea.
    var renamed: [String: String] = [:]
    /// Keys without meaning for Fovea, with what they may be; nothing stands for anything.
    var ignored: [String: [ConfigurationValue]] = [:]

    /// - Returns: what to change of the value, and the keys that it has no property for.
    func changes(to value: Any, from config: Configuration) -> (changes: Configuration, unknown: [String]) {
        let properties = Set(Mirror(reflecting: value).children.compactMap(\.label))
        var changes: Configuration = [:]
        var unknown: [String] = []
        for (key, setting) in config.sorted(by: { $0.key < $1.key }) where !setting.isNull {
            if let allowed = ignored[key], allowed.isEmpty || allowed.contains(setting) { continue }
            let name = renamed[key] ?? foveaKey(key)
            if properties.contains(name) {
                changes[name] = Self.plain(setting)
            } else if setting != false {
                unknown.append(key)
            }
        }
        return (changes, unknown)
    }

    /// Keras's settings of a value: those that differ from the usual ones.
    func config(of value: some Encodable, unlike usual: some Encodable) throws -> Configuration {
        let (own, usual) = (try settings(of: value), try settings(of: usual))
        let names = Dictionary(renamed.map { ($0.value, $0.key) }, uniquingKeysWith: { min($0, $1) })
        var result: Configuration = [:]
        for key in Set(own.keys).union(usual.keys) where own[key] != usual[key] {
            result[names[key] ?? kerasKey(key)] = own[key] ?? .null
        }
        return result
    }

    /// Numbers as they were written at first.
    private static func plain(_ value: ConfigurationValue) -> ConfigurationValue {
        switch value {
        case .number(let number): .number(decimal(number))
        case .list(let elements): .list(elements.map(plain))
        default: value
        }
    }
}
