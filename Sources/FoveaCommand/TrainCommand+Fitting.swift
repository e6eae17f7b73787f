import Fovea

/// Training and evaluation on a part of the data, whether it lies in memory or is computed.
extension TrainCommand {
    func fit(
        _ trainer: Trainer, _ data: TrainingData, epochs: Range<Int>, _ settings: Settings,
        _ classWeights: ClassWeights?, _ callbacks: [any Callback], _ stop: StopSignal
    ) async throws -> History {
        // Named data sets as they are need no threads that prepare them.
        if settings.pictures.augmentation == nil, training.mixup == nil, case .memory(let train) = data.train
        {
            var validation: Examples?
            if case .memory(let examples) = data.validation { validation = examples }
            return try await trainer.fit(
                train, epochs: epochs.upperBound, batchSize: batchSize, validation: validation, seed: seed,
                initialEpoch: epochs.lowerBound, classWeights: classWeights, callbacks: callbacks,
                verbosity: settings.verbosity, stop: stop, sharding: settings.sharding)
        }
        let badPictures = settings.pictures.badPictures
        let batches = try trainingBatches(data, settings)
        let validation = try data.validation?.examples.batched(batchSize, onError: badPictures.policy)
        return try await badPictures.noted {
            try await trainer.fit(
                batches, epochs: epochs.upperBound, validation: validation, seed: seed,
                initialEpoch: epochs.lowerBound, classWeights: classWeights,
                loaderThreads: settings.pictures.loaderThreads, callbacks: callbacks,
                verbosity: settings.verbosity, stop: stop, sharding: settings.sharding)
        }
    }

    /// What is trained on where images are computed, change at random or are mixed.
    func trainingBatches(_ data: TrainingData, _ settings: Settings) throws -> Dataset<Examples> {
        var train = try data.train.examples.shuffled(seed: seed)
        if let augmentation = settings.pictures.augmentation {
            train = train.augmented(augmentation, seed: seed)
        }
        let batches = try train.batched(batchSize, onError: settings.pictures.badPictures.policy)
        guard let alpha = training.mixup else { return batches }
        return try batches.mixed(.mixUp(alpha: alpha), seed: seed)
    }

    func evaluate(
        _ trainer: Trainer, _ part: TrainingData.Part, _ pictures: PictureOptions.Settings
    ) async throws -> Evaluation {
        switch part {
        case .memory(let examples): return try await trainer.evaluate(examples, batchSize: 250)
        case .computed(let examples):
            let batches = try examples.batched(batchSize, onError: pictures.badPictures.policy)
            return try await pictures.badPictures.noted {
                try await trainer.evaluate(batches, loaderThreads: pictures.loaderThreads)
            }
        }
    }
}
