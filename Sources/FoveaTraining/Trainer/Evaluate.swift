import FoveaDatasets
import FoveaFiles
import FoveaGraph
import FoveaRuntime

/// How good a model is on a data set.
public struct Evaluation: Hashable, Codable, Sendable, CustomStringConvertible {
    /// The mean loss over all examples.
    public let loss: Double
    /// By name, such as `accuracy`; of a model with several outputs also the loss of each.
    public let metrics: [String: Double]

    /// The metric `accuracy`; nil when it was not asked for.
    public var accuracy: Double? { metrics["accuracy"] }

    /// The number of that name, such as `loss`; nil when there is none.
    public subscript(name: String) -> Double? { name == "loss" ? loss : metrics[name] }

    /// The numbers as training prints them: `accuracy: 0.9060 - loss: 0.2634`.
    public var description: String {
        metrics.merging(["loss": loss]) { _, loss in loss }.sorted { $0.key < $1.key }
            .map { namedNumber($0.key, $0.value) }.joined(separator: " - ")
    }
}

extension Trainer {
    /// The loss and the metrics of the model, in inference mode, over a data set.
    ///
    /// - Parameters:
    ///   - examples: what to measure on.
    ///   - batchSize: examples computed at once.
    ///   - steps: how many batches from the first on; all when nil.
    ///   - output: where it is warned of outputs and targets that do not fit the loss, unless that was done before.
    /// - Throws: `TrainingError` for data that does not fit the model; `ShapeError` when the targets do not fit the loss.
    public func evaluate(
        _ examples: Examples, batchSize: Int = 32, steps: Int? = nil, output: ProgressOutput = .standard
    ) throws -> Evaluation {
        try check("batchSize", batchSize, in: 1..., "positive")
        if let steps { try check("steps", steps, in: 1..., "positive") }
        try check(examples, .evaluation)
        try warn(on: output)
        let batches = try Dataset.batches(of: examples, size: batchSize)
        let totals = try evaluated(
            (steps.map { try batches.take($0) } ?? batches).loadedFromMemory(), .evaluation, isChecked: true)
        return Evaluation(loss: totals.meanLoss, metrics: totals.metrics)
    }

    /// The loss and the metrics of the model, in inference mode, over the batches of a data set.
    ///
    /// - Parameters:
    ///   - batches: what to measure on: those of epoch 0.
    ///   - steps: how many batches from the first on; all when nil.
    ///   - loaderThreads: how many threads compute examples, as for `fit`.
    ///   - prefetch: how many batches may be ready or under way beyond the one that is evaluated.
    ///   - output: where it is warned of outputs and targets that do not fit the loss, unless that was done before.
    /// - Throws: `TrainingError` for data that does not fit the model and when every batch is left out
    ///   (`ElementErrorPolicy.skip`); `ShapeError` when the targets do not fit the loss; what computing a batch throws.
    public func evaluate(
        _ batches: Dataset<Examples>, steps: Int? = nil, loaderThreads: Int? = nil, prefetch: Int = 2,
        output: ProgressOutput = .standard
    ) throws -> Evaluation {
        if let steps { try check("steps", steps, in: 1..., "positive") }
        try warn(on: output)
        let totals = try evaluated(
            loaded(batches, steps: steps, .evaluation, threads: loaderThreads, prefetch), .evaluation)
        // Of targets that were seen only now.
        try warn(on: output)
        return Evaluation(loss: totals.meanLoss, metrics: totals.metrics)
    }

    /// Says what is wrong with outputs, and with targets that have been seen, each once.
    private func warn(on output: ProgressOutput) throws {
        for problem in try outputProblems { warnings.note(problem, about: problem) }
        for problem in warnings.take() { output.warn(visibleLines(problem) + "\n") }
    }

    /// The model's outputs, in inference mode, for the inputs of a data set; targets are not looked at.
    ///
    /// - Parameters: as for `evaluate` on a data set.
    /// - Returns: for each output of the model `[count, …]`, float32, where `count` is the number of examples, those not
    ///   counted that are left out (`ElementErrorPolicy.skip`).
    /// - Throws: `TrainingError` for inputs that do not fit the model and when every batch is left out; what computing a
    ///   batch throws.
    public func predict(
        _ batches: Dataset<Examples>, steps: Int? = nil, loaderThreads: Int? = nil, prefetch: Int = 2
    ) throws -> [TensorValue] {
        if let steps { try check("steps", steps, in: 1..., "positive") }
        return try modelOutputs.values(
            for: loaded(batches, steps: steps, .prediction, threads: loaderThreads, prefetch))
    }

    /// The batches to evaluate.
    ///
    /// - Throws: `TrainingError` when there are none, or endlessly many; `DatasetError` for arguments out of range.
    func loaded(
        _ batches: Dataset<Examples>, steps: Int?, _ data: TrainingError.Data, threads: Int?, _ prefetch: Int
    ) throws -> LoadedDataset<Examples> {
        try evaluable(batches, steps: steps, data).loaded(threads: threads, ahead: prefetch)
    }

    /// As many batches as were asked for.
    ///
    /// - Throws: `TrainingError` when there are none, or endlessly many.
    func evaluable(
        _ batches: Dataset<Examples>, steps: Int?, _ data: TrainingError.Data
    ) throws -> Dataset<Examples> {
        guard batches.count != 0 else { throw TrainingError.noExamples(data) }
        guard let count = steps ?? batches.count else {
            throw TrainingError.invalidArgument(
                data == .validation ? "validationSteps" : "steps", "nil",
                expected: "given, because the data set is endless")
        }
        return try batches.take(count)
    }

    /// Loss and metrics over batches.
    ///
    /// - Parameter isChecked: whether all of them are known to fit the model.
    func evaluated(
        _ batches: LoadedDataset<Examples>, _ data: TrainingError.Data, isChecked: Bool = false
    ) throws -> Totals {
        var totals = Totals(self)
        try batches.forEachBatch(data) { batch in
            if !isChecked { try check(batch, data) }
            let results = try runner.run(evaluationStep(GraphKey(batch)), values(of: batch))
            try totals.add(results, examples: batch.count)
        }
        return totals
    }

    /// The model's outputs, in inference mode, for the inputs of examples; targets are not looked at.
    ///
    /// - Parameters: as for `evaluate` on examples.
    /// - Returns: for each output of the model `[count, …]`, float32.
    /// - Throws: `TrainingError` for inputs that do not fit the model.
    public func predict(_ examples: Examples, batchSize: Int = 32, steps: Int? = nil) throws -> [TensorValue]
    {
        try check("batchSize", batchSize, in: 1..., "positive")
        if let steps { try check("steps", steps, in: 1..., "positive") }
        try compiled.checkInputs(examples.inputs, .prediction)
        let batches = try Dataset.batches(of: examples, size: batchSize)
        return try modelOutputs.values(
            for: (steps.map { try batches.take($0) } ?? batches).loadedFromMemory())
    }

    /// The model's outputs, in inference mode.
    ///
    /// - Parameters:
    ///   - inputs: for each input of the model `[count, …]`, float32, or uint8 for images.
    ///   - batchSize: examples computed at once.
    /// - Returns: for each output of the model `[count, …]`, float32.
    /// - Throws: `TrainingError` for inputs that do not fit the model.
    public func predict(inputs: [TensorValue], batchSize: Int = 32) throws -> [TensorValue] {
        try compiled.checkInputs(inputs, .prediction)
        return try predict(Examples(inputs: inputs, targets: []), batchSize: batchSize)
    }

    /// The output, in inference mode, of a model with one input and one output.
    ///
    /// - Parameters:
    ///   - inputs: `[count, …]`, float32, or uint8 for images.
    ///   - batchSize: examples computed at once.
    /// - Returns: `[count, …]`, float32.
    /// - Throws: `TrainingError` for inputs that do not fit the model; `ShapeError` when it has several outputs.
    public func predict(inputs: TensorValue, batchSize: Int = 32) throws -> TensorValue {
        _ = try model.outputShape
        return try predict(inputs: [inputs], batchSize: batchSize)[0]
    }
}
