import Foundation
import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaRuntime
import Testing

@testable import FoveaTraining

@Suite struct LearningRateSearchTests {
    /// A line to be fitted: the loss is a parabola, which any rate above 1 leaves.
    private func line() throws -> (Trainer, Examples) {
        let model = try Sequential(input: [1], seed: 2) { Dense(units: 1) }
        let trainer = try model.compile(
            optimizer: .sgd(), loss: .meanSquaredError, device: .reference)
        let xs = (0..<32).map { Float($0) / 8 - 2 }
        let examples = try Examples(
            inputs: TensorValue(shape: [32, 1], xs),
            targets: TensorValue(shape: [32, 1], xs.map { 3 * $0 - 1 }))
        return (trainer, examples)
    }

    private func state(_ trainer: Trainer) async throws -> [TensorValue] {
        try await Compute.run { try trainer.changingVariables.map { try $0.value() } }
    }

    @Test func findsWhereTrainingBreaksDown() async throws {
        let (trainer, examples) = try line()
        trainer.learningRate = 0.123
        let before = try await state(trainer)
        let search = try await trainer.findLearningRate(
            examples, batchSize: 32, from: 1e-5, to: 100, steps: 80)
        #expect(try await state(trainer) == before)
        #expect(trainer.learningRate == 0.123)
        #expect(search.diverged && search.steps.count < 80)
        // The largest eigenvalue of the loss's second derivative is 2 · (mean of x², here 1.336), so rates above 0.75 diverge.
        let best = try #require(search.bestRate)
        #expect((0.05...7.5).contains(best), "the smoothed loss follows late: \(best)")
        #expect(search.suggestedRate == best / 10)
        // A geometric series.
        let ratio = pow(1e7, 1 / 79.0)
        for (a, b) in zip(search.steps, search.steps.dropFirst()) {
            #expect(abs(b.learningRate / a.learningRate - ratio) < 1e-9)
        }
        // Each loss is that before its step: the first is that of the model.
        let loss = try await trainer.evaluate(examples).loss
        #expect(abs(search.steps[0].loss - loss) < 1e-5)
        #expect(abs(search.steps[0].smoothedLoss - loss) < 1e-5)
        #expect(
            try await trainer.findLearningRate(examples, batchSize: 32, from: 1e-5, to: 100, steps: 80)
                == search)
    }

    /// The smoothed losses by the formula, with batches gone through again.
    @Test func smoothing() async throws {
        let (trainer, examples) = try line()
        let batches = try Dataset(examples).batched(12)
        let search = try await trainer.findLearningRate(batches, from: 1e-6, to: 1e-4, steps: 50)
        #expect(!search.diverged && search.steps.count == 50)
        let s = 0.9 * 0.9
        var average = 0.0
        for (index, step) in search.steps.enumerated() {
            average = s * average + (1 - s) * step.loss
            #expect(abs(step.smoothedLoss - average / (1 - pow(s, Double(index + 1)))) < 1e-9)
        }
    }

    /// A schedule does not interfere, frozen layers and moving averages stay, accumulated batches are one step.
    @Test func pairs() async throws {
        let model = try Sequential(input: [4], seed: 8) {
            Dense(units: 5, name: "frozen")
            BatchNormalization()
            Dropout(rate: 0.5)
            Dense(units: 3, activation: .softmax)
        }
        model.layers[0].isTrainable = false
        let trainer = try model.compile(
            optimizer: .adam(), loss: .sparseCategoricalCrossentropy(),
            schedule: .constant(0.5), clipping: .norm(1), accumulation: 3,
            weightAveraging: WeightAveraging(), device: .reference)
        let examples = try Examples(
            inputs: TensorValue(shape: [12, 4], (0..<48).map { Float($0 * 29 % 47) / 20 - 1 }),
            targets: TensorValue((0..<12).map { Int32($0 * 5 % 3) }))
        // Adam has moments already.
        try await trainer.fit(examples, epochs: 2, batchSize: 5, verbosity: .silent)
        let before = try await state(trainer)
        let search = try await trainer.findLearningRate(
            examples, batchSize: 5, steps: 12, classWeights: ClassWeights([0: 2]))
        #expect(search.steps.count == 12 || search.diverged)
        #expect(try await state(trainer) == before)
        #expect(trainer.learningRate == 0.5)
    }

    @Test func nothingToSay() async throws {
        let (trainer, examples) = try line()
        let broken = try Examples(
            inputs: examples.inputs[0],
            targets: TensorValue(shape: [32, 1], [Float](repeating: 3e38, count: 32)))
        let before = try await state(trainer)
        let search = try await trainer.findLearningRate(broken)
        #expect(
            search.steps.isEmpty && search.diverged && search.suggestedRate == nil && search.bestRate == nil)
        #expect(try await state(trainer) == before)
        let stop = StopSignal()
        stop.request()
        await #expect(throws: CancellationError.self) {
            try await trainer.findLearningRate(examples, stop: stop)
        }
    }

    @Test func wrongArguments() async throws {
        let (trainer, examples) = try line()
        for (low, high, steps) in [
            (0.0, 1.0, 10), (1, 1, 10), (2, 1, 10), (1e-3, .infinity, 10), (.nan, 1, 10), (1e-3, 1, 1),
            (1e-3, 1, .max),
        ] {
            await #expect(throws: TrainingError.self) {
                try await trainer.findLearningRate(examples, from: low, to: high, steps: steps)
            }
        }
        await #expect(throws: TrainingError.self) {
            try await trainer.findLearningRate(examples, batchSize: 0)
        }
        await #expect(throws: TrainingError.self) {
            try await trainer.findLearningRate(Dataset(examples).batched(4).take(0))
        }
    }
}
