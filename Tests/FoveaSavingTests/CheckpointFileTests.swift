import Foundation
import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaRuntime
import FoveaTraining
import Testing

@testable import FoveaSaving

/// Checkpoints of other trainings, and damaged ones: errors, and nothing is changed.
@Suite struct CheckpointFileTests {
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
