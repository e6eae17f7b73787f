import FoveaDatasets
import FoveaGraph
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
