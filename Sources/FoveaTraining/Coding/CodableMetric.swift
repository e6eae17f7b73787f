import FoveaGraph

/// A metric as files have it: its name if it has default settings, else an object of its name and its settings. The mean
/// of a loss has the loss as its setting.
struct CodableMetric: Hashable, Codable, Sendable {
    let metric: any Metric

    init(_ metric: any Metric) { self.metric = metric }

    static func == (a: CodableMetric, b: CodableMetric) -> Bool {
        AnyHashable(a.metric) == AnyHashable(b.metric)
    }

    func hash(into hasher: inout Hasher) { metric.hash(into: &hasher) }

    private enum Key: CodingKey { case name }

    /// - Throws: `DecodingError` for an unknown name and a missing setting.
    init(from decoder: any Decoder) throws {
        func named(_ name: String) throws -> any Metric {
            do throws(UnknownName) { return try decoder.customTypes.metric(named: name) } catch {
                throw error.error(at: decoder.codingPath)
            }
        }
        guard let container = try? decoder.container(keyedBy: Key.self) else {
            metric = try named(decoder.singleValueContainer().decode(String.self))
            return
        }
        let usual = try named(container.decode(String.self, forKey: .name))
        metric = try type(of: usual).init(from: decoder)
    }

    func encode(to encoder: any Encoder) throws {
        if metric.hasDefaultSettings {
            var container = encoder.singleValueContainer()
            return try container.encode(metric.kind)
        }
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(metric.kind, forKey: .name)
        try metric.encode(to: encoder)
    }
}
