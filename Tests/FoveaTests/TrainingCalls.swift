import Fovea
import Testing

/// The calls in the guides' tables that train, evaluate and predict, and what these are given.
@Suite struct TrainingCalls {
    @Test func trainer() async throws {
        let data = try GuideData.shapes()
        let (model, examples, images) = (try GuideData.model(), data.train, data.test.inputs[0])
        let trainer = try model.compile(optimizer: .adam(), loss: .sparseCategoricalCrossentropy())
        let history = try await trainer.fit(examples, epochs: 5, batchSize: 128, validationSplit: 0.1)
        #expect(history["val_loss"].count == 5)
        try await trainer.fit(examples, verbosity: .silent)
        let batches = try Dataset(examples).batched(32)
        try await trainer.fit(batches, epochs: 2, validation: batches)
        let generator = [examples, examples, examples]
        try await trainer.fit(batches: generator, stepsPerEpoch: 3)
        try await trainer.fit(examples, verbosity: .silent, sharding: .shards(4))
        // Not run here, as mpirun has not started the tests.
        if MPIGroup.launchedRank != nil {
            try await trainer.fit(examples, sharding: .shards(8, over: .mpi()))
        }
        trainer.learningRate = 1e-4
        #expect(try await trainer.evaluate(examples).loss > 0)
        #expect(try await trainer.predict(inputs: images).shape == [12, 5])
        #expect(try await model.predict(images).shape == [12, 5])
        #expect(try await model(images).shape == [12, 5])
    }

    @Test func compiling() throws {
        let model = try GuideData.model()
        let trainers = [
            try model.compile(optimizer: .sgd(), loss: .meanSquaredError, accumulation: 4),
            try model.compile(
                optimizer: .adamW(), loss: .meanSquaredError, excludeFromWeightDecay: ["bias"]),
            try model.compile(optimizer: .adam(), loss: .meanSquaredError, device: .cpu),
            try model.compile(
                optimizer: .adam(), loss: .meanSquaredError, weightAveraging: WeightAveraging(momentum: 0.99)),
        ]
        #expect(trainers.map(\.configuration.accumulation) == [4, 1, 1, 1])
        for clipping in [
            GradientClipping.norm(1), GradientClipping.value(0.5), GradientClipping.globalNorm(1),
        ] { try clipping.checkSettings() }
    }

    @Test func losses() {
        let losses: [any Loss] = [
            .sparseCategoricalCrossentropy(fromLogits: true), .categoricalCrossentropy(labelSmoothing: 0.1),
            .binaryCrossentropy(), .categoricalFocalCrossentropy(), .binaryFocalCrossentropy(gamma: 2),
            .klDivergence, .poisson, .dice, .tversky(alpha: 0.3, beta: 0.7),
            .meanSquaredError, .meanAbsoluteError, .meanAbsolutePercentageError,
            .meanSquaredLogarithmicError, .huber(delta: 1), .logCosh, .cosineSimilarity,
            .hinge, .squaredHinge, .categoricalHinge,
            .sparseCategoricalCrossentropy(fromLogits: true, labelSmoothing: 0.1),
            .sparseCategoricalCrossentropy(fromLogits: true, ignoreClass: -1),
            .categoricalCrossentropy(fromLogits: true), .negativeLogLikelihood,
            .binaryCrossentropy(fromLogits: true),
        ]
        #expect(Set(losses.map(\.name)).count == losses.count)
        #expect(OutputTraining(loss: .huber(), weight: 0.5).weight == 0.5)
    }

    @Test func metrics() {
        let metrics: [any Metric] = [
            .accuracy, .sparseCategoricalAccuracy, .categoricalAccuracy, .binaryAccuracy(threshold: 0.5),
            .topKCategoricalAccuracy(k: 5), .sparseTopKCategoricalAccuracy(k: 5),
            .precision(threshold: 0.5, average: .micro), .recall(), .f1Score(), .fBetaScore(beta: 2),
            .truePositives(), .falsePositives(), .trueNegatives(), .falseNegatives(), .auc(curve: .roc),
            .precisionAtRecall(0.9), .recallAtPrecision(0.9), .sensitivityAtSpecificity(0.9),
            .specificityAtSensitivity(0.9), .meanIoU(), .iou(classes: [0, 1]), .binaryIoU(),
            .rootMeanSquaredError, .r2Score(), .meanSquaredError, .loss(.logCosh),
        ]
        #expect(Set(metrics.map(\.name)).count == metrics.count)
    }

    @Test func optimizers() throws {
        let optimizers: [any Optimizer] = [
            SGD(learningRate: 0.01, momentum: 0.9, nesterov: true), RMSprop(rho: 0.9),
            Adam(learningRate: 1e-3, epsilon: 1e-7), AdamW(weightDecay: 0.004), Adamax(), Nadam(),
            Adagrad(), Adadelta(), Adafactor(), Lion(), Lamb(),
            SGD(learningRate: 0.1, momentum: 0.9, nesterov: true), Adam(learningRate: 1e-3, epsilon: 1e-8),
            AdamW(weightDecay: 0.01, epsilon: 1e-8), RMSprop(learningRate: 0.01, rho: 0.99, epsilon: 1e-8),
            Adagrad(learningRate: 0.01, initialAccumulatorValue: 0, epsilon: 1e-10),
            Adadelta(learningRate: 1, rho: 0.9, epsilon: 1e-6), Adamax(learningRate: 0.002),
            Nadam(learningRate: 0.002),
        ]
        for optimizer in optimizers { try optimizer.checkSettings() }
    }

    @Test func schedules() throws {
        let schedules = [
            LearningRateSchedule.cosineDecay(initialLearningRate: 0.1, decaySteps: 1000),
            LearningRateSchedule.cosineDecayRestarts(initialLearningRate: 0.1, firstDecaySteps: 100),
            LearningRateSchedule.exponentialDecay(
                initialLearningRate: 0.1, decaySteps: 100, decayRate: 0.9),
            LearningRateSchedule.exponentialDecay(
                initialLearningRate: 0.1, decaySteps: 3000, decayRate: 0.1, staircase: true),
            LearningRateSchedule.inverseTimeDecay(
                initialLearningRate: 0.1, decaySteps: 100, decayRate: 0.5),
            LearningRateSchedule.polynomialDecay(initialLearningRate: 0.1, decaySteps: 100),
            LearningRateSchedule.piecewiseConstant(boundaries: [100], values: [0.1, 0.01]),
            LearningRateSchedule.piecewiseConstant(boundaries: [2999, 5999], values: [0.1, 0.01, 0.001]),
        ]
        for schedule in schedules { #expect(schedule(step: 0) == 0.1) }
        // PyTorch's `MultiStepLR` after epochs 30 and 60 of 100 batches each.
        #expect(schedules[7](step: 2999) == 0.1 && schedules[7](step: 3000) == 0.01)
        let cycle = LearningRateSchedule.oneCycle(maximumLearningRate: 0.1, totalSteps: 1000)
        #expect(abs(cycle(step: 0) - 0.1 / 25) < 1e-12)
    }

    @Test func callbacks() async throws {
        let data = try GuideData.shapes()
        let trainer = try GuideData.model().compile(
            optimizer: .adam(), loss: .sparseCategoricalCrossentropy())
        try await GuideData.withFolder { folder in
            let file = "\(folder)/model.safetensors"
            var callbacks: [any Callback] = [
                EarlyStopping(patience: 8, restoreBest: true), ModelCheckpoint(file, saveBestOnly: true),
                ReduceLROnPlateau(factor: 0.5, patience: 3), ReduceLROnPlateau(patience: 10),
                LearningRateScheduler { epoch, rate in epoch < 10 ? rate : rate * 0.9 },
                TerminateOnNaN(), LambdaCallback(epochEnds: { run in print(run.completeEpochs) }),
            ]
            do {
                let file = "\(folder)/log.csv"
                callbacks.append(CSVLogger(file))
            }
            #if ProtocolBuffers
                callbacks.append(TensorBoard(folder, histogramFrequency: 1))
            #endif
            do {
                let file = "\(folder)/state.safetensors"
                callbacks.append(BackupAndRestore(file))
            }
            let history = try await trainer.fit(
                data.train, epochs: 2, validationSplit: 0.2, callbacks: callbacks, verbosity: .silent)
            #expect(history.epochs.count == 2)
            #expect(try await SavedModel(contentsOf: file).parameterByteCount > 0)
        }
    }
}
