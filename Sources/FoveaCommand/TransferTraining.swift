import ArgumentParser
import Foundation
import Fovea

/// Training of a new head on a base.
extension TrainCommand {
    /// The base with its head; nil where there is no base.
    func transferModel(_ start: StartingNetwork, _ image: Shape, _ data: TrainingData) async throws
        -> TransferModel?
    {
        guard case .base(let base) = start else { return nil }
        let model = try await base.model(
            input: image, classes: data.classNames.count, seed: seed, for: dataset)
        // A layer that there is not is better known before training than after.
        if let tuning = transfer.fineTuning {
            try tuning.unfreeze(model.whole)
            model.features.isTrainable = false
            model.head.isTrainable = true
        }
        return model
    }

    /// The base's features of everything, where they can be computed once; nil where they cannot or there is no base.
    func keptFeatures(
        _ model: TransferModel?, _ data: TrainingData, _ settings: Settings, _ start: StartingNetwork,
        _ device: Device, _ stop: StopSignal
    ) async throws -> KeptFeatures? {
        guard let model else { return nil }
        func note(_ text: String) { if settings.verbosity != .silent { say(text) } }
        let isAugmented = settings.pictures.augmentation != nil
        if let obstacle = try KeptFeatures.obstacle(model, data, isAugmented: isAugmented) {
            note("\(start.name) stays as it is; \(obstacle)")
            return nil
        }
        let count = data.train.count + (data.validation?.count ?? 0)
        note(
            "\(start.name) stays as it is and nothing before the head is random, so the features of \(count) images are "
                + "computed once")
        let clock = ContinuousClock.now
        do {
            let features = try await KeptFeatures(model, data, settings.pictures, device, stop)
            let seconds = (ContinuousClock.now - clock) / .seconds(1)
            note("\(try model.features.outputShape) features of each in \(String(format: "%.1f", seconds)) s")
            return features
        } catch let error as CancellationError {
            guard stop.isRequested else { throw error }
            warn("Interrupted while features were computed: there is no model yet")
            throw ExitCode.interrupted
        }
    }

    /// Trains the head on features.
    func fit(
        _ trainer: Trainer, _ features: KeptFeatures, epochs: Int, _ settings: Settings,
        _ classWeights: ClassWeights?, _ callbacks: [any Callback], _ stop: StopSignal
    ) async throws -> History {
        // Hundreds of epochs that take no time are not worth a line each.
        let isBrief = self.epochs == nil && epochs > 50 && settings.verbosity == .bar
        let history = try await trainer.fit(
            features.train, epochs: epochs, batchSize: batchSize, validation: features.validation, seed: seed,
            classWeights: classWeights, callbacks: callbacks,
            verbosity: isBrief ? .silent : settings.verbosity, stop: stop, sharding: settings.sharding)
        if isBrief, let last = history.epochs.last {
            let values = last.values.map { "\($0.name): \(String(format: "%.4f", $0.value))" }
            say("Epoch \(last.number)/\(epochs) - \(values.joined(separator: " - "))")
        }
        return history
    }

    /// Where the state of fine-tuning is kept; that of the training before it stays where it is until all is done.
    var fineTuningCheckpoint: String? {
        transfer.fineTune == nil ? nil : checkpoint.map { $0 + ".fine-tune" }
    }

    /// Trains the base, too. With validation data the weights of the best epoch are kept, or those from before if none was better.
    ///
    /// - Parameter done: how many epochs there were before.
    func fineTune(
        _ model: TransferModel, _ tuning: FineTuning, _ before: TrainingConfiguration, _ device: Device,
        _ data: TrainingData, _ settings: Settings, _ classWeights: ClassWeights?, done: Int,
        callbacks: [any Callback], _ stop: StopSignal
    ) async throws -> (history: History, configuration: TrainingConfiguration) {
        let whole = model.whole
        try tuning.unfreeze(whole)
        let configuration = TrainingConfiguration(
            optimizer: Adam(learningRate: tuning.learningRate), outputs: before.outputs,
            clipping: before.clipping, accumulation: before.accumulation)
        let trainer = try whole.compile(configuration, device: device)
        if settings.verbosity != .silent {
            let count = whole.trainableParameters.reduce(0) { $0 + $1.parameter.elementCount }
            let place = tuning.from == "all" ? "all layers" : "the layers from \(tuning.from) on"
            say(
                "Fine-tuning \(place): \(count) of \(whole.parameters.reduce(0) { $0 + $1.parameter.elementCount }) parameters"
            )
        }
        guard let validation = data.validation else {
            let history = try await fit(
                trainer, data, epochs: done..<done + tuning.epochs, settings, classWeights, callbacks, stop)
            return (history, configuration)
        }
        let lossBefore = try await evaluate(trainer, validation, settings.pictures).loss
        let weights = try await Compute.run {
            try whole.parameters.map { try $0.parameter.variable?.value() }
        }
        let best = EarlyStopping(
            patience: training.earlyStopping ?? tuning.epochs, restoreBest: true)
        let history = try await fit(
            trainer, data, epochs: done..<done + tuning.epochs, settings, classWeights, callbacks + [best],
            stop)
        let losses = history.epochs.compactMap(\.validationLoss)
        if !history.wasInterrupted, !losses.contains(where: { $0 < lossBefore }) {
            try await Compute.run {
                for ((_, parameter), value) in zip(whole.parameters, weights) {
                    if let value { try parameter.variable?.assign(value) }
                }
            }
            if settings.isFirst {
                say(
                    "No epoch of fine-tuning was better than before on the validation images (loss "
                        + "\(String(format: "%.4f", lossBefore))), so its changes are dropped")
            }
        }
        return (history, configuration)
    }

    // MARK: Step sizes

    /// Tries step sizes and prints what comes of them.
    func showRates(
        of trainer: Trainer, _ features: KeptFeatures?, _ data: TrainingData, _ settings: Settings,
        _ classWeights: ClassWeights?, _ stop: StopSignal
    ) async throws {
        let search: LearningRateSearch
        do {
            if let features {
                search = try await trainer.findLearningRate(
                    features.train, batchSize: batchSize, classWeights: classWeights, seed: seed, stop: stop)
            } else {
                let batches = try trainingBatches(data, settings)
                search = try await settings.pictures.badPictures.noted {
                    try await trainer.findLearningRate(
                        batches, classWeights: classWeights, seed: seed,
                        loaderThreads: settings.pictures.loaderThreads, stop: stop)
                }
            }
        } catch let error as CancellationError {
            guard stop.isRequested else { throw error }
            throw ExitCode.interrupted
        }
        say("step size  loss")
        for (index, step) in search.steps.enumerated() where index % 4 == 0 || index == search.steps.count - 1
        {
            say("\(String(format: "%9.2e", step.learningRate))  \(String(format: "%.4f", step.smoothedLoss))")
        }
        guard let rate = search.suggestedRate else {
            throw CommandError(
                "the loss fell with none of the step sizes, so none can be suggested; look for inputs or labels that are wrong"
            )
        }
        say("a step size that fits: --learning-rate \(String(format: "%.2g", rate))")
    }
}
