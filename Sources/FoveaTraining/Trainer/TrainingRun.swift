import FoveaDatasets
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
    public private(set) var completeEpochs: Int
    /// How many steps of the epoch under way are complete.
    public private(set) var completeSteps = 0
    /// The epochs of this training so far; a resumed run's history begins with those before.
    public private(set) var history = History()

    private let source: any TrainingSource
    private let callbacks: [any Callback]
    private let validate: () throws -> Totals?
    private let stop: StopSignal?
    private var progress: ProgressPrinter
    private var totals: Totals
    private var stopReason: String?

    init(
        _ trainer: Trainer, source: any TrainingSource, epochs: Int, initialEpoch: Int,
        callbacks: [any Callback], stop: StopSignal?, verbosity: Verbosity, output: ProgressOutput,
        validate: @escaping () throws -> Totals?
    ) {
        self.trainer = trainer
        self.source = source
        self.epochs = epochs
        self.callbacks = callbacks
        self.stop = stop
        self.validate = validate
        stepsPerEpoch = source.stepsPerEpoch
        completeEpochs = initialEpoch
        progress = ProgressPrinter(verbosity, output, epochs: epochs, steps: source.stepsPerEpoch)
        totals = Totals(trainer)
    }

    // MARK: What callbacks use

    /// The loss and metrics of the epoch under way so far, by Keras's names.
    public var values: [String: Double] {
        totals.examples == 0
            ? [:] : Dictionary(uniqueKeysWithValues: totals.sortedValues.map { ($0.name, $0.value) })
    }

    /// Ends training after the epoch under way, or at once when asked for after an epoch or between steps.
    ///
    /// - Parameter reason: what the history says about it.
    public func stopTraining(_ reason: String) { stopReason = reason }

    /// Where training stands, between two steps.
    public var position: TrainingPosition {
        TrainingPosition(
            completeEpochs: completeEpochs, completeSteps: completeSteps, stepsPerEpoch: stepsPerEpoch,
            learningRate: trainer.learningRate, history: history, totals: totals)
    }

    /// Goes on from where another run stopped, with variables that have been given the values they had there. For
    /// `trainingBegins`.
    ///
    /// - Throws: `TrainingError.checkpointDoesNotFit` when epochs have another number of steps now.
    public func resume(at position: TrainingPosition, from file: String) throws {
        guard position.stepsPerEpoch == stepsPerEpoch else {
            throw TrainingError.checkpointDoesNotFit(
                file,
                "its epochs have \(position.stepsPerEpoch) steps, those of this training \(stepsPerEpoch)")
        }
        completeEpochs = position.completeEpochs
        completeSteps = position.completeSteps
        trainer.learningRate = position.learningRate
        history = position.history
        history.wasInterrupted = false
        totals = position.totals
    }

    // MARK: Training

    func train() throws -> History {
        defer { progress.abandon() }
        for callback in callbacks { try callback.trainingBegins(self) }
        var lastGood = try State(of: trainer)
        let clock = ContinuousClock()
        let start = clock.now
        func now() -> Double { (clock.now - start) / .seconds(1) }

        try source.move(to: completeEpochs * stepsPerEpoch + completeSteps)
        while completeEpochs < epochs, stopReason == nil {
            let epochStart = now()
            progress.beginEpoch(completeEpochs + 1, at: epochStart)
            if completeSteps == 0 {
                totals = Totals(trainer)
                for callback in callbacks { try callback.epochBegins(self) }
            }
            let examplesBefore = totals.examples
            while completeSteps < stepsPerEpoch {
                let loss = try takeStep()
                guard loss.isFinite else {
                    try lastGood.restore()
                    if let guardian = callbacks.first(where: { $0 is TerminateOnNaN }) as? TerminateOnNaN {
                        guardian.note(loss, self)
                        return try ended()
                    }
                    throw TrainingError.lossNotFinite(loss, epoch: completeEpochs + 1, step: completeSteps)
                }
                let time = now()
                if progress.wantsDraw(at: time) {
                    progress.draw(
                        step: completeSteps, examples: totals.examples, values: totals.sortedValues, at: time)
                }
                for callback in callbacks { try callback.stepEnds(self) }
                if isStopRequested, completeSteps < stepsPerEpoch { return try interrupted() }
            }
            let trainingSeconds = now() - epochStart

            let state = try State(of: trainer)
            if let name = state.nameOfNotFinite {
                try lastGood.restore()
                throw TrainingError.variableNotFinite(name, epoch: completeEpochs + 1)
            }
            lastGood = state
            let validated = try validate()
            completeEpochs += 1
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
            if isStopRequested, completeEpochs < epochs { return try interrupted() }
        }
        return try ended()
    }

    private func takeStep() throws -> Float {
        let step = completeEpochs * stepsPerEpoch + completeSteps
        let (executable, count) = try source.next()
        if let schedule = trainer.configuration.schedule {
            trainer.learningRate = schedule(step: step / trainer.configuration.accumulation)
        }
        try executable.setInput("learning_rate", to: TensorValue(Float(trainer.learningRate)))
        try executable.run(step: UInt64(step))
        completeSteps += 1
        return try totals.add(executable, examples: count)
    }

    private var isStopRequested: Bool { stop?.isRequested == true }

    private func interrupted() throws -> History {
        history.wasInterrupted = true
        return try ended()
    }

    private func ended() throws -> History {
        history.stopReason = stopReason
        for callback in callbacks { try callback.trainingEnds(self) }
        return history
    }
}

/// Where training stands: with the values of the variables all that another run needs to go on with the same bits.
public struct TrainingPosition: Codable, Hashable, Sendable {
    public let completeEpochs: Int
    /// Of the epoch under way.
    public let completeSteps: Int
    public let stepsPerEpoch: Int
    public let learningRate: Double
    public let history: History
    /// The sums of the epoch under way.
    let totals: Totals
}

extension TrainingRun {
    /// The values of everything that training changes.
    @Compute
    struct State {
        private let values: [(variable: Variable, value: TensorValue)]

        init(of trainer: Trainer) throws {
            values = try trainer.changingVariables.map { ($0, try $0.value()) }
        }

        func restore() throws {
            for (variable, value) in values { try variable.assign(value) }
        }

        var nameOfNotFinite: String? {
            values.first { _, value in
                if case .float32(let elements) = value.storage {
                    !elements.allSatisfy(\.isFinite)
                } else {
                    false
                }
            }?.variable.name
        }
    }
}
