import Foundation
import FoveaFiles
import FoveaLayers

extension ConfigurationValue {
    var members: Configuration? { if case .object(let members) = self { members } else { nil } }
    var elements: [ConfigurationValue]? { if case .list(let elements) = self { elements } else { nil } }
    var text: String? { if case .string(let text) = self { text } else { nil } }
    var truth: Bool? { if case .bool(let truth) = self { truth } else { nil } }
    var isNull: Bool { self == .null }

    /// An integer, also one that is written with a fraction of 0.
    var integer: Int? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int(exactly: value)
        default: nil
        }
    }

    var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }

    /// Every element as an integer.
    var integers: [Int]? {
        guard let elements else { return nil }
        let integers = elements.compactMap(\.integer)
        return integers.count == elements.count ? integers : nil
    }

    /// How it is called in a message; long texts are cut.
    var shown: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .integer(let value): "\(value)"
        case .number(let value): "\(value)"
        case .string(let value): quoted(value)
        case .list(let elements):
            elements.count <= 4 && elements.allSatisfy { $0.double != nil }
                ? "[\(elements.map(\.shown).joined(separator: ", "))]" : "a list of \(elements.count)"
        case .object(let members): members["class_name"]?.text.map(quoted) ?? "an object of \(members.count)"
        }
    }

    static func integers(_ values: [Int]) -> ConfigurationValue { .list(values.map { .integer($0) }) }
}

extension Configuration {
    /// JSON text as an object.
    ///
    /// - Throws: `ModelFileError`, which calls the text `what`.
    package init(json: [UInt8], what: String, file: String) throws(ModelFileError) {
        func failure(_ problem: String) -> ModelFileError {
            ModelFileError(file: file, problem: "its \(what) cannot be read: \(problem)")
        }
        // Attributes of fixed length are padded.
        let text = String(decoding: json.prefix { $0 != 0 }, as: UTF8.self)
        if let problem = BoundedJSON.problem(in: text) {
            throw failure("\(problem), more than any model needs")
        }
        let value: ConfigurationValue
        do {
            value = try JSONDecoder().decode(ConfigurationValue.self, from: Data(text.utf8))
        } catch { throw failure("\(reason(error)); the file is damaged") }
        guard let members = value.members else { throw failure("it is no object") }
        self = members
    }

    /// As JSON, with sorted keys, so that equal models give equal bytes.
    var json: [UInt8] {
        get throws {
            var text = ""
            try ConfigurationValue.object(self).write(to: &text)
            return Array(text.utf8)
        }
    }
}

extension ConfigurationValue {
    /// Numbers keep their kind, `1.0` and `1`: Keras takes no integer for a learning rate. `JSONEncoder` would make one of it.
    fileprivate func write(to text: inout String) throws {
        switch self {
        case .number(let number) where number.isFinite: text += "\(number)"
        case .list(let elements):
            text += "["
            for (index, element) in elements.enumerated() {
                if index > 0 { text += ", " }
                try element.write(to: &text)
            }
            text += "]"
        case .object(let members):
            text += "{"
            for (index, member) in members.sorted(by: { $0.key < $1.key }).enumerated() {
                if index > 0 { text += ", " }
                try ConfigurationValue.string(member.key).write(to: &text)
                text += ": "
                try member.value.write(to: &text)
            }
            text += "}"
        case .null, .bool, .integer, .number, .string:
            let encoder = JSONEncoder()
            encoder.outputFormatting = .withoutEscapingSlashes
            text += String(decoding: try encoder.encode(self), as: UTF8.self)
        }
    }
}
