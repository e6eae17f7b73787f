import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaRuntime

/// A model's outputs in inference mode, for batches of any size.
@Compute
final class ModelOutputs {
    nonisolated let model: CompiledModel
    /// Of one example, in the order of the outputs.
    nonisolated let shapes: [Shape]
    nonisolated let runner: StepRunner
    private var steps = RecentlyUsed<[TensorType], Step>(limit: 8)

    nonisolated init(_ model: CompiledModel, shapes: [Shape], runner: StepRunner) {
        self.model = model
        self.shapes = shapes
        self.runner = runner
    }

    /// The outputs for the inputs of batches; targets are not looked at.
    ///
    /// - Parameters:
    ///   - batches: the batches.
    ///   - seen: is given each batch that was not left out.
    /// - Returns: for each output `[count, …]`, float32, where `count` is the number of examples that were not left out.
    /// - Throws: `TrainingError` for inputs that do not fit the model, for those of several sizes whose outputs have not one
    ///   shape, and when every batch is left out; what computing a batch throws.
    func values(
        for batches: LoadedDataset<Examples>, seen: (Examples) throws -> Void = { _ in }
    ) throws -> [TensorValue] {
        var (outputs, shapes) = (shapes.map { _ in [Float]() }, shapes)
        var count = 0
        try batches.forEachBatch(.prediction) { batch in
            try model.checkInputs(batch.inputs, .prediction)
            let step = try step(for: batch.inputs.map(\.exampleType))
            let results = try runner.run(step, model.values(of: batch.inputs))
            for (index, result) in results.enumerated() {
                let value = try result.value()
                let shape = value.exampleType.shape
                guard shape == shapes[index] || count == 0 else {
                    throw TrainingError.invalidArgument(
                        "the shape of an output", "\(shapes[index]), then \(shape)",
                        expected:
                            "one for all batches, which are joined; ask for inputs of one size at a time")
                }
                shapes[index] = shape
                outputs[index] += value.floats
            }
            count += batch.count
            try seen(batch)
        }
        return try zip(shapes, outputs).map { shape, values in
            try TensorValue(shape: Shape([count] + shape.with(openExtents: 0).dimensions), values)
        }
    }

    private func step(for types: [TensorType]) throws -> Step {
        try steps.value(types) { Step(outputs: try model.outputs(for: types), mode: .inference) }
    }
}

extension LoadedDataset<Examples> {
    /// Calls `body` with each batch that is not left out.
    ///
    /// - Throws: `TrainingError` when all are.
    @Compute
    func forEachBatch(_ data: TrainingError.Data, _ body: (Examples) throws -> Void) throws {
        var iterator = makeAsyncIterator()
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
}

extension Dataset<Examples> {
    /// Batches that are copied from examples in memory, in their order or shuffled.
    ///
    /// - Parameter range: which examples; all when nil.
    static func batches(
        of examples: Examples, _ range: Range<Int>? = nil, size: Int, shuffleSeed: UInt64? = nil
    ) throws -> Dataset<Examples> {
        var rows = Dataset<Example>(examples)
        if let range { rows = try rows.skip(range.lowerBound).take(range.count) }
        if let shuffleSeed { rows = try rows.shuffled(seed: shuffleSeed) }
        return try rows.batched(min(size, max(1, rows.count ?? size)))
    }

    /// The batches, copied by one thread while the one before them is computed; those of examples in memory take no more.
    func loadedFromMemory() throws -> LoadedDataset<Examples> {
        try loaded(threads: count == 1 ? 0 : 1)
    }
}
