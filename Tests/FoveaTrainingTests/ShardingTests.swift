import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaOneDNN
import FoveaRuntime
import Testing

@testable import FoveaTraining

/// Training with shards in one process.
struct ShardingTests {
    static let backends: [any Backend] = [ReferenceBackend(), OneDNNBackend()]

    private func trainer(
        clipping: GradientClipping? = nil, accumulation: Int = 1, averaging: WeightAveraging? = nil,
        on backend: any Backend = ReferenceBackend()
    ) throws -> Trainer {
        try smallNetwork().compile(
            optimizer: .adamW(learningRate: 0.01), loss: .sparseCategoricalCrossentropy(),
            metrics: [.accuracy], clipping: clipping, accumulation: accumulation,
            excludeFromWeightDecay: ["bias"], weightAveraging: averaging, device: Device(backend))
    }

    /// Batches of 6 and a last one of 3, so that shards have different sizes, and with 4 and 8 some are empty.
    @Test(arguments: backends, [1, 2, 4, 8])
    func equalsTrainingWithWholeBatches(_ backend: any Backend, _ shards: Int) async throws {
        for (clipping, accumulation, averaging) in [
            (nil, 1, nil), (GradientClipping.globalNorm(0.1), 2, WeightAveraging(momentum: 0.9)),
        ] {
            let trainers = try (0..<2).map { _ in
                try trainer(
                    clipping: clipping, accumulation: accumulation, averaging: averaging, on: backend)
            }
            var histories: [History] = []
            for (trainer, sharding) in zip(trainers, [nil, Sharding.shards(shards)]) {
                histories.append(
                    try await trainer.fit(
                        bars(19), epochs: 3, batchSize: 6, validationSplit: 0.2, verbosity: .silent,
                        sharding: sharding))
            }
            for (whole, cut) in zip(histories[0].epochs, histories[1].epochs) {
                #expect(abs(whole.loss - cut.loss) < 1e-5)
                #expect(whole.metrics == cut.metrics)
                #expect(abs((whole.validationLoss ?? 1) - (cut.validationLoss ?? 0)) < 1e-5)
                #expect(whole.validationMetrics == cut.validationMetrics)
            }
            let (whole, cut) = (trainers[0].changingVariables, trainers[1].changingVariables)
            for (index, value) in try await values(of: whole).enumerated() {
                expectClose(
                    try await cut[index].value().floats, value.doubles, 2e-4, whole[index].name)
            }
        }
    }

    /// The mean is over the batch, whatever the weights of the examples in a shard.
    @Test func weightsCountInTheMeanOverTheBatch() async throws {
        let weights = TensorValue((0..<7).map { Float($0) })
        let examples = try twoHeadedExamples(7, weights: weights)
        let configuration = TrainingConfiguration(
            optimizer: .sgd(learningRate: 0.5),
            outputs: [
                "class": OutputTraining(loss: .sparseCategoricalCrossentropy(), metrics: [.accuracy]),
                "size": OutputTraining(loss: .meanSquaredError, weight: 0.3),
            ])
        let trainers = try (0..<2).map { _ in
            try twoHeaded().compile(configuration, device: .reference)
        }
        var histories: [History] = []
        for (trainer, sharding) in zip(trainers, [nil, Sharding.shards(4)]) {
            histories.append(
                try await trainer.fit(examples, batchSize: 7, verbosity: .silent, sharding: sharding))
        }
        let (whole, cut) = (histories[0].epochs[0], histories[1].epochs[0])
        #expect(abs(whole.loss - cut.loss) < 1e-6)
        for (name, value) in whole.metrics { #expect(abs(value - (cut.metrics[name] ?? 9)) < 1e-6) }
        let variables = trainers.map { $0.trained.compactMap(\.variable) }
        for (index, value) in try await values(of: variables[0]).enumerated() {
            expectClose(try await variables[1][index].value().floats, value.doubles, 1e-6)
        }
    }

    /// Class weights, and a sequence of batches.
    @Test func classesCountAsTheyAreWeighed() async throws {
        let weights = try ClassWeights([0: 3, 1: 0.5])
        let trainers = try (0..<2).map { _ in try trainer() }
        var losses: [Double] = []
        for (trainer, sharding) in zip(trainers, [nil, Sharding.shards(2)]) {
            let history = try await trainer.fit(
                batches: [bars(5), bars(3)], stepsPerEpoch: 2, classWeights: weights, verbosity: .silent,
                sharding: sharding)
            losses.append(history.epochs[0].loss)
        }
        #expect(abs(losses[0] - losses[1]) < 1e-5)
    }

    /// What layers change is the mean over the examples of what each shard makes of it.
    @Test(arguments: backends)
    func movingStatisticsAreMeansOverShards(_ backend: any Backend) async throws {
        let mean = MovingMean()
        let model = try Sequential(input: [1], seed: 1) {
            mean
            Dense(units: 1)
        }
        let trainer = try model.compile(
            optimizer: .sgd(learningRate: 0), loss: .meanSquaredError, device: Device(backend))
        let inputs = try TensorValue(shape: [3, 1], [1, 2, 6])
        try await trainer.fit(
            Examples(inputs: inputs, targets: inputs), batchSize: 3, shuffle: false, verbosity: .silent,
            sharding: .shards(2))
        // The shards are 1 and (2, 6), of means 1 and 4: a quarter of (1·1 + 2·4) / 3.
        let value = try #require(try await mean.mean.variable?.value())
        expectClose(value.floats, [0.75], 1e-6)
    }

    /// Batch normalization uses a shard's own moments.
    @Test(arguments: backends)
    func batchNormalizationIsOfShards(_ backend: any Backend) async throws {
        func moving(_ sharding: Sharding?) async throws -> [[Double]] {
            let layer = BatchNormalization(momentum: 0.5)
            let model = try Sequential(input: [2], seed: 1) {
                layer
                Dense(units: 1)
            }
            let trainer = try model.compile(
                optimizer: .sgd(learningRate: 0.1), loss: .meanSquaredError, device: Device(backend))
            let inputs = try TensorValue(shape: [4, 2], [0, 1, 2, 1, 10, -3, 14, 5])
            try await trainer.fit(
                Examples(inputs: inputs, targets: TensorValue(shape: [4, 1], [0, 1, 2, 3])), batchSize: 4,
                shuffle: false, verbosity: .silent, sharding: sharding)
            // The mean comes first.
            return try await values(of: trainer.layerVariables.sorted { $0.name < $1.name }).map(\.doubles)
        }
        let cut = try await moving(.shards(2))
        // Means 1, 1 and 12, 1; variances 1, 0 and 4, 16; half of their means, and half of where they began.
        expectClose(cut[0].map(Float.init), [3.25, 0.5], 1e-6)
        expectClose(cut[1].map(Float.init), [0.5 + 1.25, 0.5 + 4], 1e-6)
        let whole = try await moving(nil)
        expectClose(whole[0].map(Float.init), cut[0], 1e-6)
        #expect(abs(whole[1][0] - cut[1][0]) > 1)
    }

    /// Random numbers depend on seed, step and shard, and on nothing else.
    @Test(arguments: backends)
    func randomNumbersBelongToShards(_ backend: any Backend) async throws {
        func trained(seed: UInt64, _ shards: Int) async throws -> [TensorValue] {
            let model = try Sequential(input: [4], seed: 1) {
                Dense(units: 16)
                Dropout(rate: 0.5)
                Dense(units: 1)
            }
            let trainer = try model.compile(
                optimizer: .sgd(learningRate: 0.1), loss: .meanSquaredError, device: Device(backend))
            let examples = try Examples(
                inputs: TensorValue(repeating: 1, shape: [4, 4]),
                targets: TensorValue(repeating: 1, shape: [4, 1]))
            let first = try await Compute.run {
                try (0..<3).map {
                    try trainer.shardSums(of: examples, nil, number: [0, 1, 0][$0], seed: seed).gradients
                }
            }
            #expect(first[0] == first[2])
            #expect(first[0] != first[1])
            try await trainer.fit(
                examples, epochs: 2, batchSize: 4, seed: seed, verbosity: .silent,
                sharding: .shards(shards))
            return try await values(of: trainer.changingVariables)
        }
        let once = try await trained(seed: 3, 4)
        #expect(try await trained(seed: 3, 4) == once)
        #expect(try await trained(seed: 4, 4) != once)
        #expect(try await trained(seed: 3, 2) != once)
    }

    /// A training goes on from a checkpoint with the same bits, in the midst of accumulated gradients, but not with other shards.
    @Test func goesOnWithTheSameBits() async throws {
        let checkpoints = Collected<Checkpoint>()
        func fit(_ trainer: Trainer, _ sharding: Sharding?, from checkpoint: Checkpoint? = nil) async throws {
            try await trainer.fit(
                bars(16), epochs: 2, batchSize: 5,
                callbacks: [
                    LambdaCallback(
                        trainingBegins: { run in
                            if let checkpoint { try run.resume(checkpoint, from: "file") }
                        },
                        stepEnds: { run in
                            if run.step == 5, checkpoint == nil { checkpoints.append(try run.checkpoint()) }
                        })
                ], verbosity: .silent, sharding: sharding)
        }
        func trainer() throws -> Trainer {
            try self.trainer(
                clipping: .norm(1), accumulation: 2, averaging: WeightAveraging(momentum: 0.5))
        }
        let (whole, resumed) = (try trainer(), try trainer())
        try await fit(whole, .shards(4))
        let checkpoint = try #require(checkpoints.all.first)
        try await fit(resumed, .shards(4), from: checkpoint)
        #expect(
            try await values(of: resumed.changingVariables) == values(of: whole.changingVariables))
        for sharding in [nil, Sharding.shards(8)] {
            let error = await #expect(throws: TrainingError.self) {
                try await fit(trainer(), sharding, from: checkpoint)
            }
            #expect("\(error!)".contains("number of shards"))
        }
    }

    /// What is sent from process to process is what comes in.
    @Test func stateSurvivesTheWay() async throws {
        let trainer = try trainer(averaging: WeightAveraging())
        let stopping = EarlyStopping(monitor: "loss", patience: 3, restoreBest: true)
        let checkpoints = Collected<Checkpoint>()
        try await trainer.fit(
            bars(16), epochs: 2, batchSize: 5,
            callbacks: [
                stopping, LambdaCallback(epochEnds: { checkpoints.append(try $0.checkpoint()) }),
            ], verbosity: .silent)
        let sent = try #require(checkpoints.all.last)
        let received = try Checkpoint(bytes: sent.bytes(), CustomTypes())
        #expect(received.position == sent.position)
        #expect(received.conditions == sent.conditions)
        #expect(received.variables == sent.variables)
        #expect(received.memories == sent.memories)
        #expect(sent.memories.values.contains { !$0.tensors.isEmpty })
        for count in [0, 4, 8, 40] {
            #expect(throws: (any Error).self) {
                try Checkpoint(bytes: Array(sent.bytes().prefix(count)), CustomTypes())
            }
        }
    }

    /// Pictures that cannot be read are left out of their shard, and a batch of such alone is a step without an update.
    @Test func failedElementsAreLeftOut() async throws {
        struct Broken: Error {}
        let all = try bars(12)
        let elements = try Dataset<Example>(count: 12) { index, _ in
            if index == 1 || (4..<8).contains(index) { throw Broken() }
            return try Dataset(all).element(at: index)
        }
        let failed = FailedElements()
        let (cut, whole) = (try trainer(), try trainer())
        let history = try await cut.fit(
            elements.batched(4, onError: .skip(failed)), loaderThreads: 2, verbosity: .silent,
            sharding: .shards(4))
        #expect(failed.count == 5)
        let expected = try await whole.fit(
            elements.batched(4, onError: .skip(FailedElements())), verbosity: .silent)
        #expect(abs(history.epochs[0].loss - expected.epochs[0].loss) < 1e-5)
        #expect(history.epochs[0].metrics == expected.epochs[0].metrics)

        let nothing = try Dataset<Example>(count: 8) { _, _ in throw Broken() }
        await #expect(throws: TrainingError.everyBatchLeftOut(.training, "Broken()")) {
            try await trainer().fit(
                nothing.batched(4, onError: .skip(failed)), verbosity: .silent, sharding: .shards(2))
        }
        await #expect(throws: Broken.self) {
            try await trainer().fit(
                elements.batched(4), verbosity: .silent, sharding: .shards(2))
        }
    }

    @Test func aLossThatIsNotFiniteEndsTraining() async throws {
        let trainer = try trainer()
        let before = try await values(of: trainer.changingVariables)
        trainer.learningRate = 1e30
        let error = await #expect(throws: TrainingError.self) {
            try await trainer.fit(bars(8), epochs: 3, batchSize: 4, verbosity: .silent, sharding: .shards(2))
        }
        if case .lossNotFinite = error {} else { Issue.record("\(error!)") }
        #expect(try await values(of: trainer.changingVariables) == before)
    }
}
