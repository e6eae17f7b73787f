import FoveaDatasets
import FoveaGraph
import FoveaRuntime

extension Trainer {
    /// Trains the model: `epochs` times through all training examples, a step of the optimizer for each batch.
    ///
    /// The same seed, data and arguments give the same parameters, bit for bit; also when training is divided into
    /// several calls with `initialEpoch`. The reported training loss is the mean over the examples of an epoch, each as it
    /// was when its batch was trained on.
    ///
    /// - Parameters:
    ///   - examples: training data.
    ///   - epochs: the number of the last epoch, counted from 1: how many there are when `initialEpoch` is 0.
    ///   - batchSize: examples per step. The last batch of an epoch has the rest.
    ///   - validationSplit: the part of `examples`, from the end and before shuffling, that is validated on instead of
    ///     trained on, in `0..<1`.
    ///   - validation: data to evaluate after each epoch; not together with `validationSplit`.
    ///   - shuffle: whether the training examples come in another order in each epoch.
    ///   - seed: for that order and for random layers such as dropout.
    ///   - initialEpoch: how many epochs were done before; training goes on with the next.
    ///   - verbosity: how much is printed.
    ///   - output: where it is printed.
    ///   - stop: ends training early. Steps already taken count, also those of an epoch that the history lacks because it
    ///     was not completed.
    /// - Returns: what was reported after each complete epoch of this call.
    /// - Throws: `TrainingError` for data that does not fit the model or arguments out of range, before anything is
    ///   changed; for a loss that is not finite, with the model and optimizer as after the last good epoch. `ShapeError`
    ///   when the targets do not fit the loss.
    public func fit(
        _ examples: Examples, epochs: Int = 1, batchSize: Int = 32, validationSplit: Double = 0,
        validation: Examples? = nil, shuffle: Bool = true, seed: UInt64 = 0, initialEpoch: Int = 0,
        verbosity: Verbosity = .auto, output: ProgressOutput = .standard, stop: StopSignal? = nil
    ) throws -> History {
        try check("epochs", epochs, in: 1..., "positive")
        try check("batchSize", batchSize, in: 1..., "positive")
        try check("initialEpoch", initialEpoch, in: 0..<epochs, "in 0..<\(epochs), less than epochs")
        guard learningRate.isFinite, learningRate >= 0 else {
            throw TrainingError.invalidArgument(
                "learningRate", "\(learningRate)", expected: "a number that is not negative, such as 0.001")
        }
        if trainedVariables.isEmpty { throw TrainingError.nothingToTrain }
        try check(examples, .training)
        if let validation { try check(validation, .validation) }
        let trainingCount = try trainingCount(of: examples, validationSplit, hasValidation: validation != nil)

        dropTrainingExecutables(exceptSeed: seed)
        let batches = batchRanges(0..<trainingCount, size: batchSize)
        var progress = ProgressPrinter(verbosity, output, epochs: epochs, steps: batches.count)
        defer { progress.abandon() }
        var history = History()
        var lastGood = try currentState()
        let clock = ContinuousClock()
        let start = clock.now
        func now() -> Double { (clock.now - start) / .seconds(1) }

        for epoch in initialEpoch..<epochs {
            let epochStart = now()
            progress.beginEpoch(epoch + 1, at: epochStart)
            let order =
                shuffle
                ? shuffledOrder(count: trainingCount, seed: seed, epoch: epoch) : Array(0..<trainingCount)
            for size in Set(batches.map(\.count)).sorted(by: >) {
                try trainingExecutable(for: examples, batch: size, seed: seed)
                    .setInput("learning_rate", to: TensorValue(Float(learningRate)))
            }

            let loader = BatchLoader(examples, order: order, batches: batches)
            var totals = Totals(configuration.metrics)
            for (index, batch) in batches.enumerated() {
                let executable = try trainingExecutable(for: examples, batch: batch.count, seed: seed)
                try loader.load(into: executable)
                try executable.run(step: UInt64(epoch * batches.count + index))
                let loss = try totals.add(executable, examples: batch.count)
                guard loss.isFinite else {
                    try restore(lastGood)
                    throw TrainingError.lossNotFinite(loss, epoch: epoch + 1, step: index + 1)
                }
                let time = now()
                if progress.wantsDraw(at: time) {
                    progress.draw(
                        step: index + 1, examples: totals.examples, values: totals.sortedValues, at: time)
                }
                if stop?.isRequested == true, index + 1 < batches.count {
                    history.wasInterrupted = true
                    return history
                }
            }
            let trainingSeconds = now() - epochStart

            let state = try currentState()
            if let variable = state.first(where: { !$0.value.isFinite })?.variable {
                try restore(lastGood)
                throw TrainingError.variableNotFinite(variable.name, epoch: epoch + 1)
            }
            lastGood = state

            var validated: Totals?
            if let validation {
                validated = try evaluated(validation, 0..<validation.count, batchSize)
            } else if trainingCount < examples.count {
                validated = try evaluated(examples, trainingCount..<examples.count, batchSize)
            }
            let report = History.Epoch(
                number: epoch + 1, loss: totals.meanLoss, metrics: totals.metrics,
                validationLoss: validated?.meanLoss, validationMetrics: validated?.metrics ?? [:],
                seconds: now() - epochStart)
            history.epochs.append(report)
            progress.endEpoch(
                values: report.values, examples: trainingCount, trainingSeconds: trainingSeconds, at: now())
            if stop?.isRequested == true, epoch + 1 < epochs {
                history.wasInterrupted = true
                return history
            }
        }
        return history
    }

    // MARK: What training changes

    private typealias State = [(variable: Variable, value: TensorValue)]

    private func currentState() throws -> State {
        try (trainedVariables + optimizerState.variables).map { ($0, try $0.value()) }
    }

    private func restore(_ state: State) throws {
        for (variable, value) in state { try variable.assign(value) }
    }
}

extension TensorValue {
    fileprivate var isFinite: Bool {
        if case .float32(let elements) = storage { elements.allSatisfy { $0.isFinite } } else { true }
    }
}
