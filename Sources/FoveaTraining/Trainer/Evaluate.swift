import FoveaDatasets
import FoveaGraph
import FoveaRuntime

/// How good a model is on a data set.
public struct Evaluation: Hashable, Codable, Sendable {
    /// The mean loss over all examples.
    public let loss: Double
    /// By name, such as `accuracy`.
    public let metrics: [String: Double]
}

extension Trainer {
    /// The loss and the metrics of the model, in inference mode, over a data set.
    ///
    /// - Parameters:
    ///   - examples: what to measure on.
    ///   - batchSize: examples computed at once.
    /// - Throws: `TrainingError` for data that does not fit the model; `ShapeError` when the targets do not fit the loss.
    public func evaluate(_ examples: Examples, batchSize: Int = 32) throws -> Evaluation {
        try check("batchSize", batchSize, in: 1..., "positive")
        try check(examples, .evaluation)
        let totals = try evaluated(examples, 0..<examples.count, batchSize)
        return Evaluation(loss: totals.meanLoss, metrics: totals.metrics)
    }

    /// The model's outputs, in inference mode.
    ///
    /// - Parameters:
    ///   - inputs: `[count, …]`, float32, or uint8 for images.
    ///   - batchSize: examples computed at once.
    /// - Returns: `[count, …]`, float32.
    /// - Throws: `TrainingError` for inputs that do not fit the model.
    public func predict(inputs: TensorValue, batchSize: Int = 32) throws -> TensorValue {
        try check("batchSize", batchSize, in: 1..., "positive")
        try checkInputs(inputs, .prediction)
        let count = inputs.shape[0]
        let batches = batchRanges(0..<count, size: batchSize)
        let loader = BatchLoader(["inputs": inputs], order: Array(0..<count), batches: batches)
        var outputs: [Float] = []
        outputs.reserveCapacity(count * outputShape.elementCount)
        for batch in batches {
            let executable = try predictionExecutable(inputs.dtype, batch: batch.count)
            try loader.load(into: executable)
            try executable.run(step: 0)
            outputs += try executable.output(0).floats
        }
        return try TensorValue(shape: Shape([count] + outputShape.dimensions), outputs)
    }

    /// Loss and metrics over some of the examples.
    func evaluated(_ examples: Examples, _ range: Range<Int>, _ batchSize: Int) throws -> Totals {
        var totals = Totals(configuration.metrics)
        let batches = batchRanges(0..<range.count, size: batchSize)
        let loader = BatchLoader(examples, order: Array(range), batches: batches)
        for batch in batches {
            let executable = try evaluationExecutable(for: examples, batch: batch.count)
            try loader.load(into: executable)
            try executable.run(step: 0)
            try totals.add(executable, examples: batch.count)
        }
        return totals
    }

    /// A range cut into pieces of one size; the last one has the rest.
    func batchRanges(_ range: Range<Int>, size: Int) -> [Range<Int>] {
        let size = min(size, range.count)
        return stride(from: range.lowerBound, to: range.upperBound, by: size).map {
            $0..<min($0 + size, range.upperBound)
        }
    }
}

/// Loss and metrics summed over batches, so that each example weighs the same whatever batch it was in.
@Compute
struct Totals {
    private(set) var examples = 0
    private var loss = 0.0
    private var sums: [(metric: Metric, sums: [Double])]

    init(_ metrics: [Metric]) { sums = metrics.map { ($0, []) } }

    /// Takes in the outputs of a run: the mean loss, then the sums of each metric. Returns the loss.
    @discardableResult
    mutating func add(_ executable: any Executable, examples count: Int) throws -> Float {
        let batchLoss = try executable.output(0).scalar
        loss += Double(batchLoss) * Double(count)
        examples += count
        for index in sums.indices {
            let batch = try executable.output(1 + index).doubles
            let before = sums[index].sums
            sums[index].sums = before.isEmpty ? batch : zip(before, batch).map(+)
        }
        return batchLoss
    }

    var meanLoss: Double { loss / Double(examples) }
    var metrics: [String: Double] {
        Dictionary(uniqueKeysWithValues: sums.map { ($0.metric.name, $0.metric.value(of: $0.sums)) })
    }

    /// What a progress bar shows.
    var sortedValues: [(name: String, value: Double)] {
        History.Epoch(number: 0, loss: meanLoss, metrics: metrics, seconds: 0).values
    }
}
