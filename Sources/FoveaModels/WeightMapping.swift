/// Rules by which the names of modules in a file of another framework become those of a model's layers, and back.
///
/// A rule is a pair of patterns. Text stands for itself; `{n}` for a whole number, the same on both sides; `{n+1}` for a number that is one
/// larger; `{rest...}`, at the end, for any text. The first rule that fits the whole name is taken. A name that no rule fits stays, but
/// for its dots, which become the slashes between layers inside layers.
///
/// ```swift
/// let mapping: WeightMapping = [
///     "layer{s}.{b}.conv{n}": "conv{s+1}_block{b+1}_{n}_conv",
///     "backbone.{rest...}": "{rest...}",
/// ]
/// ```
public struct WeightMapping: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    private struct Rule: Hashable {
        let module: NamePattern
        let layer: NamePattern
    }

    private let rules: [Rule]

    /// - Parameter rules: pairs of the name in the file, without `.weight` and the like, and the layer's path in the model.
    public init(_ rules: [(module: String, layer: String)]) {
        self.rules = rules.map { Rule(module: NamePattern($0.module), layer: NamePattern($0.layer)) }
    }

    public init(dictionaryLiteral rules: (String, String)...) {
        self.init(rules.map { (module: $0.0, layer: $0.1) })
    }

    /// The path of the layer that a rule makes of a module's name; nil when no rule fits.
    public func layer(forModule name: String) -> String? {
        rules.lazy.compactMap { rule in rule.module.match(name).flatMap(rule.layer.filled) }.first
    }

    /// The name of the module that a rule makes of a layer's path; nil when no rule fits.
    public func module(forLayer path: String) -> String? {
        rules.lazy.compactMap { rule in rule.layer.match(path).flatMap(rule.module.filled) }.first
    }

    /// These rules and, where none of them fits, others.
    public func followed(by others: WeightMapping) -> WeightMapping {
        WeightMapping(rules: rules + others.rules)
    }

    private init(rules: [Rule]) { self.rules = rules }
}

/// Text with places for numbers and for texts.
struct NamePattern: Hashable {
    private enum Piece: Hashable {
        case text(String)
        /// A number that is so much larger than what the name stands for.
        case number(name: String, offset: Int)
        case rest(name: String)
    }

    private let pieces: [Piece]

    init(_ pattern: String) {
        var pieces: [Piece] = []
        var rest = pattern[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            if open > rest.startIndex { pieces.append(.text(String(rest[..<open]))) }
            pieces.append(Self.piece(rest[rest.index(after: open)..<close]))
            rest = rest[rest.index(after: close)...]
        }
        if !rest.isEmpty { pieces.append(.text(String(rest))) }
        self.pieces = pieces
    }

    private static func piece(_ text: Substring) -> Piece {
        if text.hasSuffix("...") { return .rest(name: String(text.dropLast(3))) }
        if let sign = text.firstIndex(where: { $0 == "+" || $0 == "-" }), let offset = Int(text[sign...]),
            abs(offset) < 1000
        {
            return .number(name: String(text[..<sign]), offset: offset)
        }
        return .number(name: String(text), offset: 0)
    }

    /// What the places stand for in a name; nil when it does not fit.
    func match(_ name: String) -> [String: String]? {
        var values: [String: String] = [:]
        return Self.match(pieces[...], name[...], &values) ? values : nil
    }

    private static func match(
        _ pieces: ArraySlice<Piece>, _ name: Substring, _ values: inout [String: String]
    ) -> Bool {
        guard let piece = pieces.first else { return name.isEmpty }
        let others = pieces.dropFirst()
        switch piece {
        case .text(let text):
            return name.hasPrefix(text) && match(others, name.dropFirst(text.count), &values)
        case .number(let key, let offset):
            let digits = name.prefix { $0.isASCII && $0.isNumber }
            // Of more digits there is no layer; and written otherwise, as 007, the way back would not lead here.
            guard digits.count <= 9, let number = Int(digits), "\(number)" == digits, number >= offset else {
                return false
            }
            let value = "\(number - offset)"
            guard values[key] == nil || values[key] == value else { return false }
            values[key] = value
            return match(others, name.dropFirst(digits.count), &values)
        case .rest(let key):
            guard others.isEmpty else { return false }
            guard values[key] == nil || values[key] == String(name) else { return false }
            values[key] = String(name)
            return true
        }
    }

    /// The name in which the places have these values; nil when one has none.
    func filled(_ values: [String: String]) -> String? {
        var name = ""
        for piece in pieces {
            switch piece {
            case .text(let text): name += text
            case .rest(let key):
                guard let value = values[key] else { return nil }
                name += value
            case .number(let key, let offset):
                guard let number = values[key].flatMap({ Int($0) }), number + offset >= 0 else { return nil }
                name += "\(number + offset)"
            }
        }
        return name
    }
}
