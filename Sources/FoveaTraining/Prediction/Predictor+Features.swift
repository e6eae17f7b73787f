import FoveaDatasets
import FoveaGraph

extension Predictor {
    /// What the model makes of the inputs of examples, in memory, with their targets: the features that a new model is trained on
    /// when nothing is trained or random before them. That costs a pass through the model once instead of in every epoch.
    ///
    /// ```swift
    /// let base = try NamedNetwork.vgg16.model(input: [150, 150, 3], includeTop: false)
    /// let features = try await Predictor(base).features(of: Dataset(pictures, size: 150, classMode: .binary))
    /// try await head.fit(features, epochs: 30)                     // head takes [4, 4, 512]
    /// ```
    ///
    /// - Parameters:
    ///   - examples: such as the pictures of a folder: those of epoch 0, in their order.
    ///   - batchSize: examples computed at once.
    ///   - onError: what becomes of an example that cannot be computed, such as a picture that is damaged; with `skip` it is left
    ///     out of the features.
    ///   - loaderThreads: how many threads compute examples, as for `Dataset.loaded`.
    ///   - progress: called after each batch with the number of examples that are done.
    ///   - stop: ends the computation with `CancellationError`.
    /// - Returns: for each output of the model an input `[count, …]`, float32; targets and weights are those of the examples.
    /// - Throws: `TrainingError` for inputs that do not fit the model, and when there is no example or all were left out; what
    ///   computing an example throws.
    public func features(
        of examples: Dataset<Example>, batchSize: Int = 32, onError: ElementErrorPolicy = .stop,
        loaderThreads: Int? = nil, progress: @escaping @Sendable (Int) -> Void = { _ in },
        stop: StopSignal? = nil
    ) async throws -> Examples {
        guard let count = examples.count else {
            throw TrainingError.invalidArgument("examples", "endless", expected: "a data set with an end")
        }
        guard count > 0 else { throw TrainingError.noExamples(.prediction) }
        var batches = try examples.batched(batchSize, onError: onError).loaded(threads: loaderThreads)
        batches.isUnwanted = { stop?.isRequested == true }
        return try await features(of: batches, progress, stop)
    }

    @Compute
    private func features(
        of batches: LoadedDataset<Examples>, _ progress: (Int) -> Void, _ stop: StopSignal?
    ) throws -> Examples {
        var (targets, weights, count) = ([JoinedRows](), JoinedRows(), 0)
        let features = try outputs.values(for: batches) { batch in
            if count == 0 { targets = batch.targets.map { _ in JoinedRows() } }
            for (index, value) in batch.targets.enumerated() where targets.indices.contains(index) {
                targets[index].add(value)
            }
            if let ofBatch = batch.weights { weights.add(ofBatch) }
            count += batch.count
            if stop?.isRequested == true { throw CancellationError() }
            progress(count)
        }
        return try Examples(
            inputs: features, targets: targets.compactMap { try $0.joined() }, weights: weights.joined())
    }
}
