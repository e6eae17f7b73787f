import Foundation
import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaOneDNN
import FoveaRuntime
import FoveaTraining
import Synchronization
import TestSupport
import Testing

@testable import FoveaSaving

/// A training that stops anywhere and goes on comes to what it would have come to.
@Suite struct BackupAndRestoreTests {
    /// What ends a training as suddenly as a signal would.
    private struct Killed: Error {}

    private struct Outcome: Equatable {
        let values: [TensorValue]
        let epochs: [History.Epoch]
        let stopReason: String?
        let learningRate: Double

        static func == (a: Outcome, b: Outcome) -> Bool {
            // Times differ.
            func reports(_ outcome: Outcome) -> [[Double]] {
                outcome.epochs.map { [Double($0.number)] + $0.values.map(\.value) }
            }
            return a.values == b.values && reports(a) == reports(b) && a.stopReason == b.stopReason
                && a.learningRate == b.learningRate
        }
    }

    /// Dropout, state of a layer, and an optimizer with slots; trained in four steps an epoch.
    private func trainer(
        schedule: LearningRateSchedule? = nil, accumulation: Int = 1, averaging: WeightAveraging? = nil,
        on backend: any Backend = ReferenceBackend()
    ) throws -> Trainer {
        try Sequential(input: [3], seed: 5) {
            MovingMean()
            Dense(units: 4, activation: .tanh)
            Dropout(rate: 0.25)
            Dense(units: 2, activation: .softmax)
        }.compile(
            optimizer: .adam(learningRate: 0.05, amsgrad: true), loss: .sparseCategoricalCrossentropy(),
            metrics: [.accuracy], schedule: schedule, accumulation: accumulation, weightAveraging: averaging,
            device: Device(backend))
    }

    private static let epochs = 5
    private static let stepsPerEpoch = 4

    /// Callbacks with memories; a large `minDelta` lets them act.
    private func callbacks(hasSchedule: Bool) -> [any Callback] {
        let reducing: [any Callback] =
            hasSchedule ? [] : [ReduceLROnPlateau(factor: 0.5, patience: 1, minDelta: 0.2, cooldown: 1)]
        return reducing + [
            EarlyStopping(monitor: "val_loss", minDelta: 0.2, patience: 3, restoreBest: true),
            EarlyStopping(monitor: "val_accuracy", patience: 9),
        ]
    }

    /// - Parameter killed: after which step to end; before or behind the other callbacks.
    private func train(
        _ trainer: Trainer, _ path: String, killed: Int? = nil, atEpochEnd: Bool = false,
        frequency: SaveFrequency = .steps(1), isFirst: Bool = true
    ) async throws -> Outcome {
        let backup = BackupAndRestore(path, saveFrequency: frequency)
        let others = callbacks(hasSchedule: trainer.configuration.schedule != nil)
        let killer = KillerCallback(step: killed, atEpochEnd: atEpochEnd)
        let history = try await trainer.fit(
            points(14), epochs: Self.epochs, batchSize: 4, validation: points(6, seed: 2), seed: 3,
            callbacks: (isFirst ? [backup] + others : others + [backup]) + [killer], verbosity: .silent)
        let values = try await Compute.run {
            try trainer.model.parameters.compactMap { try $0.parameter.variable?.value() }
                + trainer.optimizerState.variables.map { try $0.value() }
        }
        return Outcome(
            values: values, epochs: history.epochs, stopReason: history.stopReason,
            learningRate: trainer.learningRate)
    }

    /// Throws once a step is complete and all callbacks have had it; or once the epoch that it ends is.
    private final class KillerCallback: Callback {
        private let step: Int?
        private let atEpochEnd: Bool

        nonisolated init(step: Int?, atEpochEnd: Bool = false) {
            self.step = step
            self.atEpochEnd = atEpochEnd
        }

        func runSettles(_ run: TrainingRun) throws {
            if run.step == step, (run.completeSteps == 0) == atEpochEnd { throw Killed() }
        }
    }

    private enum Way: CaseIterable { case plain, schedule, accumulation }

    private func trainer(_ way: Way, on backend: any Backend = ReferenceBackend()) throws -> Trainer {
        let cosine = LearningRateSchedule.cosineDecay(initialLearningRate: 0.1, decaySteps: 20)
        return try trainer(
            schedule: way == .schedule ? cosine : nil, accumulation: way == .accumulation ? 3 : 1,
            averaging: way == .accumulation ? WeightAveraging(momentum: 0.5, overwriteFrequency: 2) : nil,
            on: backend)
    }

    @Test(arguments: Way.allCases, [true, false])
    private func everyStepIsAPlaceToStop(way: Way, isFirst: Bool) async throws {
        try await inTemporaryFolder { folder in
            let path = folder + "/checkpoint"
            let expected = try await train(trainer(way), path, isFirst: isFirst)
            #expect(!FileManager.default.fileExists(atPath: path))
            let steps = expected.epochs.count * Self.stepsPerEpoch
            #expect(expected.stopReason != nil || expected.epochs.count == Self.epochs)
            let stops =
                (1...steps).map { ($0, false) }
                + stride(from: Self.stepsPerEpoch, through: steps, by: Self.stepsPerEpoch).map { ($0, true) }
            for (step, atEpochEnd) in stops {
                let stopped = try trainer(way)
                await #expect(throws: Killed.self) {
                    try await train(stopped, path, killed: step, atEpochEnd: atEpochEnd, isFirst: isFirst)
                }
                let resumed = try await train(trainer(way), path, isFirst: isFirst)
                #expect(resumed == expected, "\(way), step \(step), at the end of the epoch: \(atEpochEnd)")
                #expect(!FileManager.default.fileExists(atPath: path))
            }
        }
    }

    /// Stopped again and again, with several steps or a whole epoch lost each time, on the kernels that people use.
    @Test(arguments: [SaveFrequency.epoch, .steps(3)])
    func manyStops(frequency: SaveFrequency) async throws {
        try await inTemporaryFolder { folder in
            let path = folder + "/checkpoint"
            let expected = try await train(trainer(.plain, on: OneDNNBackend()), path)
            for step in [2, 5, 7, 11, 11, 13] {
                let stopped = try trainer(.plain, on: OneDNNBackend())
                await #expect(throws: Killed.self) {
                    try await train(stopped, path, killed: step, frequency: frequency)
                }
            }
            let resumed = try await train(
                trainer(.plain, on: OneDNNBackend()), path, frequency: frequency, isFirst: false)
            #expect(resumed == expected)
        }
    }

    @Test func callbacksAct() async throws {
        // Else the tests above would say little.
        let outcome = try await train(trainer(.plain), NSTemporaryDirectory() + UUID().uuidString)
        #expect(outcome.learningRate < 0.05)
        #expect(outcome.stopReason?.hasPrefix("val_loss") == true && outcome.epochs.count < Self.epochs)
    }

    @Test func aSequenceGoesOnWhereItWas() async throws {
        try await inTemporaryFolder { folder in
            let path = folder + "/checkpoint"
            let data = try points(12)
            func batches() -> some Sequence<Examples> {
                sequence(state: 0) { (next: inout Int) -> Examples? in
                    defer { next = (next + 5) % 9 }
                    return try? data[next..<(next + 3)]
                }
            }
            func train(killed: Int?) async throws -> [TensorValue?] {
                let trainer = try trainer()
                _ = try await trainer.fit(
                    batches: batches(), stepsPerEpoch: 3, epochs: 3,
                    callbacks: [
                        BackupAndRestore(path, saveFrequency: .steps(1)), KillerCallback(step: killed),
                    ],
                    verbosity: .silent)
                return try await values(of: trainer.model)
            }
            let expected = try await train(killed: nil)
            for step in [1, 3, 8] {
                await #expect(throws: Killed.self) { try await train(killed: step) }
                #expect(try await train(killed: nil) == expected)
            }
        }
    }

    /// Batches that chance decides, computed ahead: no step's batch depends on where training began.
    @Test(arguments: [0, 2]) func aDataSetGoesOnWhereItWas(threads: Int) async throws {
        try await inTemporaryFolder { folder in
            let path = folder + "/checkpoint"
            func batches(shuffling seed: UInt64 = 1, size: Int = 4) throws -> Dataset<Examples> {
                try Dataset(points(14)).map(seed: 2, named: "noise") { example, random in
                    let noisy = example.inputs[0].floats.map { $0 + Float(random.uniform()) }
                    return Example(inputs: [TensorValue(noisy)], targets: example.targets)
                }.shuffled(seed: seed).batched(size)
            }
            func train(_ batches: Dataset<Examples>, killed: Int?) async throws -> [TensorValue?] {
                let trainer = try trainer()
                _ = try await trainer.fit(
                    batches, epochs: 3, stepsPerEpoch: 5, validation: batches, loaderThreads: threads,
                    callbacks: [
                        BackupAndRestore(path, saveFrequency: .steps(1)), KillerCallback(step: killed),
                    ],
                    verbosity: .silent)
                return try await values(of: trainer.model)
            }
            let expected = try await train(batches(), killed: nil)
            for step in 1..<15 {
                await #expect(throws: Killed.self) { try await train(batches(), killed: step) }
                #expect(try await train(batches(), killed: nil) == expected)
            }

            await #expect(throws: Killed.self) { try await train(batches(), killed: 7) }
            let long = try (0..<30).reduce(batches()) { data, _ in try data.take(100) }
            for (other, difference) in try [
                (batches(shuffling: 3), "shuffled with seed 3"), (batches(size: 5), "batches of 5"),
                (long, "the first 100"),
            ] {
                let error = await #expect(throws: TrainingError.self) { try await train(other, killed: nil) }
                let message = "\(try #require(error))"
                #expect(
                    message.contains("its data set is 14 examples, noise with seed 2, shuffled with seed 1"))
                #expect(message.contains(difference))
            }
            #expect(try await train(batches(), killed: nil) == expected)
        }
    }

    /// A step whose batch was left out is a place like any other, the first of an epoch too.
    @Test(arguments: [1, 3]) func stepsOfNothingArePlacesToStop(accumulation: Int) async throws {
        struct Broken: Error {}
        try await inTemporaryFolder { folder in
            let path = folder + "/checkpoint"
            let data = try points(7)
            func train(killed: Int?) async throws -> Outcome {
                let cosine = LearningRateSchedule.cosineDecay(initialLearningRate: 0.1, decaySteps: 20)
                let trainer = try trainer(schedule: cosine, accumulation: accumulation)
                let examples = try Dataset(count: 7) { index, _ in
                    if index > 3 { throw Broken() }
                    return try Dataset(data).element(at: index)
                }.shuffled(seed: 2).batched(1, onError: .skip(FailedElements()))
                let history = try await trainer.fit(
                    examples, epochs: 3, validation: examples,
                    callbacks: [
                        BackupAndRestore(path, saveFrequency: .steps(1)), KillerCallback(step: killed),
                    ] + callbacks(hasSchedule: true), verbosity: .silent)
                return Outcome(
                    values: try await values(of: trainer.model).compactMap(\.self)
                        + Compute.run { try trainer.optimizerState.variables.map { try $0.value() } },
                    epochs: history.epochs, stopReason: history.stopReason,
                    learningRate: trainer.learningRate)
            }
            let expected = try await train(killed: nil)
            #expect(expected.epochs.count == 3)
            for step in 1..<21 {
                await #expect(throws: Killed.self) { try await train(killed: step) }
                #expect(try await train(killed: nil) == expected, "step \(step)")
            }
        }
    }

    @Test func anInterruptionWritesTheFile() async throws {
        try await inTemporaryFolder { folder in
            let path = folder + "/checkpoint"
            let data = try points(14)
            func fit(_ trainer: Trainer, stopAt step: Int?) async throws -> History {
                let stop = StopSignal()
                let stopping = EarlyStopping(monitor: "loss", patience: 9, restoreBest: true)
                return try await trainer.fit(
                    data, epochs: 3, batchSize: 4,
                    callbacks: [
                        stopping, BackupAndRestore(path),
                        LambdaCallback(stepEnds: { if $0.step == step { stop.request() } }),
                    ], verbosity: .silent, stop: stop)
            }
            let whole = try trainer()
            let expected = try await fit(whole, stopAt: nil)
            #expect(!FileManager.default.fileExists(atPath: path))
            for step in [1, 4, 6] {
                let interrupted = try await fit(trainer(), stopAt: step)
                #expect(interrupted.wasInterrupted && FileManager.default.fileExists(atPath: path))
                let resumed = try trainer()
                let history = try await fit(resumed, stopAt: nil)
                #expect(!history.wasInterrupted)
                #expect(history.epochs.map(\.loss) == expected.epochs.map(\.loss))
                let final = try await values(of: whole.model)
                #expect(try await values(of: resumed.model) == final)
            }
        }
    }

    @Test func aFileThatIsKept() async throws {
        try await inTemporaryFolder { folder in
            let path = folder + "/checkpoint"
            func fit(epochs: Int) async throws -> (History, [TensorValue?], TrainingPosition?) {
                let restored = Mutex<TrainingPosition?>(nil)
                let trainer = try trainer()
                let history = try await trainer.fit(
                    points(14), epochs: epochs, batchSize: 4,
                    callbacks: [
                        BackupAndRestore(
                            path, deletesWhenDone: false,
                            restored: { position in restored.withLock { $0 = position } })
                    ], verbosity: .silent)
                return (history, try await values(of: trainer.model), restored.withLock { $0 })
            }
            let two = try await fit(epochs: 2)
            #expect(two.2 == nil && FileManager.default.fileExists(atPath: path))
            // All is done already.
            let again = try await fit(epochs: 2)
            #expect(again.1 == two.1 && again.0.epochs == two.0.epochs)
            #expect(again.2?.completeEpochs == 2 && again.2?.completeSteps == 0)
            // More epochs than planned.
            let four = try await fit(epochs: 4)
            #expect(four.0.epochs.prefix(2) == two.0.epochs[...] && four.0.epochs.count == 4)
            unlink(path)
            #expect(try await fit(epochs: 4).1 == four.1)
            // Fewer than done.
            await #expect(throws: TrainingError.self) { try await fit(epochs: 3) }
        }
    }
}
