import FoveaFiles
import FoveaGraph

/// The settings of a layer or model, under Keras's keys.
public typealias Configuration = [String: ConfigurationValue]

/// A value as JSON has them.
public enum ConfigurationValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case string(String)
    case list([ConfigurationValue])
    case object(Configuration)

    /// How it is called in an error message; long texts are cut.
    var summary: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let text): text.quoted
        case .list(let elements): "a list of \(elements.count)"
        case .object(let members): "an object of \(members.count)"
        }
    }
}

extension String {
    /// In quotes, and short enough for an error message whatever a file says.
    var quoted: String { "'" + visible(self, limit: VisibleText.nameLimit) + "'" }
}

extension ConfigurationValue: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByStringLiteral
{
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(stringLiteral text: String) { self = .string(text) }
    public init(arrayLiteral elements: ConfigurationValue...) { self = .list(elements) }
    public init(dictionaryLiteral elements: (String, ConfigurationValue)...) {
        self = .object(Configuration(elements, uniquingKeysWith: { $1 }))
    }
}

extension ConfigurationValue: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Int.self) {
            self = .integer(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode(String.self) {
            self = .string(value)
        } else if let value = try? container.decode([ConfigurationValue].self) {
            self = .list(value)
        } else {
            self = .object(try container.decode(Configuration.self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .null: try container.encodeNil()
        case .bool(let value): try container.encode(value)
        case .integer(let value): try container.encode(value)
        case .number(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        case .list(let value): try container.encode(value)
        case .object(let value): try container.encode(value)
        }
    }
}

/// A configuration that no layer can be made of.
public struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The layers around the faulty one, outermost first.
    public private(set) var path: [String]
    /// What was to be made, such as `Conv2D`.
    public let owner: String
    /// The key at fault, if it is one.
    public let key: String?
    /// What is wrong and what was expected.
    public let message: String

    public init(owner: String, key: String? = nil, _ message: String) {
        path = []
        self.owner = owner
        self.key = key
        self.message = message
    }

    /// The same error, seen from the layer or model that contains it.
    public func inside(_ name: String) -> ConfigurationError {
        var error = self
        error.path.insert(name, at: 0)
        return error
    }

    public var description: String {
        let place = path.isEmpty ? "" : path.joined(separator: "/") + ": "
        return visible(place + owner + (key.map { ", key \($0.quoted)" } ?? "") + ": " + message)
    }
}

/// Takes the settings of one layer out of a configuration, key by key. Every key must be there, have the
/// right type, and be asked for: configurations come from files.
public struct ConfigurationReader {
    public let owner: String
    /// The kinds of layers that may occur inside.
    public let layerTypes: [any Layer.Type]
    private var remaining: Configuration
    private var known: [String] = []

    public init(_ configuration: Configuration, owner: String, layerTypes: [any Layer.Type]) {
        self.owner = owner
        self.layerTypes = layerTypes
        remaining = configuration
    }

    /// Opens `{"class_name": …, "config": {…}}`, the form that layers and initializers have.
    static func opened(
        _ configuration: Configuration, owner: String, layerTypes: [any Layer.Type]
    ) throws(ConfigurationError) -> (className: String, settings: ConfigurationReader) {
        var envelope = ConfigurationReader(configuration, owner: owner, layerTypes: layerTypes)
        let result = try envelope.opened()
        try envelope.finish()
        return result
    }

    /// Opens the form of layers, which may also name parameters that are frozen.
    static func openedLayer(
        _ configuration: Configuration, layerTypes: [any Layer.Type]
    ) throws(ConfigurationError) -> (className: String, settings: ConfigurationReader, frozen: [String]) {
        var envelope = ConfigurationReader(configuration, owner: "layer", layerTypes: layerTypes)
        let (className, settings) = try envelope.opened()
        let frozen = envelope.contains("frozen") ? try envelope.strings("frozen") : []
        try envelope.finish()
        return (className, settings, frozen)
    }

    /// A reader of an object inside.
    func nested(_ value: ConfigurationValue, owner: String) throws(ConfigurationError) -> ConfigurationReader
    {
        guard case .object(let members) = value else {
            throw ConfigurationError(owner: owner, "expected an object, not \(value.summary)")
        }
        return ConfigurationReader(members, owner: owner, layerTypes: layerTypes)
    }

    private mutating func opened() throws(ConfigurationError) -> (String, ConfigurationReader) {
        let className = try string("class_name")
        let settings = try object("config")
        return (
            className,
            ConfigurationReader(
                settings, owner: visible(className, limit: VisibleText.nameLimit), layerTypes: layerTypes)
        )
    }

    /// Whether a setting is there that may be missing.
    public func contains(_ key: String) -> Bool { remaining[key] != nil }

    mutating func take<T>(
        _ key: String, _ expected: String, _ convert: (ConfigurationValue) -> T?
    ) throws(ConfigurationError) -> T {
        known.append(key)
        guard let value = remaining.removeValue(forKey: key) else {
            throw ConfigurationError(owner: owner, key: key, "it is missing; expected \(expected)")
        }
        guard let result = convert(value) else {
            throw ConfigurationError(owner: owner, key: key, "expected \(expected), not \(value.summary)")
        }
        return result
    }

    public mutating func integer(_ key: String) throws(ConfigurationError) -> Int {
        try take(key, "an integer") { $0.asInteger }
    }

    /// A number, written with or without a fraction.
    public mutating func number(_ key: String) throws(ConfigurationError) -> Double {
        try take(key, "a number") { $0.asNumber }
    }

    public mutating func optionalNumber(_ key: String) throws(ConfigurationError) -> Double? {
        try take(key, "a number or null") { value -> Double?? in
            if case .null = value { .some(nil) } else { value.asNumber.map { .some($0) } }
        }
    }

    public mutating func bool(_ key: String) throws(ConfigurationError) -> Bool {
        try take(key, "true or false") { if case .bool(let value) = $0 { value } else { nil } }
    }

    public mutating func string(_ key: String) throws(ConfigurationError) -> String {
        try take(key, "a string") { if case .string(let text) = $0 { text } else { nil } }
    }

    public mutating func optionalString(_ key: String) throws(ConfigurationError) -> String? {
        try take(key, "a string or null") { value -> String?? in
            switch value {
            case .null: .some(nil)
            case .string(let text): text
            default: nil
            }
        }
    }

    public mutating func object(_ key: String) throws(ConfigurationError) -> Configuration {
        try take(key, "an object") { if case .object(let members) = $0 { members } else { nil } }
    }

    public mutating func list(_ key: String) throws(ConfigurationError) -> [ConfigurationValue] {
        try take(key, "a list") { if case .list(let elements) = $0 { elements } else { nil } }
    }

    /// Numbers, written with or without a fraction.
    public mutating func numbers(_ key: String) throws(ConfigurationError) -> [Double] {
        try take(key, "a list of numbers") { $0.asNumbers }
    }

    /// One number, or a list of them.
    mutating func numberOrNumbers(_ key: String) throws(ConfigurationError) -> [Double] {
        try take(key, "a number or a list of numbers") { $0.asNumber.map { [$0] } ?? $0.asNumbers }
    }

    /// Numbers, written with or without a fraction; nil for null.
    mutating func optionalNumbers(_ key: String) throws(ConfigurationError) -> [Double]? {
        try take(key, "null or a list of numbers") { value -> [Double]?? in
            if case .null = value { .some(nil) } else { value.asNumbers.map { .some($0) } }
        }
    }

    public mutating func integers(_ key: String) throws(ConfigurationError) -> [Int] {
        try take(key, "a list of integers") { $0.asIntegers }
    }

    public mutating func strings(_ key: String) throws(ConfigurationError) -> [String] {
        try take(key, "a list of strings") { value in
            guard case .list(let elements) = value else { return nil }
            let strings = elements.compactMap { if case .string(let text) = $0 { text } else { nil } }
            return strings.count == elements.count ? strings : nil
        }
    }

    /// One example's shape, written with a null for the batch axis in front; nil for null.
    mutating func optionalShape(_ key: String) throws(ConfigurationError) -> Shape? {
        try take(key, "null, or a list of null and the extents of one example") { value -> Shape?? in
            if case .null = value { return .some(nil) }
            guard case .list(let elements) = value, elements.first == .null else { return nil }
            let extents = elements.dropFirst().compactMap { $0 == .null ? Shape.open : $0.asInteger }
            return extents.count == elements.count - 1 ? Shape(extents) : nil
        }
    }

    /// One of the names that `Choice` has as raw values.
    public mutating func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, of: Choice.Type = Choice.self
    ) throws(ConfigurationError) -> Choice where Choice.RawValue == String {
        let name = try string(key)
        guard let choice = Choice(rawValue: name) else {
            throw unknown("name", name, among: Choice.allCases.map(\.rawValue), key: key)
        }
        return choice
    }

    /// Checks that nothing is left over.
    ///
    /// - Throws: `ConfigurationError` for a key that nobody asked for.
    public func finish() throws(ConfigurationError) {
        guard let key = remaining.keys.min() else { return }
        throw unknown("key", key, among: known, key: key)
    }

    func unknown(_ what: String, _ name: String, among names: [String], key: String) -> ConfigurationError {
        ConfigurationError(
            owner: owner, key: key,
            "unknown \(what) \(name.quoted); \(adviceOnName(name, among: names))")
    }
}

extension ConfigurationValue {
    fileprivate var asInteger: Int? { if case .integer(let value) = self { value } else { nil } }

    var asIntegers: [Int]? {
        guard case .list(let elements) = self else { return nil }
        let integers = elements.compactMap(\.asInteger)
        return integers.count == elements.count ? integers : nil
    }

    fileprivate var asNumbers: [Double]? {
        guard case .list(let elements) = self else { return nil }
        let numbers = elements.compactMap(\.asNumber)
        return numbers.count == elements.count ? numbers : nil
    }

    fileprivate var asNumber: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
}
