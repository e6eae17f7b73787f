import Foundation
import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaRuntime
import FoveaTraining
import Synchronization
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
        schedule: LearningRateSchedule? = nil, accumulation: Int = 1,
        on backend: any Backend = ReferenceBackend()
    ) throws -> Trainer {
        try Sequential(input: [3], seed: 5) {
            MovingMean()
            Dense(units: 4, activation: .tanh)
            Dropout(rate: 0.25)
            Dense(units: 2, activation: .softmax)
        }.compile(
            optimizer: .adam(learningRate: 0.05, amsgrad: true), loss: .sparseCategoricalCrossentropy(),
            metrics: [.accuracy], schedule: schedule, accumulation: accumulation, backend: backend)
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
            learningRate: await trainer.learningRate)
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
            schedule: way == .schedule ? cosine : nil, accumulation: way == .accumulation ? 3 : 1, on: backend
        )
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

    // MARK: What does not fit

    @Test func whatDiffersIsNamed() async throws {
        try await inTemporaryFolder { folder in
            let path = folder + "/checkpoint"
            let data = try points(14)
            func fit(
                _ trainer: Trainer, _ examples: Examples, batchSize: Int = 4, shuffle: Bool = true,
                seed: UInt64 = 3, classWeights: ClassWeights? = nil, stepsPerEpoch: Int? = nil,
                callbacks: [any Callback] = [EarlyStopping(monitor: "loss", patience: 5)]
            ) async throws {
                _ = try await trainer.fit(
                    examples, epochs: 2, batchSize: batchSize, shuffle: shuffle, seed: seed,
                    classWeights: classWeights, stepsPerEpoch: stepsPerEpoch,
                    callbacks: callbacks + [BackupAndRestore(path, deletesWhenDone: false)],
                    verbosity: .silent)
            }
            try await fit(pointTrainer(), data)
            let saved = try AtomicFile.read(path)
            // The same once more, so that each difference below is the only one.
            try await fit(pointTrainer(), data)

            func expect(
                _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation,
                by make: () throws -> Trainer = { try pointTrainer() },
                _ train: (Trainer) async throws -> Void
            ) async throws {
                let trainer = try make()
                let before = try await values(of: trainer.model)
                let error = await #expect(throws: TrainingError.self, sourceLocation: sourceLocation) {
                    try await train(trainer)
                }
                guard case .checkpointDoesNotFit(path, let reason) = error else {
                    Issue.record("\(error as Any)", sourceLocation: sourceLocation)
                    return
                }
                for part in parts {
                    #expect(reason.contains(part), "\(reason)", sourceLocation: sourceLocation)
                }
                #expect(try await values(of: trainer.model) == before, sourceLocation: sourceLocation)
                #expect(try AtomicFile.read(path) == saved, sourceLocation: sourceLocation)
            }
            try await expect("another network", by: { try pointTrainer(units: 5) }) {
                try await fit($0, data)
            }
            try await expect(
                "its optimizer is", "\"learningRate\":0.05", "0.06",
                by: { try pointTrainer(optimizer: .adam(learningRate: 0.06)) }
            ) { try await fit($0, data) }
            try await expect("its optimizer is", "rmsprop", by: { try pointTrainer(optimizer: .rmsprop()) }) {
                try await fit($0, data)
            }
            func other(
                loss: Loss = .sparseCategoricalCrossentropy(), accumulation: Int = 1,
                schedule: LearningRateSchedule? = nil, clipping: GradientClipping? = nil
            ) throws -> Trainer {
                try pointTrainer().model.compile(
                    optimizer: .adam(learningRate: 0.05), loss: loss, metrics: [.accuracy],
                    schedule: schedule, clipping: clipping, accumulation: accumulation,
                    backend: ReferenceBackend())
            }
            try await expect(
                "its outputs is", by: { try other(loss: .sparseCategoricalCrossentropy(labelSmoothing: 0.1)) }
            ) { try await fit($0, data) }
            try await expect("its accumulation is 1", by: { try other(accumulation: 2) }) {
                try await fit($0, data)
            }
            try await expect("its schedule is none", by: { try other(schedule: .constant(0.05)) }) {
                try await fit($0, data)
            }
            try await expect("its clipping is none", by: { try other(clipping: .norm(1)) }) {
                try await fit($0, data)
            }
            try await expect("its seed is 3", "4") { try await fit($0, data, seed: 4) }
            try await expect("its batch size is 4", "5") { try await fit($0, data, batchSize: 5) }
            try await expect("its order of examples is shuffled", "as given") {
                try await fit($0, data, shuffle: false)
            }
            try await expect("its epochs have 4 steps", "3") { try await fit($0, data, stepsPerEpoch: 3) }
            try await expect("its number of examples is 14", "13") { try await fit($0, data[0..<13]) }
            try await expect("class weights none", "0: 2.0") {
                try await fit($0, data, classWeights: ClassWeights([2, 1]))
            }
            try await expect("its callbacks that remember are EarlyStopping", "this training none") {
                try await fit($0, data, callbacks: [TerminateOnNaN()])
            }
            try await expect("EarlyStopping, EarlyStopping 2") {
                try await fit(
                    $0, data,
                    callbacks: [
                        EarlyStopping(monitor: "loss"), LambdaCallback(), EarlyStopping(monitor: "accuracy"),
                    ])
            }
            try await expect("its batch size is 4, this training has none") { trainer in
                _ = try await trainer.fit(
                    batches: [data], stepsPerEpoch: 1, callbacks: [BackupAndRestore(path)],
                    verbosity: .silent)
            }
        }
    }

    @Test func frozenParametersMakeADifference() async throws {
        try await inTemporaryFolder { folder in
            let path = folder + "/checkpoint"
            for isFrozen in [false, true] {
                // MovingMean: the architecture cannot be written, so that only the variables tell.
                let model = try Sequential(input: [3]) {
                    MovingMean()
                    Dense(units: 2, activation: .softmax)
                    Dense(units: 2, activation: .softmax)
                }
                if isFrozen { model.layers[1].isTrainable = false }
                let trainer = try model.compile(
                    optimizer: .sgd(), loss: .sparseCategoricalCrossentropy(), backend: ReferenceBackend())
                func fit() async throws {
                    _ = try await trainer.fit(
                        points(4), callbacks: [BackupAndRestore(path, deletesWhenDone: false)],
                        verbosity: .silent)
                }
                if isFrozen {
                    let error = await #expect(throws: TrainingError.self) { try await fit() }
                    #expect(error?.description.contains("dense_1/kernel") == true, "\(error as Any)")
                } else {
                    try await fit()
                }
            }
        }
    }

    // MARK: Damage

    @Test func damageIsSeenAndChangesNothing() async throws {
        try await inTemporaryFolder { folder in
            let path = folder + "/checkpoint"
            func fit(_ trainer: Trainer) async throws {
                _ = try await trainer.fit(
                    points(6), epochs: 1, batchSize: 3,
                    callbacks: [
                        EarlyStopping(monitor: "loss", restoreBest: true),
                        BackupAndRestore(path, deletesWhenDone: false),
                    ], verbosity: .silent)
            }
            try await fit(pointTrainer(units: 1))
            let intact = try AtomicFile.read(path)
            let trainer = try pointTrainer(units: 1)
            let before = try await values(of: trainer.model)
            func expectSeen(_ bytes: [UInt8], _ what: Comment) async throws {
                try Data(bytes).write(to: URL(filePath: path))
                let error = await #expect(throws: (any Error).self, what) { try await fit(trainer) }
                #expect(error.map { "\($0)".contains(path) } == true, "\(what): \(error as Any)")
                #expect(
                    error is SafetensorsError || error is SavedModelError || error is TrainingError, what)
                #expect(try await values(of: trainer.model) == before, what)
            }
            for count in stride(from: 0, to: intact.count, by: 61) {
                try await expectSeen(Array(intact.prefix(count)), "\(count) of \(intact.count) bytes")
            }
            var generator = SplitMix(state: 4)
            for round in 0..<400 {
                var bytes = intact
                // Also in the header, which the checksum leaves out.
                let place =
                    round < 200 ? round * 7 % 1400 : Int.random(in: bytes.indices, using: &generator)
                bytes[place] ^= UInt8(1) << UInt8.random(in: 0..<8, using: &generator)
                try await expectSeen(bytes, "byte \(place)")
            }
            for other in [Safetensors(), Safetensors(metadata: ["fovea.checkpoint": "2"])] {
                try await expectSeen(other.serialized(), "no checkpoint")
            }
            try await trainer.model.saveWeights(to: path)
            try await expectSeen(AtomicFile.read(path), "weights")
        }
    }

    /// Sound files in which one part of the position is another.
    @Test func impossiblePositions() async throws {
        try await inTemporaryFolder { folder in
            let path = folder + "/checkpoint"
            func fit(_ trainer: Trainer) async throws {
                _ = try await trainer.fit(
                    points(6), epochs: 2, batchSize: 3,
                    callbacks: [BackupAndRestore(path, saveFrequency: .steps(3), deletesWhenDone: false)],
                    verbosity: .silent)
            }
            try await fit(pointTrainer())
            let intact = try Safetensors(contentsOf: path)
            let index = try #require(intact.tensors.firstIndex { $0.name == "checkpoint.json" })
            guard case .uint8(let bytes) = intact.tensors[index].value.storage else { return }
            let json = String(decoding: bytes, as: UTF8.self)
            for (text, other) in [
                ("\"completeSteps\":1", "\"completeSteps\":-1"),
                ("\"completeSteps\":1", "\"completeSteps\":3"),
                ("\"completeSteps\":1", "\"completeSteps\":0"),
                ("\"completeSteps\":1", "\"completeSteps\":9223372036854775807"),
                ("\"completeEpochs\":1", "\"completeEpochs\":-1"),
                ("\"completeEpochs\":1", "\"completeEpochs\":2"),
                ("\"completeEpochs\":1", "\"completeEpochs\":9223372036854775807"),
                ("\"stepsPerEpoch\":2", "\"stepsPerEpoch\":4"),
                ("\"learningRate\":0.05,\"stepsPerEpoch\"", "\"learningRate\":\"NaN\",\"stepsPerEpoch\""),
                ("\"learningRate\":0.05,\"stepsPerEpoch\"", "\"learningRate\":-1,\"stepsPerEpoch\""),
                ("\"parts\":[", "\"parts\":[{\"name\":\"x\",\"sums\":[]},"),
                ("\"examples\":3", "\"examples\":0"),
                ("\"position\"", "\"posision\""), ("{", "["),
            ] {
                #expect(json.contains(text), "\(text)")
                var file = intact
                let changed = [UInt8](json.replacing(text, with: other, maxReplacements: 1).utf8)
                file.tensors[index].value = try TensorValue(shape: [changed.count], storage: .uint8(changed))
                try file.write(to: path)
                let trainer = try pointTrainer()
                let before = try await values(of: trainer.model)
                let error = await #expect(throws: (any Error).self, "\(other)") { try await fit(trainer) }
                #expect(error is TrainingError || error is SavedModelError, "\(other): \(error as Any)")
                #expect(error.map { "\($0)".contains(path) } == true)
                #expect(try await values(of: trainer.model) == before)
            }
        }
    }

    /// Numbers that JSON has no way to write come back to the bit.
    @Test func allNumbersComeBack() async throws {
        try await inTemporaryFolder { folder in
            let numbers = [
                "inf": Double.infinity, "-inf": -.infinity, "third": 1.0 / 3, "tiny": .leastNonzeroMagnitude,
                "zero": -0.0,
                "large": .greatestFiniteMagnitude, "pi": .pi, "tenth": 0.1,
            ]
            let trainer = try pointTrainer()
            let look = LambdaCallback(epochEnds: { run in
                var checkpoint = try run.checkpoint()
                checkpoint.memories["x"] = CallbackMemory(
                    numbers: numbers, tensors: ["a/b": TensorValue([.nan, -0.0] as [Float])])
                try checkpoint.write(to: folder + "/c")
                let read = try Checkpoint(contentsOf: folder + "/c")
                #expect(read.position == checkpoint.position)
                #expect(read.variables == checkpoint.variables)
                #expect(read.conditions == checkpoint.conditions)
                let memory = try #require(read.memories["x"])
                #expect(memory.numbers.mapValues(\.bitPattern) == numbers.mapValues(\.bitPattern))
                let tensor = try #require(memory.tensors["a/b"])
                #expect(tensor.floats[0].isNaN && tensor.floats[1].sign == .minus)
                try read.write(to: folder + "/d")
                #expect(try AtomicFile.read(folder + "/c") == AtomicFile.read(folder + "/d"))
            })
            _ = try await trainer.fit(points(6), callbacks: [look], verbosity: .silent)
        }
    }
}
