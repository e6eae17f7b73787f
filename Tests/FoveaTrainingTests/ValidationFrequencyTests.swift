import FoveaDatasets
import FoveaGraph
import FoveaRuntime
import Testing

@testable import FoveaTraining

/// Validation after every so many epochs.
struct ValidationFrequencyTests {
    private func history(
        _ frequency: Int, epochs: Int = 5, initialEpoch: Int = 0, callbacks: [any Callback] = []
    ) async throws -> (History, [TensorValue]) {
        let trainer = try smallTrainer()
        let history = try await trainer.fit(
            bars(12), epochs: epochs, batchSize: 5, validation: bars(7, seed: 8), initialEpoch: initialEpoch,
            validationFrequency: frequency, callbacks: callbacks, verbosity: .silent)
        return (history, try await weights(trainer))
    }

    @Test func epochsBetweenAreNotValidated() async throws {
        let (every, weights) = try await history(1)
        for frequency in [2, 3, 7] {
            let (some, others) = try await history(frequency)
            #expect(others == weights)
            #expect(some["loss"] == every["loss"])
            #expect(some["val_loss"].count == 5 / frequency)
            for epoch in some.epochs {
                let isDue = epoch.number.isMultiple(of: frequency)
                let expected = isDue ? every.epochs[epoch.number - 1].validationLoss : nil
                #expect(epoch.validationLoss == expected)
                #expect(epoch.validationMetrics.isEmpty != isDue)
            }
        }
        #expect(every["val_accuracy"].count == 5 && every["nothing"].isEmpty)
    }

    /// Numbers of epochs count from the first of all, not of this training.
    @Test func initialEpochsCount() async throws {
        let (some, _) = try await history(3, epochs: 7, initialEpoch: 2)
        #expect(some.epochs.filter { $0.validationLoss != nil }.map(\.number) == [3, 6])
    }

    @Test func dataSetsAndSequencesToo() async throws {
        let trainer = try smallTrainer()
        let batches = try Dataset(bars(12)).batched(4)
        let first = try await trainer.fit(
            batches, epochs: 4, validation: Dataset(bars(7)).batched(4), validationFrequency: 2,
            verbosity: .silent)
        #expect(first.epochs.map { $0.validationLoss != nil } == [false, true, false, true])
        let endless = sequence(first: 0) { $0 + 1 }.lazy.map { _ in try! bars(4) }
        let second = try await trainer.fit(
            batches: endless, stepsPerEpoch: 2, epochs: 4, validation: bars(7), validationFrequency: 4,
            verbosity: .silent)
        #expect(second.epochs.map { $0.validationLoss != nil } == [false, false, false, true])
    }

    /// Patience counts epochs that have a number.
    @Test func callbacksWaitForNumbers() async throws {
        let never = EarlyStopping(minDelta: 1e9, patience: 2)
        let (some, _) = try await history(2, epochs: 20, callbacks: [never])
        #expect(some.epochs.count == 6)
    }

    @Test func zeroIsRefused() async throws {
        await #expect(throws: TrainingError.self) { try await history(0) }
    }
}
