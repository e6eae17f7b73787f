import FoveaGraph

/// A loss as files have it, `{"huber": {"delta": 1}}`: under its name in Swift's spelling, its settings.
struct CodableLoss: Hashable, Codable, Sendable {
    let loss: any Loss

    init(_ loss: any Loss) { self.loss = loss }

    static func == (a: CodableLoss, b: CodableLoss) -> Bool { AnyHashable(a.loss) == AnyHashable(b.loss) }

    func hash(into hasher: inout Hasher) { loss.hash(into: &hasher) }

    /// - Throws: `DecodingError` for an unknown name and a missing setting.
    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: NameKey.self)
        guard let key = container.allKeys.first, container.allKeys.count == 1 else {
            throw DecodingError.dataCorrupted(
                .init(
                    codingPath: decoder.codingPath,
                    debugDescription:
                        "a loss is an object with one key, its name, but there are \(container.allKeys.count)"
                ))
        }
        let type: any Loss.Type
        do {
            type = try decoder.customTypes.loss(named: key.stringValue)
        } catch { throw error.error(at: decoder.codingPath) }
        loss = try container.decode(type, forKey: key)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: NameKey.self)
        try container.encode(loss, forKey: NameKey(camelCased(type(of: loss).name)))
    }
}

/// A name as a key.
struct NameKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) { stringValue = name }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
