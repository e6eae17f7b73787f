import FoveaGraph

/// Metrics with default settings are written as their names, the others with their settings.
extension Metric: Codable, CaseIterable {
    /// Every metric with its default settings.
    public static let allCases: [Metric] =
        [
            .accuracy, .sparseCategoricalAccuracy, .categoricalAccuracy, .binaryAccuracy(),
            .topKCategoricalAccuracy(), .sparseTopKCategoricalAccuracy(), .precision(), .recall(), .f1Score(),
            .auc(), .rootMeanSquaredError, .cosineSimilarity,
        ] + losses.map { .loss($0) }

    private static let losses: [Loss] = [
        .sparseCategoricalCrossentropy(), .categoricalCrossentropy(), .binaryCrossentropy(),
        .negativeLogLikelihood, .categoricalFocalCrossentropy(), .binaryFocalCrossentropy(), .klDivergence,
        .meanSquaredError, .meanAbsoluteError, .huber(), .logCosh, .poisson, .cosineSimilarity, .hinge,
        .squaredHinge, .categoricalHinge,
    ]

    /// The metric of that name with default settings, or nil.
    public init?(name: String) {
        guard let metric = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = metric
    }

    private enum Key: String, CodingKey { case name, threshold, k, average, curve, thresholds, loss }

    /// - Throws: `DecodingError` for an unknown name and a missing setting.
    public init(from decoder: any Decoder) throws {
        guard let container = try? decoder.container(keyedBy: Key.self) else {
            let container = try decoder.singleValueContainer()
            let name = try container.decode(String.self)
            guard let metric = Metric(name: name) else {
                throw DecodingError.dataCorruptedError(
                    in: container, debugDescription: Self.unknown(name))
            }
            self = metric
            return
        }
        let name = try container.decode(String.self, forKey: .name)
        func counting(_ make: (Double?, Average) -> Metric) throws -> Metric {
            try make(
                container.decodeIfPresent(Double.self, forKey: .threshold),
                container.decode(Average.self, forKey: .average))
        }
        switch Metric(name: name) {
        case .binaryAccuracy:
            self = .binaryAccuracy(threshold: try container.decode(Double.self, forKey: .threshold))
        case .topKCategoricalAccuracy:
            self = .topKCategoricalAccuracy(k: try container.decode(Int.self, forKey: .k))
        case .sparseTopKCategoricalAccuracy:
            self = .sparseTopKCategoricalAccuracy(k: try container.decode(Int.self, forKey: .k))
        case .precision: self = try counting { .precision(threshold: $0, average: $1) }
        case .recall: self = try counting { .recall(threshold: $0, average: $1) }
        case .f1Score: self = try counting { .f1Score(threshold: $0, average: $1) }
        case .auc:
            self = .auc(
                curve: try container.decode(Curve.self, forKey: .curve),
                thresholds: try container.decode(Int.self, forKey: .thresholds))
        case .loss: self = .loss(try container.decode(Loss.self, forKey: .loss))
        case let metric?: self = metric
        case nil:
            throw DecodingError.dataCorruptedError(
                forKey: .name, in: container, debugDescription: Self.unknown(name))
        }
    }

    private static func unknown(_ name: String) -> String {
        let known = allCases.map(\.name)
        let hint = nearestName(to: name, among: known).map { "did you mean '\($0)'?" }
        return "there is no metric '\(name)'; \(hint ?? "known are \(known.joined(separator: ", "))")"
    }

    public func encode(to encoder: any Encoder) throws {
        if name == kind {
            var container = encoder.singleValueContainer()
            return try container.encode(name)
        }
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(kind, forKey: .name)
        switch self {
        case .binaryAccuracy(let threshold): try container.encode(threshold, forKey: .threshold)
        case .topKCategoricalAccuracy(let k), .sparseTopKCategoricalAccuracy(let k):
            try container.encode(k, forKey: .k)
        case .precision(let threshold, let average), .recall(let threshold, let average),
            .f1Score(let threshold, let average):
            try container.encodeIfPresent(threshold, forKey: .threshold)
            try container.encode(average, forKey: .average)
        case .auc(let curve, let thresholds):
            try container.encode(curve, forKey: .curve)
            try container.encode(thresholds, forKey: .thresholds)
        case .loss(let loss): try container.encode(loss, forKey: .loss)
        default: break
        }
    }
}
