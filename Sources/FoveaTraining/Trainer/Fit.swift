import FoveaDatasets
import FoveaGraph
import FoveaRuntime

extension Trainer {
    /// Trains the model: `epochs` times through all training examples, a step of the optimizer for each batch.
    ///
    /// What was frozen when the model was compiled stays as it is, whatever `isTrainable` says now.
    ///
    /// The same seed, data and arguments give the same parameters, bit for bit. The number of a step, counted from the first
    /// epoch on, decides the order of the examples, the random numbers of layers and the place in a schedule. So a second call
    /// without `initialEpoch` repeats those of the first, such as `fit(data, epochs: 1)` in a loop (Keras draws new ones):
    /// say how many epochs there were before, and it goes on where that call stopped. `fit(data, epochs: 1)` followed by
    /// `fit(data, epochs: 3, initialEpoch: 1)` gives the bits of `fit(data, epochs: 3)`.
    ///
    /// The reported training loss is the mean over the examples of an epoch, each as it
    /// was when its batch was trained on.
    ///
    /// - Parameters:
    ///   - examples: training data.
    ///   - epochs: the number of the last epoch, counted from 1: how many there are when `initialEpoch` is 0.
    ///   - batchSize: examples per step. The last batch of all has the rest.
    ///   - validationSplit: the part of `examples`, from the end and before shuffling, that is validated on instead of
    ///     trained on, in `0..<1`.
    ///   - validation: data to evaluate after each epoch; not together with `validationSplit`.
    ///   - shuffle: whether the training examples come in another order in each epoch.
    ///   - seed: for that order and for random layers such as dropout.
    ///   - initialEpoch: how many epochs were done before, as in Keras; training goes on with the next. A history and callbacks
    ///     begin anew but count epochs from there; a checkpoint (`BackupAndRestore`) says itself where to go on.
    ///   - classWeights: how much the examples of each class count in the training loss.
    ///   - stepsPerEpoch: how many steps an epoch has; one for each batch when nil. The next epoch goes on behind the last
    ///     batch, and with the first when all have been used.
    ///   - validationSteps: how many batches are validated on; all when nil.
    ///   - validationFrequency: after which epochs is validated: every so many, such as 2 for those whose number is even.
    ///   - callbacks: who looks on, called in this order.
    ///   - verbosity: how much is printed.
    ///   - output: where it is printed.
    ///   - stop: ends training early. Steps already taken count, also those of an epoch that the history lacks because it
    ///     was not completed.
    ///   - sharding: into which shards batches are cut, and which processes share them out; not cut when nil.
    /// - Returns: what was reported after each complete epoch of this training.
    /// - Throws: `TrainingError` for data that does not fit the model or arguments out of range, before anything is
    ///   changed; for a loss that is not finite, with the model and optimizer as after the last good epoch. `ShapeError`
    ///   when the targets do not fit the loss. What callbacks throw.
    @discardableResult
    public func fit(
        _ examples: Examples, epochs: Int = 1, batchSize: Int = 32, validationSplit: Double = 0,
        validation: Examples? = nil, shuffle: Bool = true, seed: UInt64 = 0, initialEpoch: Int = 0,
        classWeights: ClassWeights? = nil, stepsPerEpoch: Int? = nil, validationSteps: Int? = nil,
        validationFrequency: Int = 1,
        callbacks: [any Callback] = [], verbosity: Verbosity = .auto, output: ProgressOutput = .standard,
        stop: StopSignal? = nil, sharding: Sharding? = nil
    ) throws -> History {
        try sharding?.check()
        try check("batchSize", batchSize, in: 1..., "positive")
        try checkRun(epochs, initialEpoch, stepsPerEpoch, validationSteps, validationFrequency)
        try check(examples, .training, classWeights: classWeights)
        if let validation { try check(validation, .validation) }
        let trainingCount = try trainingCount(of: examples, validationSplit, hasValidation: validation != nil)
        let validated =
            validation.map { ($0, 0..<$0.count) }
            ?? (trainingCount < examples.count ? (examples, trainingCount..<examples.count) : nil)

        let batches = try Dataset.batches(
            of: examples, 0..<trainingCount, size: batchSize, shuffleSeed: shuffle ? seed : nil)
        let key = GraphKey(examples, classWeights: classWeights)
        let size = min(batchSize, trainingCount)
        let source = try DatasetSource(
            batches, epochs: epochs, stepsPerEpoch: stepsPerEpoch,
            conditions: [
                "order of examples": shuffle ? "shuffled" : "as given", "seed": "\(seed)",
                "number of examples": "\(trainingCount)", "batch size": "\(size)",
                "targets and weights": key.summary,
            ], loaderThreads: 1, stop: stop, sharding: sharding)
        // Before the first step, so that its time is that of a step.
        let parts = sharding.map { sharding in
            { (size: Int) in sharding.own.map { partRange($0, of: sharding.count, in: size).count } }
        }
        for size in Set([size, trainingCount % size].flatMap(parts ?? { [$0] })).subtracting([0]).sorted(
            by: >)
        {
            try runner.prepare(sharding == nil ? trainingStep(key) : shardStep(key), batch: size)
        }
        let run = TrainingRun(
            self, source: source, isChecked: true, classWeights: classWeights, seed: seed, epochs: epochs,
            initialEpoch: initialEpoch, callbacks: callbacks, stop: stop, verbosity: verbosity,
            output: output,
            validation: validated.map { data, range in
                validationSource(
                    data, range, batchSize, steps: validationSteps, frequency: validationFrequency,
                    sharding)
            }, sharding: sharding)
        return try run.train()
    }

    /// Trains the model on batches that a sequence makes, perhaps without end: one step of the optimizer for each.
    ///
    /// - Parameters:
    ///   - batches: each becomes one step. A graph is compiled for each size that occurs.
    ///   - stepsPerEpoch: how many batches an epoch takes. The next epoch goes on where the last one stopped.
    ///   - epochs: the number of the last epoch, counted from 1.
    ///   - validation: data to evaluate after each epoch.
    ///   - validationBatchSize: examples evaluated at once.
    ///   - seed: for random layers such as dropout.
    ///   - initialEpoch: how many epochs were done before; as many batches as they had are dropped.
    ///   - classWeights: how much the examples of each class count in the training loss.
    ///   - validationSteps: how many batches are validated on; all when nil.
    ///   - validationFrequency: after which epochs is validated: every so many, such as 2 for those whose number is even.
    ///   - callbacks: who looks on, called in this order.
    ///   - verbosity: how much is printed.
    ///   - output: where it is printed.
    ///   - stop: ends training early.
    ///   - sharding: as for examples. Each process follows the sequence and takes its shards of every batch.
    /// - Returns: what was reported after each complete epoch of this training.
    /// - Throws: as `fit` for examples; `TrainingError.outOfBatches` when the sequence ends before the last epoch.
    @discardableResult
    public func fit<Batches: Sequence<Examples>>(
        batches: Batches, stepsPerEpoch: Int, epochs: Int = 1, validation: Examples? = nil,
        validationBatchSize: Int = 32, seed: UInt64 = 0, initialEpoch: Int = 0,
        classWeights: ClassWeights? = nil, validationSteps: Int? = nil, validationFrequency: Int = 1,
        callbacks: [any Callback] = [],
        verbosity: Verbosity = .auto, output: ProgressOutput = .standard, stop: StopSignal? = nil,
        sharding: Sharding? = nil
    ) throws -> History {
        try sharding?.check()
        try check("validationBatchSize", validationBatchSize, in: 1..., "positive")
        try checkRun(epochs, initialEpoch, stepsPerEpoch, validationSteps, validationFrequency)
        if let validation { try check(validation, .validation) }
        let source = SequenceSource(
            batches, stepsPerEpoch: stepsPerEpoch, classWeights: classWeights, seed: seed,
            sharding: sharding)
        let run = TrainingRun(
            self, source: source, classWeights: classWeights, seed: seed, epochs: epochs,
            initialEpoch: initialEpoch, callbacks: callbacks, stop: stop, verbosity: verbosity,
            output: output,
            validation: validation.map { data in
                validationSource(
                    data, 0..<data.count, validationBatchSize, steps: validationSteps,
                    frequency: validationFrequency, sharding)
            }, sharding: sharding)
        return try run.train()
    }

    /// Trains the model on the batches of a data set, which are computed ahead on threads of their own.
    ///
    /// Training goes through the data set again and again, each time as another epoch of it, in which what depends on chance
    /// is different. The number of a step decides its batch, so training that is resumed computes none again, and comes to
    /// the same bits as if it had not stopped, with any number of threads.
    ///
    /// ```swift
    /// let pictures = try Dataset(training).shuffled(seed: 1).map(seed: 2) { try augmented($0, using: &$1) }
    /// let history = try await trainer.fit(pictures.batched(32), epochs: 10, validation: Dataset(validation).batched(32))
    /// ```
    ///
    /// - Parameters:
    ///   - batches: each becomes one step. A graph is compiled for each size that occurs.
    ///   - epochs: the number of the last epoch, counted from 1.
    ///   - stepsPerEpoch: how many batches an epoch takes; as many as the data set has when nil. The next epoch goes on behind
    ///     the last batch.
    ///   - validation: batches to evaluate after each epoch: those of epoch 0 of that data set, each time.
    ///   - validationSteps: how many batches are validated on; all when nil.
    ///   - validationFrequency: after which epochs is validated: every so many, such as 2 for those whose number is even.
    ///   - seed: for random layers such as dropout; the data set has seeds of its own.
    ///   - initialEpoch: how many epochs were done before; training goes on with the next.
    ///   - classWeights: how much the examples of each class count in the training loss.
    ///   - loaderThreads: how many threads compute examples, as for `Dataset.loaded`; with 0 each step waits for its batch to
    ///     be computed. When nil one for each processor, at most 4.
    ///   - prefetch: how many batches may be ready or under way beyond that of the step under way.
    ///   - callbacks: who looks on, called in this order.
    ///   - verbosity: how much is printed.
    ///   - output: where it is printed.
    ///   - stop: ends training early.
    ///   - sharding: as for examples. A process computes the examples of its shards only, unless something was done with whole
    ///     batches.
    /// - Returns: what was reported after each complete epoch of this training.
    /// - Throws: as `fit` for examples; what computing a batch throws, when its turn comes. A batch that is left out
    ///   (`ElementErrorPolicy.skip`) is a step without an update, and ends training only with all others.
    @discardableResult
    public func fit(
        _ batches: Dataset<Examples>, epochs: Int = 1, stepsPerEpoch: Int? = nil,
        validation: Dataset<Examples>? = nil, validationSteps: Int? = nil, validationFrequency: Int = 1,
        seed: UInt64 = 0,
        initialEpoch: Int = 0, classWeights: ClassWeights? = nil, loaderThreads: Int? = nil,
        prefetch: Int = 2, callbacks: [any Callback] = [], verbosity: Verbosity = .auto,
        output: ProgressOutput = .standard, stop: StopSignal? = nil, sharding: Sharding? = nil
    ) throws -> History {
        try sharding?.check()
        try checkRun(epochs, initialEpoch, stepsPerEpoch, validationSteps, validationFrequency)
        let validation = try validation.map { data in
            let all = try evaluable(data, steps: validationSteps, .validation)
            func loaded(_ batches: Dataset<Examples>) throws -> LoadedDataset<Examples> {
                try batches.loaded(threads: loaderThreads, ahead: prefetch)
            }
            // So that arguments out of range are found before anything is changed.
            var batches = try loaded(all)
            batches.isUnwanted = { stop?.isRequested == true }
            return ValidationSource(
                frequency: validationFrequency,
                summary: summary("\(data)", steps: validationSteps, validationFrequency),
                fingerprints: { data.fingerprints },
                evaluate: { [self] in
                    if let sharding { return try evaluated(all, .validation, sharding, loaded: loaded) }
                    return try evaluated(batches, .validation)
                })
        }
        let source = try DatasetSource(
            batches, epochs: epochs, stepsPerEpoch: stepsPerEpoch,
            conditions: [
                "data set": batches.description, "seed": "\(seed)", "class weights": classWeights.summary,
            ], loaderThreads: loaderThreads, prefetch: prefetch, stop: stop, sharding: sharding)
        let run = TrainingRun(
            self, source: source, classWeights: classWeights, seed: seed, epochs: epochs,
            initialEpoch: initialEpoch, callbacks: callbacks, stop: stop, verbosity: verbosity,
            output: output, validation: validation, sharding: sharding)
        return try run.train()
    }

    private func validationSource(
        _ examples: Examples, _ range: Range<Int>, _ batchSize: Int, steps: Int?, frequency: Int,
        _ sharding: Sharding?
    ) -> ValidationSource {
        ValidationSource(
            frequency: frequency,
            summary: summary("examples \(range) in batches of \(batchSize)", steps: steps, frequency),
            fingerprints: { Dataset(examples).fingerprints },
            evaluate: { [self] in
                var batches = try Dataset.batches(of: examples, range, size: batchSize)
                if let steps { batches = try batches.take(steps) }
                guard let sharding else {
                    return try evaluated(batches.loadedFromMemory(), .validation, isChecked: true)
                }
                return try evaluated(batches, .validation, isChecked: true, sharding) {
                    try $0.loadedFromMemory()
                }
            })
    }

    private func summary(_ batches: String, steps: Int?, _ frequency: Int) -> String {
        batches + (steps.map { ", \($0) of them" } ?? "")
            + (frequency == 1 ? "" : ", after every \(frequency) epochs")
    }

    /// Checks what all ways of training have in common.
    private func checkRun(
        _ epochs: Int, _ initialEpoch: Int, _ stepsPerEpoch: Int?, _ validationSteps: Int?,
        _ validationFrequency: Int
    ) throws {
        // So that the number of a step is always one that an Int can hold.
        let limit = Int(Int32.max)
        try check("epochs", epochs, in: 1...limit, "in 1...\(limit)")
        try check("initialEpoch", initialEpoch, in: 0..<epochs, "in 0..<\(epochs), less than epochs")
        if let stepsPerEpoch { try check("stepsPerEpoch", stepsPerEpoch, in: 1...limit, "in 1...\(limit)") }
        if let validationSteps { try check("validationSteps", validationSteps, in: 1..., "positive") }
        try check("validationFrequency", validationFrequency, in: 1..., "positive")
        guard learningRate.isFinite, learningRate >= 0 else {
            throw TrainingError.invalidArgument(
                "learningRate", "\(learningRate)", expected: "a number that is not negative, such as 0.001")
        }
        if trained.isEmpty { throw TrainingError.nothingToTrain }
    }
}
