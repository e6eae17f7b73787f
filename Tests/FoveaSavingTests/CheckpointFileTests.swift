import Foundation
import FoveaDatasets
import FoveaFiles
import FoveaGraph
import FoveaLayers
import FoveaOneDNN
import FoveaRuntime
import FoveaTraining
import TestSupport
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
                loss: any Loss = .sparseCategoricalCrossentropy(), accumulation: Int = 1,
                schedule: LearningRateSchedule? = nil, clipping: GradientClipping? = nil
            ) throws -> Trainer {
                try pointTrainer().model.compile(
                    optimizer: .adam(learningRate: 0.05), loss: loss, metrics: [.accuracy],
                    schedule: schedule, clipping: clipping, accumulation: accumulation,
                    device: .reference)
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

    /// What each set of pictures is made of, and that files of earlier versions, which do not say it, are read.
    @Test func otherDataIsRefused() async throws {
        try await inTemporaryFolder { folder in
            let path = folder + "/checkpoint"
            let files = FileManager.default
            func write(_ set: String, classes: [String] = ["a", "b"], level: UInt8 = 40) throws {
                try? files.removeItem(atPath: "\(folder)/\(set)")
                for (label, name) in classes.enumerated() {
                    try files.createDirectory(
                        atPath: "\(folder)/\(set)/\(name)", withIntermediateDirectories: true)
                    for number in 0..<3 {
                        let pixels = [UInt8](repeating: level + UInt8(40 * label + number), count: 4)
                        try Data(Array("P5 2 2 255\n".utf8) + pixels).write(
                            to: URL(filePath: "\(folder)/\(set)/\(name)/\(number).pgm"))
                    }
                }
            }
            func batches(_ set: String) throws -> Dataset<Examples> {
                try Dataset(ImageFolder("\(folder)/\(set)"), size: 2, channels: 1).batched(2)
            }
            func fit(
                validation: Dataset<Examples>?, epochs: Int = 2,
                change: (inout Checkpoint) -> Void = { _ in },
                backend: any Backend = ReferenceBackend()
            ) async throws {
                if files.fileExists(atPath: path) {
                    var checkpoint = try Checkpoint(contentsOf: path)
                    change(&checkpoint)
                    try checkpoint.write(to: path)
                }
                let trainer = try Sequential(input: [2, 2, 1]) {
                    Flatten()
                    Dense(units: 2, activation: .softmax)
                }.compile(
                    optimizer: .sgd(), loss: .sparseCategoricalCrossentropy(), device: Device(backend))
                _ = try await trainer.fit(
                    batches("train"), epochs: epochs, validation: validation,
                    callbacks: [BackupAndRestore(path, deletesWhenDone: false)], verbosity: .silent)
            }
            func expect(
                _ reason: String, validation: Dataset<Examples>?, backend: any Backend = ReferenceBackend(),
                sourceLocation: SourceLocation = #_sourceLocation
            ) async throws {
                let error = await #expect(throws: TrainingError.self, sourceLocation: sourceLocation) {
                    try await fit(validation: validation, backend: backend)
                }
                #expect(
                    error?.description.contains("does not fit: its \(reason)") == true, "\(error as Any)",
                    sourceLocation: sourceLocation)
            }
            try write("train")
            try write("validation", level: 90)
            try await fit(validation: batches("validation"))
            try await fit(validation: batches("validation"))

            try await expect("validation is 6 pictures", validation: nil)
            try await expect(
                "backend is reference", validation: batches("validation"), backend: OneDNNBackend())
            try write("train", classes: ["b", "c"])
            try await expect(
                "training data no longer has the class a and now also has the class c",
                validation: batches("validation"))
            try write("train")
            try Data([80]).write(to: URL(filePath: folder + "/train/b/1.pgm"))
            try await expect(
                "training data had other sizes of files in the class b", validation: batches("validation"))
            try write("train")
            try write("others", level: 90)
            try files.moveItem(atPath: folder + "/others/a/2.pgm", toPath: folder + "/others/a/3.pgm")
            try await expect(
                "validation data had other names of files in the class a", validation: batches("others"))
            // The same pictures, wherever they are.
            try write("elsewhere/validation", level: 90)
            try await fit(validation: batches("elsewhere/validation"), epochs: 3)
            // A file that does not know what the data was.
            try await fit(validation: nil, epochs: 4) { checkpoint in
                for name in ["training data", "validation data", "validation", "backend"] {
                    #expect(checkpoint.conditions.removeValue(forKey: name) != nil)
                }
            }
        }
    }

    @Test func examplesInMemoryAreTold() async throws {
        try await inTemporaryFolder { folder in
            func fit(seed: UInt64, validation: UInt64, steps: Int? = nil) async throws {
                _ = try await pointTrainer().fit(
                    points(8, seed: seed), validation: points(6, seed: validation), validationSteps: steps,
                    callbacks: [BackupAndRestore(folder + "/checkpoint", deletesWhenDone: false)],
                    verbosity: .silent)
            }
            try await fit(seed: 1, validation: 2)
            try await fit(seed: 1, validation: 2)
            for (seed, validation, steps, reason) in [
                (3, 2, nil, "its training data had other numbers"),
                (1, 3, nil, "its validation data had other numbers"),
                (1, 2, 1, "its validation is examples 0..<6 in batches of 32, this"),
            ] as [(UInt64, UInt64, Int?, String)] {
                let error = await #expect(throws: TrainingError.self) {
                    try await fit(seed: seed, validation: validation, steps: steps)
                }
                #expect(error?.description.contains(reason) == true, "\(error as Any)")
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
                    optimizer: .sgd(), loss: .sparseCategoricalCrossentropy(), device: .reference)
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
                    error is SafetensorsError || error is ModelFileError || error is TrainingError, what)
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
                #expect(error is TrainingError || error is ModelFileError, "\(other): \(error as Any)")
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
