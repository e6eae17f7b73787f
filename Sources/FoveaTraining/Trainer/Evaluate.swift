import FoveaDatasets
import FoveaGraph
import FoveaRuntime

/// How good a model is on a data set.
public struct Evaluation: Hashable, Codable, Sendable {
    /// The mean loss over all examples.
    public let loss: Double
    /// By name, such as `accuracy`; of a model with several outputs also the loss of each.
    public let metrics: [String: Double]
}

extension Trainer {
    /// The loss and the metrics of the model, in inference mode, over a data set.
    ///
    /// - Parameters:
    ///   - examples: what to measure on.
    ///   - batchSize: examples computed at once.
    ///   - steps: how many batches from the first on; all when nil.
    /// - Throws: `TrainingError` for data that does not fit the model; `ShapeError` when the targets do not fit the loss.
    public func evaluate(_ examples: Examples, batchSize: Int = 32, steps: Int? = nil) throws -> Evaluation {
        try check("batchSize", batchSize, in: 1..., "positive")
        if let steps { try check("steps", steps, in: 1..., "positive") }
        try check(examples, .evaluation)
        let totals = try evaluated(examples, 0..<examples.count, batchSize, steps: steps)
        return Evaluation(loss: totals.meanLoss, metrics: totals.metrics)
    }

    /// The loss and the metrics of the model, in inference mode, over the batches of a data set.
    ///
    /// - Parameters:
    ///   - batches: what to measure on: those of epoch 0.
    ///   - steps: how many batches from the first on; all when nil.
    ///   - loaderThreads: how many threads compute examples, as for `fit`.
    ///   - prefetch: how many batches may be ready or under way beyond the one that is evaluated.
    /// - Throws: `TrainingError` for data that does not fit the model and when every batch is left out
    ///   (`ElementErrorPolicy.skip`); `ShapeError` when the targets do not fit the loss; what computing a batch throws.
    public func evaluate(
        _ batches: Dataset<Examples>, steps: Int? = nil, loaderThreads: Int? = nil, prefetch: Int = 2
    ) throws -> Evaluation {
        if let steps { try check("steps", steps, in: 1..., "positive") }
        let totals = try evaluated(
            loaded(batches, steps: steps, .evaluation, threads: loaderThreads, prefetch), .evaluation)
        return Evaluation(loss: totals.meanLoss, metrics: totals.metrics)
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
        let loaded = try loaded(batches, steps: steps, .prediction, threads: loaderThreads, prefetch)
        var outputs = outputShapes.map { _ in [Float]() }
        var count = 0
        try forEachBatch(of: loaded, .prediction) { batch in
            try checkInputs(batch.inputs, .prediction)
            let executable = try predictionExecutable(batch.inputs.map(\.dtype), batch: batch.count)
            for (input, value) in zip(inputs, batch.inputs) {
                try executable.setInput(inputKey(input.name), to: value)
            }
            try executable.run(step: 0)
            for index in outputs.indices { outputs[index] += try executable.output(index).floats }
            count += batch.count
        }
        return try zip(outputShapes, outputs).map {
            try TensorValue(shape: Shape([count] + $0.dimensions), $1)
        }
    }

    /// The batches to evaluate.
    ///
    /// - Throws: `TrainingError` when there are none, or endlessly many; `DatasetError` for arguments out of range.
    func loaded(
        _ batches: Dataset<Examples>, steps: Int?, _ data: TrainingError.Data, threads: Int?, _ prefetch: Int
    ) throws -> LoadedDataset<Examples> {
        guard batches.count != 0 else { throw TrainingError.noExamples(data) }
        guard let count = steps ?? batches.count else {
            throw TrainingError.invalidArgument(
                data == .validation ? "validationSteps" : "steps", "nil",
                expected: "given, because the data set is endless")
        }
        return try batches.take(count).loaded(threads: threads, ahead: prefetch)
    }

    /// Calls `body` with each batch that is not left out.
    ///
    /// - Throws: `TrainingError` when all are.
    private func forEachBatch(
        of batches: LoadedDataset<Examples>, _ data: TrainingError.Data, _ body: (Examples) throws -> Void
    ) throws {
        var iterator = batches.makeAsyncIterator()
        var isEmpty = true
        var firstReason: (any Error)?
        while let turn = try iterator.nextBlockingTurn() {
            switch turn {
            case .success(let batch):
                isEmpty = false
                try body(batch)
            case .failure(let leftOut): firstReason = firstReason ?? leftOut.reason
            }
        }
        if isEmpty, let firstReason { throw TrainingError.everyBatchLeftOut(data, "\(firstReason)") }
    }

    /// Loss and metrics over batches.
    func evaluated(_ batches: LoadedDataset<Examples>, _ data: TrainingError.Data) throws -> Totals {
        var totals = Totals(self)
        try forEachBatch(of: batches, data) { batch in
            try check(batch, data)
            let executable = try evaluationExecutable(GraphKey(batch), batch: batch.count)
            for (name, value) in batch.sources(for: self) { try executable.setInput(name, to: value) }
            try executable.run(step: 0)
            try totals.add(executable, examples: batch.count)
        }
        return totals
    }

    /// The model's outputs, in inference mode.
    ///
    /// - Parameters:
    ///   - inputs: for each input of the model `[count, …]`, float32, or uint8 for images.
    ///   - batchSize: examples computed at once.
    /// - Returns: for each output of the model `[count, …]`, float32.
    /// - Throws: `TrainingError` for inputs that do not fit the model.
    public func predict(inputs: [TensorValue], batchSize: Int = 32) throws -> [TensorValue] {
        try check("batchSize", batchSize, in: 1..., "positive")
        try checkInputs(inputs, .prediction)
        let examples = try Examples(inputs: inputs, targets: [])
        let batches = batchRanges(0..<examples.count, size: batchSize)
        let loader = BatchLoader(
            examples.sources(for: self), order: Array(0..<examples.count), batches: batches)
        var outputs = outputShapes.map { _ in [Float]() }
        for index in outputs.indices {
            outputs[index].reserveCapacity(examples.count * outputShapes[index].elementCount)
        }
        for batch in batches {
            let executable = try predictionExecutable(inputs.map(\.dtype), batch: batch.count)
            try loader.load(into: executable)
            try executable.run(step: 0)
            for index in outputs.indices { outputs[index] += try executable.output(index).floats }
        }
        return try zip(outputShapes, outputs).map {
            try TensorValue(shape: Shape([examples.count] + $0.dimensions), $1)
        }
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

    /// Loss and metrics over some of the examples, or over the first `steps` batches of them.
    func evaluated(
        _ examples: Examples, _ range: Range<Int>, _ batchSize: Int, steps: Int? = nil
    ) throws -> Totals {
        var totals = Totals(self)
        var batches = batchRanges(0..<range.count, size: batchSize)
        if let steps { batches = Array(batches.prefix(steps)) }
        let key = GraphKey(examples)
        let loader = BatchLoader(examples.sources(for: self), order: Array(range), batches: batches)
        for batch in batches {
            let executable = try evaluationExecutable(key, batch: batch.count)
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
