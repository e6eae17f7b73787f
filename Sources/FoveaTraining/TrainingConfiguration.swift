import FoveaGraph

/// How a model is trained, as it is saved with the model.
public struct TrainingConfiguration: Codable, Sendable {
    public var optimizer: any Optimizer
    public var loss: Loss
    public var metrics: [Metric]

    public init(optimizer: any Optimizer, loss: Loss, metrics: [Metric]) {
        self.optimizer = optimizer
        self.loss = loss
        self.metrics = metrics
    }

    private enum Key: String, CodingKey { case optimizer, loss, metrics }
    private enum OptimizerKey: String, CodingKey { case name, settings }

    /// The optimizers that files may name.
    private static let optimizers: [any Optimizer.Type] = [
        SGD.self, RMSprop.self, Adam.self, AdamW.self, Adamax.self, Nadam.self, Adagrad.self, Adadelta.self,
    ]

    /// - Throws: `DecodingError` for an unknown optimizer, loss or metric or a missing setting, `TrainingError` for a
    ///   setting outside its range.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        let optimizer = try container.nestedContainer(keyedBy: OptimizerKey.self, forKey: .optimizer)
        let name = try optimizer.decode(String.self, forKey: .name)
        guard let type = Self.optimizers.first(where: { $0.name == name }) else {
            let known = Self.optimizers.map { $0.name }
            let hint = nearestName(to: name, among: known).map { "did you mean '\($0)'?" }
            throw DecodingError.dataCorruptedError(
                forKey: .name, in: optimizer,
                debugDescription:
                    "there is no optimizer '\(name)'; \(hint ?? "known are \(known.joined(separator: ", "))")"
            )
        }
        self.optimizer = try optimizer.decode(type, forKey: .settings)
        try self.optimizer.checkSettings()
        loss = try container.decode(Loss.self, forKey: .loss)
        metrics = try container.decode([Metric].self, forKey: .metrics)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        var optimizer = container.nestedContainer(keyedBy: OptimizerKey.self, forKey: .optimizer)
        try optimizer.encode(type(of: self.optimizer).name, forKey: .name)
        try optimizer.encode(self.optimizer, forKey: .settings)
        try container.encode(loss, forKey: .loss)
        try container.encode(metrics, forKey: .metrics)
    }
}
