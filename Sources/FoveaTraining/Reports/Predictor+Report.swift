import FoveaDatasets
import FoveaGraph
import FoveaLayers

extension Predictor {
    /// How well the model tells the classes of a data set apart, whatever it was trained with.
    ///
    /// - Parameters:
    ///   - examples: with one target each: a class number, a row such as a one-hot one, or for a model with a single output a
    ///     number of which those above 0.5 are class 1.
    ///   - batchSize: examples computed at once.
    ///   - onError: what becomes of an example that cannot be computed, such as a picture that is damaged.
    ///   - loaderThreads: how many threads compute examples, as for `Dataset.loaded`.
    /// - Throws: `TrainingError` for inputs that do not fit the model, targets that name no class, and when there is no example;
    ///   `ShapeError` when the model has several outputs; what computing an example throws.
    public func report(
        on examples: Dataset<Example>, batchSize: Int = 32, onError: ElementErrorPolicy = .stop,
        loaderThreads: Int? = nil
    ) async throws -> ClassificationReport {
        _ = try model.outputShape
        let numbered = try NumberedExamples(examples, batchSize: batchSize, onError: onError, .evaluation)
        return try await report(on: numbered.batches.loaded(threads: loaderThreads))
    }

    @Compute
    private func report(on batches: LoadedDataset<Examples>) throws -> ClassificationReport {
        var (numbers, targets) = ([Int](), JoinedRows())
        let predictions = try outputs.values(for: batches) { batch in
            let (examples, ofBatch) = try NumberedExamples.separated(batch)
            numbers += ofBatch
            try targets.add(examples.onlyTarget())
        }
        guard let targets = try targets.joined() else { throw TrainingError.noExamples(.evaluation) }
        return try ClassificationReport(
            targets: targets, predictions: predictions[0], fromLogits: givesLogits, classNames: classNames,
            indices: numbers)
    }
}

extension Examples {
    /// - Throws: `TrainingError` when there is another number of targets.
    func onlyTarget() throws -> TensorValue {
        guard let target = targets.first, targets.count == 1 else {
            throw TrainingError.wrongCount(
                "targets", expected: ["the class"], received: targets.count, in: .evaluation)
        }
        return target
    }
}
