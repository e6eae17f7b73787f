import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaOneDNN
import FoveaRuntime
import Testing

@testable import FoveaTraining

/// What an epoch is: batches of a data set, some of them, or those of a sequence.
struct EpochTests {
    // MARK: Steps per epoch

    /// Ten examples in batches of four are three batches, so six epochs of two steps are four of three.
    @Test(arguments: [1, 2, 3, 4, 6, 12]) func epochsOfAnyLengthGoOnBehindTheLastBatch(steps: Int)
        async throws
    {
        let data = try bars(10)
        let plain = try smallTrainer(dropout: 0.5)
        _ = try await plain.fit(data, epochs: 4, batchSize: 4, seed: 3, verbosity: .silent)
        let other = try smallTrainer(dropout: 0.5)
        let history = try await other.fit(
            data, epochs: 12 / steps, batchSize: 4, seed: 3, stepsPerEpoch: steps, verbosity: .silent)
        #expect(history.epochs.map(\.number) == Array(1...(12 / steps)))
        #expect(try await weights(plain) == weights(other))
        // In parts as well.
        guard steps < 12 else { return }
        let parts = try smallTrainer(dropout: 0.5)
        for epoch in 0..<(12 / steps) {
            _ = try await parts.fit(
                data, epochs: epoch + 1, batchSize: 4, seed: 3, initialEpoch: epoch, stepsPerEpoch: steps,
                verbosity: .silent)
        }
        #expect(try await weights(plain) == weights(parts))
    }

    /// Order, dropout masks, the place in a schedule, moving averages and the optimizer's state go on.
    @Test func fitInALoopGoesOnWithInitialEpoch() async throws {
        let data = try bars(20)
        func trainer() throws -> Trainer {
            try Sequential(input: [6, 5, 1]) {
                Conv2D(filters: 4, kernelSize: [3, 2], useBias: false)
                BatchNormalization(momentum: 0.5)
                ReLU()
                Flatten()
                Dropout(rate: 0.5)
                Dense(units: 2, activation: .softmax)
            }.compile(
                optimizer: .adam(), loss: .sparseCategoricalCrossentropy(),
                schedule: .cosineDecay(initialLearningRate: 0.02, decaySteps: 8), accumulation: 2)
        }
        func values(_ trainer: Trainer) async throws -> [TensorValue] {
            try await Compute.run { try trainer.changingVariables.map { try $0.value() } }
        }
        let atOnce = try trainer()
        let history = try await atOnce.fit(data, epochs: 3, batchSize: 6, verbosity: .silent)
        let inALoop = try trainer()
        var epochs: [History.Epoch] = []
        for epoch in 0..<3 {
            let part = try await inALoop.fit(
                data, epochs: epoch + 1, batchSize: 6, initialEpoch: epoch, verbosity: .silent)
            epochs += part.epochs
            #expect(part.epochs.map(\.number) == [epoch + 1])
        }
        #expect(epochs.map(\.loss) == history.epochs.map(\.loss))
        #expect(try await values(inALoop) == values(atOnce))
        #expect(inALoop.learningRate == atOnce.learningRate)
        // Without, everything that the number of a step decides comes again.
        let again = try trainer()
        for _ in 0..<3 { _ = try await again.fit(data, epochs: 1, batchSize: 6, verbosity: .silent) }
        #expect(again.learningRate > atOnce.learningRate)
        #expect(try await values(again) != values(atOnce))
    }

    @Test func theReportedLossIsOfTheStepsOfTheEpoch() async throws {
        let data = try bars(10)
        let trainer = try smallTrainer(.sgd(learningRate: 0))
        let history = try await trainer.fit(
            data, epochs: 3, batchSize: 4, shuffle: false, stepsPerEpoch: 2, verbosity: .silent)
        // Batches 0 and 1, 2 and 0, 1 and 2.
        for (epoch, ranges) in zip(history.epochs, [[0..<8], [8..<10, 0..<4], [4..<10]]) {
            var sum = 0.0
            for range in ranges { sum += try await trainer.evaluate(data[range]).loss * Double(range.count) }
            #expect(abs(epoch.loss - sum / Double(ranges.map(\.count).reduce(0, +))) < 1e-6)
        }
    }

    @Test func validationSteps() async throws {
        let (data, validation) = (try bars(8), try bars(10, seed: 5))
        let trainer = try smallTrainer()
        let history = try await trainer.fit(
            data, batchSize: 3, validation: validation, validationSteps: 2, verbosity: .silent)
        let expected = try await trainer.evaluate(validation[0..<6])
        #expect(abs((history.epochs[0].validationLoss ?? 0) - expected.loss) < 1e-6)
        #expect(history.epochs[0].validationMetrics == expected.metrics)
        let steps = try await trainer.evaluate(validation, batchSize: 3, steps: 2)
        #expect(abs(steps.loss - expected.loss) < 1e-6)
        let all = try await trainer.evaluate(validation, batchSize: 3, steps: 99)
        #expect(try await all.metrics == trainer.evaluate(validation).metrics)

        let split = try await trainer.fit(
            data, batchSize: 2, validationSplit: 0.5, validationSteps: 1, verbosity: .silent)
        let last = try await trainer.evaluate(data[4..<6])
        #expect(abs((split.epochs[0].validationLoss ?? 0) - last.loss) < 1e-6)
    }

    // MARK: Sequences

    /// The batches of a data set, again and again.
    private func endless(_ data: Examples, _ batchSize: Int) throws -> some Sequence<Examples> {
        let batches = try stride(from: 0, to: data.count, by: batchSize).map {
            try data[$0..<min($0 + batchSize, data.count)]
        }
        return sequence(state: 0) { (next: inout Int) -> Examples? in
            defer { next += 1 }
            return batches[next % batches.count]
        }
    }

    @Test(arguments: [ReferenceBackend(), OneDNNBackend()] as [any Backend])
    func anEndlessSequenceIsTheSameBatchesFromMemory(backend: any Backend) async throws {
        let (data, validation) = (try bars(10), try bars(5, seed: 3))
        let memory = try smallTrainer(dropout: 0.5, on: backend)
        let expected = try await memory.fit(
            data, epochs: 3, batchSize: 4, validation: validation, shuffle: false, seed: 2, stepsPerEpoch: 5,
            verbosity: .silent)
        let other = try smallTrainer(dropout: 0.5, on: backend)
        let history = try await other.fit(
            batches: endless(data, 4), stepsPerEpoch: 5, epochs: 3, validation: validation,
            validationBatchSize: 4, seed: 2, verbosity: .silent)
        #expect(history.epochs.map(\.loss) == expected.epochs.map(\.loss))
        #expect(history.epochs.map(\.metrics) == expected.epochs.map(\.metrics))
        #expect(history.epochs.map(\.validationLoss) == expected.epochs.map(\.validationLoss))
        #expect(try await weights(memory) == weights(other))

        let parts = try smallTrainer(dropout: 0.5, on: backend)
        _ = try await parts.fit(
            batches: endless(data, 4), stepsPerEpoch: 5, epochs: 1, seed: 2, verbosity: .silent)
        _ = try await parts.fit(
            batches: endless(data, 4), stepsPerEpoch: 5, epochs: 3, seed: 2, initialEpoch: 1,
            verbosity: .silent)
        #expect(try await weights(memory) == weights(parts))
    }

    @Test func aSequenceThatEnds() async throws {
        let data = try bars(10)
        let batches = try [data[0..<4], data[4..<8], data[8..<10]]
        let trainer = try smallTrainer()
        _ = try await trainer.fit(batches: batches, stepsPerEpoch: 3, verbosity: .silent)
        let error = await #expect(throws: TrainingError.self) {
            try await trainer.fit(batches: batches, stepsPerEpoch: 2, epochs: 2, verbosity: .silent)
        }
        #expect(error == .outOfBatches(epoch: 2, step: 2))
        let early = await #expect(throws: TrainingError.self) {
            try await trainer.fit(
                batches: batches, stepsPerEpoch: 2, epochs: 4, initialEpoch: 3, verbosity: .silent)
        }
        #expect(early == .outOfBatches(epoch: 2, step: 2))
    }

    @Test func everyBatchOfASequenceIsChecked() async throws {
        let data = try bars(8)
        let wrong = try Examples(
            inputs: data.inputs[0], targets: TensorValue([Int32](repeating: 2, count: 8)))
        let trainer = try smallTrainer()
        let error = await #expect(throws: TrainingError.self) {
            try await trainer.fit(batches: [data, wrong], stepsPerEpoch: 2, verbosity: .silent)
        }
        #expect(error == .labelOutOfRange(2, example: 0, classes: 2, in: .training))
        let empty = try data[0..<0]
        await #expect(throws: TrainingError.self) {
            try await trainer.fit(batches: [empty], stepsPerEpoch: 1, verbosity: .silent)
        }
    }

    @Test func argumentsOutOfRange() async throws {
        let data = try bars(4)
        let trainer = try smallTrainer()
        for (steps, validationSteps, epochs, name) in [
            (0, 1, 1, "stepsPerEpoch"), (1, 0, 1, "validationSteps"), (1, 1, .max, "epochs"),
            (.max, 1, 1, "stepsPerEpoch"),
        ] {
            let error = await #expect(throws: TrainingError.self) {
                try await trainer.fit(
                    data, epochs: epochs, validation: data, stepsPerEpoch: steps,
                    validationSteps: validationSteps, verbosity: .silent)
            }
            #expect(error?.description.hasPrefix("\(name) is ") == true)
            let other = await #expect(throws: TrainingError.self) {
                try await trainer.fit(
                    batches: [data], stepsPerEpoch: steps, epochs: epochs, validation: data,
                    validationSteps: validationSteps, verbosity: .silent)
            }
            #expect(other?.description.hasPrefix("\(name) is ") == true)
        }
        await #expect(throws: TrainingError.self) { try await trainer.evaluate(data, steps: 0) }
    }
}
