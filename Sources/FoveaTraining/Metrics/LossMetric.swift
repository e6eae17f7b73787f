import FoveaGraph

/// The mean of a loss, with the settings of that loss: whether it takes logits too, whatever `fromLogits` says.
public struct LossMetric: Metric {
    public static let name = "loss"

    public let loss: any Loss

    public init(_ loss: any Loss) { self.loss = loss }

    public init() { self.init(.meanSquaredError) }

    /// The loss's name; with `_loss` behind it where a metric has that name.
    public var name: String {
        let (ofLoss, name) = (type(of: loss).name, loss.name)
        return name.hasPrefix(ofLoss) ? kind + name.dropFirst(ofLoss.count) : name
    }

    var kind: String {
        let name = type(of: loss).name
        return builtInMetrics.contains { $0.name == name } ? "\(name)_loss" : name
    }

    public var isLargerBetter: Bool { false }

    public func sums(_ batch: MetricInputs) throws -> Tensor {
        try batch.mean(loss(targets: batch.targets, predictions: batch.predictions))
    }

    // MARK: Equality and files

    public static func == (a: LossMetric, b: LossMetric) -> Bool {
        CodableLoss(a.loss) == CodableLoss(b.loss)
    }

    public func hash(into hasher: inout Hasher) { loss.hash(into: &hasher) }

    private enum CodingKeys: CodingKey { case loss }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        loss = try container.decode(CodableLoss.self, forKey: .loss).loss
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(CodableLoss(loss), forKey: .loss)
    }
}

extension Metric where Self == LossMetric {
    /// The mean of a loss.
    public static func loss(_ loss: any Loss) -> LossMetric { LossMetric(loss) }
    /// The mean of `(p - t)²`.
    public static var meanSquaredError: LossMetric { LossMetric(.meanSquaredError) }
    /// The mean of `|p - t|`.
    public static var meanAbsoluteError: LossMetric { LossMetric(.meanAbsoluteError) }
}
