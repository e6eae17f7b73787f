import FoveaDatasets
import FoveaGraph
import FoveaOneDNN
import FoveaRuntime
import Testing

@testable import FoveaTraining

/// Training on data sets whose batches are computed while training runs.
struct DatasetTrainingTests {
    private struct Broken: Error {}

    /// Another image for each element of each epoch.
    private func augmented(_ examples: Examples) -> Dataset<Example> {
        Dataset(examples).map(seed: 9, named: "noise") { example, random in
            guard case .uint8(let pixels) = example.inputs[0].storage else { throw Broken() }
            let noisy = pixels.map { $0 / 2 + UInt8(random.index(below: 100)) }
            return Example(
                inputs: [try TensorValue(shape: example.inputs[0].shape, storage: .uint8(noisy))],
                targets: example.targets, weight: example.weight)
        }
    }

    /// The same as from memory, where all is known beforehand.
    @Test(arguments: [3, 4, 13, 20], [0, 2])
    func trainingHasTheBitsOfExamplesInMemory(batchSize: Int, threads: Int) async throws {
        let (data, validation) = (try bars(13), try bars(7, seed: 8))
        for backend in [ReferenceBackend(), OneDNNBackend()] as [any Backend] {
            let memory = try smallTrainer(dropout: 0.5, on: backend)
            let expected = try await memory.fit(
                data, epochs: 3, batchSize: batchSize, validation: validation, seed: 4, verbosity: .silent)
            let loaded = try smallTrainer(dropout: 0.5, on: backend)
            let batches = try Dataset(data).shuffled(seed: 4).batched(batchSize)
            let history = try await loaded.fit(
                batches, epochs: 3, validation: Dataset(validation).batched(batchSize), seed: 4,
                loaderThreads: threads, verbosity: .silent)
            #expect(history.epochs.map(\.loss) == expected.epochs.map(\.loss))
            #expect(history.epochs.map(\.metrics) == expected.epochs.map(\.metrics))
            #expect(history.epochs.map(\.validationLoss) == expected.epochs.map(\.validationLoss))
            let weightsFromMemory = try await weights(memory)
            #expect(try await weights(loaded) == weightsFromMemory)

            let test: Dataset<Examples> = try Dataset(data).map { $0 }.batched(batchSize)
            let evaluation = try await loaded.evaluate(test, loaderThreads: threads, prefetch: 1)
            #expect(try await evaluation == memory.evaluate(data, batchSize: batchSize))
            let some = try await loaded.evaluate(test, steps: 2, loaderThreads: threads)
            #expect(try await some == memory.evaluate(data, batchSize: batchSize, steps: 2))
            let predictions = try await loaded.predict(test, loaderThreads: threads)
            #expect(try await predictions == memory.predict(inputs: data.inputs, batchSize: batchSize))
        }
    }

    /// However many threads there are, in one go or in parts, and with epochs of any length.
    @Test func augmentationDependsOnNothingButNumbers() async throws {
        let data = try bars(10)
        let batches: Dataset<Examples> = try augmented(data).shuffled(seed: 4).batched(4)
        func trained(
            _ batches: Dataset<Examples>, steps: Int? = nil, threads: Int? = nil, parts: [Int] = [4]
        ) async throws -> [TensorValue] {
            let trainer = try smallTrainer(dropout: 0.5)
            var done = 0
            for part in parts {
                _ = try await trainer.fit(
                    batches, epochs: part, stepsPerEpoch: steps, initialEpoch: done, loaderThreads: threads,
                    verbosity: .silent)
                done = part
            }
            return try await weights(trainer)
        }
        let expected = try await trained(batches, threads: 0)
        for threads in [1, 2, 7] { #expect(try await trained(batches, threads: threads) == expected) }
        #expect(try await trained(batches, parts: [1, 2, 4]) == expected)
        for steps in [1, 2, 4, 6, 12] {
            #expect(try await trained(batches, steps: steps, parts: [12 / steps]) == expected)
        }
        #expect(try await trained(batches.repeated(), steps: 3, parts: [3, 4]) == expected)
        // Each part that depends on chance matters.
        #expect(try await trained(Dataset(data).shuffled(seed: 4).batched(4)) != expected)
        #expect(try await trained(augmented(data).batched(4)) != expected)
        let first = try augmented(data).cached(byteLimit: 1 << 20).shuffled(seed: 4)
        #expect(try await trained(first.batched(4)) != expected)
    }

    @Test func classWeightsAndSampleWeights() async throws {
        let plain = try bars(10)
        let data = try Examples(
            inputs: plain.inputs, targets: plain.targets, weights: TensorValue((0..<10).map { Float($0) / 4 })
        )
        let some = try ClassWeights([1: 3])
        let memory = try smallTrainer()
        _ = try await memory.fit(
            data, epochs: 2, batchSize: 4, shuffle: false, classWeights: some, verbosity: .silent)
        let loaded = try smallTrainer()
        let batches: Dataset<Examples> = try Dataset(data).map { $0 }.batched(4)
        _ = try await loaded.fit(batches, epochs: 2, classWeights: some, verbosity: .silent)
        let expected = try await weights(memory)
        #expect(try await weights(loaded) == expected)
    }

    // MARK: Errors

    @Test(arguments: [0, 2]) func anErrorComesWhenItsBatchIsTrainedOn(threads: Int) async throws {
        let data = try bars(8)
        let broken = try Dataset(count: 8) { index, epoch in
            if index == 5, epoch == 1 { throw Broken() }
            return try Dataset(data).element(at: index)
        }
        let reached = Collected<Int>()
        let counting = LambdaCallback(stepEnds: { reached.append($0.step) })
        let trainer = try smallTrainer()
        await #expect(throws: Broken.self) {
            try await trainer.fit(
                broken.batched(2), epochs: 3, loaderThreads: threads, callbacks: [counting],
                verbosity: .silent)
        }
        #expect(reached.all == Array(1...6))

        let failed = FailedElements()
        let history = try await trainer.fit(
            broken.batched(2, onError: .skip(failed)), epochs: 3, loaderThreads: threads, verbosity: .silent)
        #expect(history.epochs.count == 3 && failed.count == 1)
    }

    // MARK: Batches that are left out

    /// Elements of `examples`, of which some cannot be computed; in batches of which these are left out.
    private func batches(
        _ examples: Examples, without broken: Set<Int>, size: Int, shuffled seed: UInt64? = nil
    ) throws -> Dataset<Examples> {
        let data = try Dataset(count: examples.count) { index, _ in
            if broken.contains(index) { throw Broken() }
            return try Dataset(examples).element(at: index)
        }
        let ordered = try seed.map { try data.shuffled(seed: $0) } ?? data
        return try ordered.batched(size, onError: .skip(FailedElements()))
    }

    /// Such a step changes nothing, and all others have the number that they would have.
    @Test(arguments: [0, 2]) func batchesOfNothingArePassedOver(threads: Int) async throws {
        let data = try bars(8)
        let broken: Set<Int> = [0, 3, 4, 7]
        for accumulation in [1, 3] {
            let (ran, ended, losses) = (Collected<UInt64>(), Collected<Int>(), Collected<Double>())
            let backend = HookedBackend(afterStep: { step in
                ran.append(step)
                return nil
            })
            func trainer(on backend: any Backend = ReferenceBackend()) throws -> Trainer {
                try smallNetwork().compile(
                    optimizer: .adam(learningRate: 0.02), loss: .sparseCategoricalCrossentropy(),
                    metrics: [.accuracy], accumulation: accumulation, device: Device(backend))
            }
            let skipping = try trainer(on: backend)
            let history = try await skipping.fit(
                batches(data, without: broken, size: 1), epochs: 3,
                validation: batches(data, without: broken, size: 1), loaderThreads: threads,
                callbacks: [
                    LambdaCallback(stepEnds: { run in
                        ended.append(run.step)
                        losses.append(run.values["loss"] ?? -1)
                    })
                ], verbosity: .silent)
            #expect(ran.all == [1, 2, 5, 6, 9, 10, 13, 14, 17, 18, 21, 22])
            #expect(ended.all == Array(1...24))
            // Nothing has been measured at the beginning of an epoch.
            for (step, loss) in losses.all.enumerated() { #expect(loss.isNaN == step.isMultiple(of: 8)) }

            // As without them, since nothing here depends on the number of a step.
            let whole = try trainer()
            let sound = try Dataset(data).subset([1, 2, 5, 6])
            let expected = try await whole.fit(
                sound.batched(1), epochs: 3, validation: sound.batched(1), loaderThreads: threads,
                verbosity: .silent)
            #expect(history.epochs.map(\.loss) == expected.epochs.map(\.loss))
            #expect(history.epochs.map(\.metrics) == expected.epochs.map(\.metrics))
            #expect(history.epochs.map(\.validationLoss) == expected.epochs.map(\.validationLoss))
            let wholeWeights = try await weights(whole)
            #expect(try await weights(skipping) == wholeWeights)

            let some = try batches(data, without: broken, size: 1)
            let evaluation = try await skipping.evaluate(some, loaderThreads: threads)
            #expect(try await evaluation == skipping.evaluate(sound.batched(1)))
            let predictions = try await skipping.predict(some, loaderThreads: threads)
            #expect(predictions[0].shape == [4, 2])
            #expect(try await predictions == skipping.predict(sound.batched(1)))
        }
    }

    /// Of a schedule, too, every other step has what it would have.
    @Test func schedulesKeepTheirPlace() async throws {
        let rates = Collected<Double>()
        let trainer = try smallNetwork().compile(
            optimizer: .sgd(), loss: .sparseCategoricalCrossentropy(),
            schedule: .piecewiseConstant(boundaries: [1, 3], values: [0.3, 0.2, 0.1]),
            device: .reference)
        _ = try await trainer.fit(
            batches(bars(6), without: [2], size: 1),
            callbacks: [LambdaCallback(stepEnds: { rates.append($0.trainer.learningRate) })],
            verbosity: .silent)
        #expect(rates.all == [0.3, 0.3, 0.3, 0.2, 0.1, 0.1])
    }

    @Test func progressWithBatchesOfNothing() async throws {
        let printed = Printed()
        _ = try await smallTrainer().fit(
            batches(bars(3), without: [0, 1], size: 1), output: printed.output(isTerminal: true))
        #expect(printed.text.contains("3/3") && !printed.text.contains("nan"), "\(printed.text)")
    }

    /// With random orders those that cannot be computed may fill a whole epoch, or any steps one after the other.
    @Test func epochsOfNothing() async throws {
        let data = try bars(4)
        for seed in 0..<6 as Range<UInt64> {
            let history = try await smallTrainer().fit(
                batches(data, without: [0, 1, 3], size: 1, shuffled: seed), epochs: 20, stepsPerEpoch: 2,
                callbacks: [EarlyStopping(monitor: "loss", patience: 100)], verbosity: .silent)
            #expect(history.epochs.count == 20)
            // One of two epochs has the one example that there is.
            #expect(history.epochs.count { $0.loss.isNaN } == 10)
            #expect(history.epochs.allSatisfy { $0.loss.isNaN == $0.metrics["accuracy"]?.isNaN })
        }
    }

    @Test func nothingAtAllIsAnError() async throws {
        let data = try bars(5)
        let nothing = try batches(data, without: Set(0..<5), size: 2)
        let trainer = try smallTrainer()
        let before = try await weights(trainer)
        func expect(
            _ data: TrainingError.Data, sourceLocation: SourceLocation = #_sourceLocation,
            _ work: () async throws -> Void
        ) async {
            let error = await #expect(throws: TrainingError.self, sourceLocation: sourceLocation) {
                try await work()
            }
            #expect(error == .everyBatchLeftOut(data, "\(Broken())"), sourceLocation: sourceLocation)
        }
        for steps in [nil, 1, 3, 100] {
            await expect(.training) {
                _ = try await trainer.fit(nothing, epochs: 9, stepsPerEpoch: steps, verbosity: .silent)
            }
        }
        await expect(.training) {
            _ = try await trainer.fit(nothing.repeated(), stepsPerEpoch: 4, verbosity: .silent)
        }
        await expect(.evaluation) { _ = try await trainer.evaluate(nothing) }
        await expect(.prediction) { _ = try await trainer.predict(nothing) }
        #expect(try await weights(trainer) == before)
        await expect(.validation) {
            _ = try await trainer.fit(Dataset([data]), validation: nothing, verbosity: .silent)
        }
        let description = "\(TrainingError.everyBatchLeftOut(.training, "a.jpg: ends too early"))"
        #expect(description.contains("training data") && description.hasSuffix("a.jpg: ends too early"))
    }

    @Test func everyBatchIsChecked() async throws {
        let data = try bars(8)
        let wrong = try Examples(
            inputs: data.inputs[0], targets: TensorValue([Int32](repeating: 2, count: 8)))
        let trainer = try smallTrainer()
        let error = await #expect(throws: TrainingError.self) {
            try await trainer.fit(Dataset([data, wrong]), verbosity: .silent)
        }
        #expect(error == .labelOutOfRange(2, example: 0, classes: 2, in: .training))
        let validation = await #expect(throws: TrainingError.self) {
            try await trainer.fit(Dataset([data]), validation: Dataset([wrong]), verbosity: .silent)
        }
        #expect(validation == .labelOutOfRange(2, example: 0, classes: 2, in: .validation))
        let evaluation = await #expect(throws: TrainingError.self) {
            try await trainer.evaluate(Dataset([data, wrong]))
        }
        #expect(evaluation == .labelOutOfRange(2, example: 0, classes: 2, in: .evaluation))
        let label = try Examples(inputs: data.targets[0], targets: data.targets[0])
        await #expect(throws: TrainingError.self) { try await trainer.predict(Dataset([data, label])) }
    }

    @Test func argumentsOutOfRange() async throws {
        let trainer = try smallTrainer()
        let before = try await weights(trainer)
        let batches = try Dataset(bars(8)).batched(3)
        let (none, endless) = (try batches.take(0), try batches.repeated())
        await #expect(throws: TrainingError.noExamples(.training)) { try await trainer.fit(none) }
        await #expect(throws: TrainingError.noExamples(.validation)) {
            try await trainer.fit(batches, validation: none)
        }
        await #expect(throws: TrainingError.noExamples(.evaluation)) { try await trainer.evaluate(none) }
        await #expect(throws: TrainingError.noExamples(.prediction)) { try await trainer.predict(none) }
        await #expect(throws: TrainingError.self) { try await trainer.fit(endless) }
        await #expect(throws: TrainingError.self) { try await trainer.fit(batches, validation: endless) }
        await #expect(throws: TrainingError.self) { try await trainer.evaluate(endless) }
        await #expect(throws: TrainingError.self) { try await trainer.predict(endless) }
        for bad in [0, -1] {
            await #expect(throws: TrainingError.self) { try await trainer.fit(batches, epochs: bad) }
            await #expect(throws: TrainingError.self) { try await trainer.fit(batches, stepsPerEpoch: bad) }
            await #expect(throws: TrainingError.self) {
                try await trainer.fit(batches, validation: batches, validationSteps: bad)
            }
            await #expect(throws: TrainingError.self) { try await trainer.evaluate(batches, steps: bad) }
            await #expect(throws: TrainingError.self) { try await trainer.predict(batches, steps: bad) }
            await #expect(throws: DatasetError.self) { try await trainer.fit(batches, prefetch: bad) }
        }
        await #expect(throws: DatasetError.self) { try await trainer.fit(batches, loaderThreads: -1) }
        await #expect(throws: DatasetError.self) { try await trainer.evaluate(batches, loaderThreads: 1000) }
        #expect(try await weights(trainer) == before)
        let some = try await trainer.evaluate(endless, steps: 3)
        #expect(try await some == trainer.evaluate(batches))
    }
}
