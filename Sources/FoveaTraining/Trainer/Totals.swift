import FoveaGraph
import FoveaRuntime

/// Losses and metrics summed over batches, so that each example weighs the same whatever batch it was in.
struct Totals: Hashable, Codable, Sendable {
    private(set) var examples = 0
    private var loss = 0.0
    private var parts: [Part]

    private struct Part: Hashable, Codable {
        let name: String
        /// Nil for the loss of one output.
        let metric: CodableMetric?
        var sums: [Double] = []
    }

    init(_ trainer: Trainer) {
        let outputs = trainer.outputs
        let prefix = { (output: Trainer.TrainedOutput) in outputs.count > 1 ? "\(output.name)_" : "" }
        let losses = outputs.filter { trainer.reportsEachLoss && $0.training.loss != nil }
        parts =
            losses.map { Part(name: "\(prefix($0))loss", metric: nil) }
            + outputs.flatMap { output in
                output.training.metrics.map {
                    Part(name: prefix(output) + $0.name, metric: CodableMetric($0))
                }
            }
    }

    /// Which number is a loss or the value of which metric, by its name.
    var metricsByName: [String: (any Metric)?] {
        Dictionary(
            [("loss", nil)] + parts.map { ($0.name, $0.metric?.metric) },
            uniquingKeysWith: { first, _ in first })
    }

    /// Whether these can be sums of the same losses and metrics after some steps, of which the batches may have been left
    /// out.
    func fits(_ other: Totals, isBegun: Bool) -> Bool {
        let isEmpty = examples == 0
        return (isBegun || isEmpty)
            && parts.map(\.name) == other.parts.map(\.name)
            && parts.map(\.metric) == other.parts.map(\.metric)
            && parts.allSatisfy { isEmpty ? $0.sums.isEmpty : $0.metric != nil || $0.sums.count == 1 }
    }

    /// Takes in the results of a run of a trainer's step. Returns the loss.
    @Compute
    @discardableResult
    mutating func add(_ results: [RunOutput], examples count: Int) throws -> Float {
        try add(sums(of: results, examples: count), examples: count)
        return Float(plain: try results[0].value().scalar)
    }

    /// What the results of a run of a trainer's step add: to the loss, and to each of the other numbers.
    @Compute
    func sums(of results: [RunOutput], examples count: Int) throws -> [[Double]] {
        let batchLoss = Float(plain: try results[0].value().scalar)
        return [[Double(batchLoss) * Double(count)]]
            + (try zip(parts, results.dropFirst()).map { part, result in
                let batch = try result.value().doubles
                return part.metric == nil ? [batch[0] * Double(count)] : batch
            })
    }

    mutating func add(_ sums: [[Double]], examples count: Int) {
        loss += sums[0][0]
        examples += count
        for (index, batch) in zip(parts.indices, sums.dropFirst()) {
            let before = parts[index].sums
            parts[index].sums = before.isEmpty ? batch : zip(before, batch).map(+)
        }
    }

    /// Everything that was added; nothing where there was no example.
    var sums: [[Double]] { examples == 0 ? [] : [[loss]] + parts.map(\.sums) }

    /// How many of these there are where there was one.
    var sumCount: Int { 1 + parts.count }

    /// NaN of no examples, as are the metrics.
    var meanLoss: Double { Double(plain: loss / Double(examples)) }

    /// By name: the losses of single outputs and the metrics.
    var metrics: [String: Double] {
        Dictionary(
            parts.map { part in
                guard examples > 0 else { return (part.name, .nan) }
                return (
                    part.name,
                    Double(plain: part.metric?.metric.value(of: part.sums) ?? part.sums[0] / Double(examples))
                )
            }, uniquingKeysWith: { first, _ in first })
    }

    /// What a progress bar shows.
    var sortedValues: [(name: String, value: Double)] {
        History.Epoch(number: 0, loss: meanLoss, metrics: metrics, seconds: 0).values
    }
}

extension FloatingPoint {
    /// The number, or the NaN that is written without a sign: which one arithmetic gives says nothing.
    fileprivate init(plain number: Self) { self = number.isNaN ? .nan : number }
}
