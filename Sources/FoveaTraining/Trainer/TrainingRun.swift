import FoveaDatasets
import FoveaFiles
import FoveaGraph
import FoveaRuntime

/// One `fit` under way: what callbacks see and may change.
@Compute
public final class TrainingRun {
    public let trainer: Trainer
    /// The number of the last epoch.
    public let epochs: Int
    public let stepsPerEpoch: Int
    /// How many epochs are complete.
    public internal(set) var completeEpochs: Int
    /// How many steps of the epoch under way are complete, also those whose batch was left out.
    public internal(set) var completeSteps = 0
    /// The epochs of this training so far; a resumed run's history begins with those before.
    public internal(set) var history = History()

    /// The batch of the last step; nil before the first, and where it was left out. With shards it is the first of this process's.
    public internal(set) var lastBatch: Examples?

    /// Whether this process is the one that writes files: of those that train together the first. Callbacks must not do what others
    /// see in any other.
    public var writesFiles: Bool { sharding?.isFirst ?? true }

    let source: any TrainingSource
    let callbacks: [any Callback]
    var totals: Totals
    var stopReason: String?
    /// What callbacks are to remember once all have begun, if the run was moved to a checkpoint.
    var resumedMemories: [String: CallbackMemory]?
    let validation: ValidationSource?
    /// What the data is, by what it is called in messages; computed once, because it takes long.
    private(set) lazy var dataConditions: [String: [DataFingerprint]] = [
        "training data": source.fingerprints, "validation data": validation?.fingerprints() ?? [],
    ]
    let stop: StopSignal?
    /// Whether processes that train together have found that one of them was asked to stop.
    var stopIsAgreed = false
    private var progress: ProgressPrinter
    let output: ProgressOutput
    let verbosity: Verbosity
    let classWeights: ClassWeights?
    let seed: UInt64
    let sharding: Sharding?
    /// Whether all batches are known to fit the model.
    let isChecked: Bool

    init(
        _ trainer: Trainer, source: any TrainingSource, isChecked: Bool = false, classWeights: ClassWeights?,
        seed: UInt64, epochs: Int, initialEpoch: Int, callbacks: [any Callback], stop: StopSignal?,
        verbosity: Verbosity, output: ProgressOutput, validation: ValidationSource?, sharding: Sharding? = nil
    ) {
        let verbosity = sharding?.isFirst == false ? .silent : verbosity

        self.trainer = trainer
        self.source = source
        self.isChecked = isChecked
        self.classWeights = classWeights
        self.seed = seed
        self.epochs = epochs
        self.callbacks = callbacks
        self.stop = stop
        self.validation = validation
        self.output = output
        self.verbosity = verbosity
        self.sharding = sharding
        stepsPerEpoch = source.stepsPerEpoch
        completeEpochs = initialEpoch
        progress = ProgressPrinter(verbosity, output, epochs: epochs, steps: source.stepsPerEpoch)
        totals = Totals(trainer)
    }

    // MARK: What callbacks use

    /// How many steps of all epochs are complete.
    public var step: Int { completeEpochs * stepsPerEpoch + completeSteps }

    /// The names of what is reported while an epoch is under way, such as `accuracy` and `loss`.
    public var stepNames: [String] { totals.metricsByName.keys.sorted() }

    /// The names of what is reported after each epoch, such as `loss` and, with validation data, `val_loss`.
    public var epochNames: [String] {
        (stepNames + (validation == nil ? [] : stepNames.map { "val_\($0)" })).sorted()
    }

    /// The loss and metrics of the epoch under way so far, by Keras's names; NaN while every batch was left out.
    public var values: [String: Double] {
        totals.examples == 0 && completeSteps == 0
            ? [:] : Dictionary(uniqueKeysWithValues: totals.sortedValues.map { ($0.name, $0.value) })
    }

    /// Ends training after the epoch under way, or now when that is complete.
    ///
    /// - Parameter reason: what the history says about it.
    public func stopTraining(_ reason: String) { stopReason = reason }

    /// Says what went wrong and ends nothing, on standard error or where the progress of this training goes, at any verbosity.
    /// Of processes that train together the first says it.
    public func warn(_ message: String) {
        guard writesFiles else { return }
        progress.abandon()
        output.warn(visibleLines(message) + "\n")
    }

    // MARK: Training

    /// Trains to the end, or until it is asked to stop, also while it waits for data.
    func train() throws -> History {
        if let sharding { return try train(with: sharding.group) }
        do { return try trainToEnd() } catch let error as CancellationError {
            guard isStopRequested else { throw error }
            return try interrupted()
        }
    }

    func trainToEnd() throws -> History {
        defer { progress.abandon() }
        for problem in try trainer.outputProblems { trainer.warnings.note(problem, about: problem) }
        for callback in callbacks { try callback.trainingBegins(self) }
        if let resumedMemories { remember(resumedMemories) }
        if let sharding { try beginTogether(sharding) }
        var lastGood = try Snapshot(of: trainer.changingVariables)
        var isFirstEpoch = true
        let clock = ContinuousClock()
        let start = clock.now
        func now() -> Double { (clock.now - start) / .seconds(1) }

        try source.move(to: step)
        while completeEpochs < epochs, stopReason == nil || completeSteps > 0 {
            let epochStart = now()
            progress.beginEpoch(completeEpochs + 1, at: epochStart)
            if !isFirstEpoch { try lastGood.renew() }
            isFirstEpoch = false
            if completeSteps == 0 {
                totals = Totals(trainer)
                for callback in callbacks { try callback.epochBegins(self) }
            }
            let examplesBefore = totals.examples
            while completeSteps < stepsPerEpoch {
                if let loss = try takeStep(), !loss.isFinite {
                    try lastGood.restore()
                    for callback in callbacks {
                        guard let reason = try callback.lossIsNotFinite(loss, self) else { continue }
                        stopTraining(reason)
                        return try ended()
                    }
                    throw TrainingError.lossNotFinite(loss, epoch: completeEpochs + 1, step: completeSteps)
                }
                let time = now()
                if progress.wantsDraw(at: time) {
                    progress.draw(
                        step: completeSteps, examples: totals.examples,
                        values: totals.examples > 0 ? totals.sortedValues : [], at: time)
                }
                for callback in callbacks { try callback.stepEnds(self) }
                for callback in callbacks { try callback.runSettles(self) }
                if isStopRequested, completeSteps < stepsPerEpoch { return try interrupted() }
            }
            let trainingSeconds = now() - epochStart

            if let broken = try trainer.changingVariables.first(where: { try !$0.isFinite() }) {
                try lastGood.restore()
                throw TrainingError.variableNotFinite(broken.name, epoch: completeEpochs + 1)
            }
            completeEpochs += 1
            let isDue = validation.map { completeEpochs.isMultiple(of: $0.frequency) } ?? false
            let validated = isDue ? try validation?.evaluate() : nil
            completeSteps = 0
            let report = History.Epoch(
                number: completeEpochs, loss: totals.meanLoss, metrics: totals.metrics,
                validationLoss: validated?.meanLoss, validationMetrics: validated?.metrics ?? [:],
                seconds: now() - epochStart)
            history.epochs.append(report)
            progress.endEpoch(
                values: report.values, examples: totals.examples - examplesBefore,
                trainingSeconds: trainingSeconds, at: now())
            for callback in callbacks { try callback.epochEnds(self) }
            for callback in callbacks { try callback.runSettles(self) }
            if let sharding { try endEpochTogether(sharding.group) }
            if isStopRequested, completeEpochs < epochs { return try interrupted() }
        }
        return try ended()
    }

    /// Returns the loss; nil when the batch was left out. The step counts then all the same, so that all others keep their
    /// batch, random numbers and learning rate.
    private func takeStep() throws -> Float? {
        let step = step
        lastBatch = nil
        if let sharding { return try takeStep(sharding) }
        guard let batch = try source.next() else {
            completeSteps += 1
            return nil
        }
        if !isChecked { try trainer.check(batch, .training, classWeights: classWeights) }
        for problem in trainer.warnings.take() { warn(problem) }
        setLearningRate()
        var values = trainer.values(of: batch)
        values["learning_rate"] = TensorValue(Float(trainer.learningRate))
        let results = try trainer.runner.run(
            trainer.trainingStep(GraphKey(batch, classWeights: classWeights)), values, number: UInt64(step),
            seed: seed)
        completeSteps += 1
        lastBatch = batch
        return try totals.add(results, examples: batch.count)
    }

    func setLearningRate() {
        if let schedule = trainer.configuration.schedule {
            trainer.learningRate = schedule(step: step / trainer.configuration.accumulation)
        }
    }

    private var isStopRequested: Bool { sharding == nil ? stop?.isRequested == true : stopIsAgreed }

    private func interrupted() throws -> History {
        history.wasInterrupted = true
        for callback in callbacks { try callback.runSettles(self) }
        return try ended()
    }

    private func ended() throws -> History {
        history.stopReason = stopReason
        for callback in callbacks { try callback.trainingEnds(self) }
        return history
    }
}
