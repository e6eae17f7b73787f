import Foundation
import FoveaDatasets
import FoveaFiles
import FoveaGraph
import FoveaLayers
import FoveaRuntime
import FoveaTraining
import Synchronization
import TestSupport
import Testing

@testable import FoveaSaving

/// Points in three dimensions with two classes, and a model for them.
func points(_ count: Int, seed: UInt64 = 1) throws -> Examples {
    var generator = PhiloxGenerator(seed: seed, stream: 0, step: 0)
    let numbers = (0..<3 * count).map { _ in Float(generator.uniform() * 2 - 1) }
    let labels = (0..<count).map { Int32(numbers[3 * $0] > numbers[3 * $0 + 1] ? 1 : 0) }
    return try Examples(
        inputs: TensorValue(shape: [count, 3], numbers), targets: TensorValue(labels))
}

func pointTrainer(
    units: Int = 4, optimizer: any Optimizer = .adam(learningRate: 0.05), seed: UInt64 = 0
) throws -> Trainer {
    try Sequential(input: [3], seed: seed) {
        Dense(units: units, activation: .tanh)
        Dropout(rate: 0.25)
        Dense(units: 2, activation: .softmax)
    }.compile(
        optimizer: optimizer, loss: .sparseCategoricalCrossentropy(), metrics: [.accuracy],
        device: .reference)
}

@Suite struct FileCallbackTests {
    private func names(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }

    // MARK: Paths

    @Test func pathsAreFilledInAsInPython() throws {
        let values = [
            "epoch": 7, "batch": 12, "loss": 0.123456, "val_loss": 12.5, "zero": 0, "huge": 1e300,
            "none": Double.nan,
        ]
        for (template, path) in [
            ("m", "m"), ("{epoch}", "7"), ("{epoch:d}", "7"), ("{epoch:02d}", "07"), ("{epoch:3d}", "  7"),
            ("a/{epoch:04d}-{batch:02d}.x", "a/0007-12.x"), ("{loss:.2f}", "0.12"), ("{loss:.4f}", "0.1235"),
            ("{loss:08.3f}", "0000.123"), ("{val_loss:.0f}", "12"), ("{loss:.2e}", "1.23e-01"),
            ("{val_loss:g}", "12.5"), ("{loss}", "0.123456"), ("{{{epoch}}}", "{7}"),
            ("{{epoch}}", "{epoch}"),
            ("{huge:.1e}", "1.0e+300"), ("{none:.2f}", "nan"), ("ü{zero}ü", "ü0ü"),
        ] {
            #expect(try PathTemplate(template).path(values) == path, "\(template)")
        }
        #expect(try PathTemplate("{a}-{b:.2f}").names == ["a", "b"])
        for wrong in [
            "{", "}", "a{epoch", "epoch}", "{}", "{:02d}", "{epoch:s}", "{epoch:02x}", "{loss:.f}",
            "{loss:%n}",
            "{loss:.999f}", "{loss:9999f}", "{epoch:02d", "{loss: .2f}", "{loss:.2}",
        ] {
            let error = #expect(throws: TrainingError.self, "\(wrong)") { try PathTemplate(wrong) }
            #expect(error?.description.contains("'\(wrong)'") == true)
        }
    }

    // MARK: ModelCheckpoint

    @Test func everyEpochHasItsFile() async throws {
        try await inTemporaryFolder { folder in
            let trainer = try pointTrainer()
            let history = try await trainer.fit(
                points(12), epochs: 3, batchSize: 5, validation: points(6, seed: 2),
                callbacks: [
                    ModelCheckpoint(
                        folder + "/{epoch:02d}-{val_loss:.4f}.safetensors", classNames: ["a", "b"])
                ], verbosity: .silent)
            let expected = history.epochs.map {
                String(format: "%02ld-%.4f.safetensors", $0.number, $0["val_loss"] ?? 0)
            }
            #expect(try names(folder) == expected)
            let saved = try await SavedModel(contentsOf: "\(folder)/\(expected[2])")
            #expect(saved.classNames == ["a", "b"] && saved.training != nil)
            let final = try await values(of: trainer.model)
            #expect(try await values(of: saved.model) == final)
            let first = try await SavedModel(contentsOf: "\(folder)/\(expected[0])").model
            #expect(try await values(of: first) != final)
        }
    }

    @Test func onlyTheBestIsSaved() async throws {
        try await inTemporaryFolder { folder in
            // In training the loss falls and rises again with a rate that grows.
            let trainer = try pointTrainer(optimizer: .sgd(learningRate: 0.5))
            let data = try points(12)
            let rising = LearningRateScheduler { epoch, _ in epoch < 3 ? 0.5 : 60 }
            let history = try await trainer.fit(
                data, epochs: 6, batchSize: 12, validation: data,
                callbacks: [
                    rising, ModelCheckpoint(folder + "/best-{epoch}", saveBestOnly: true),
                    ModelCheckpoint(
                        folder + "/accurate-{epoch}", monitor: "val_accuracy", saveBestOnly: true,
                        saveWeightsOnly: true),
                    ModelCheckpoint(folder + "/never", saveBestOnly: true, initialThreshold: 0),
                    ModelCheckpoint(folder + "/worst-{epoch}", saveBestOnly: true, mode: .max),
                ], verbosity: .silent)
            func better(_ name: String, _ isBetter: (Double, Double) -> Bool) throws -> [Int] {
                var best: Double?
                return try history.epochs.filter {
                    let value = try #require($0[name])
                    guard best.map({ isBetter(value, $0) }) ?? true else { return false }
                    best = value
                    return true
                }.map(\.number)
            }
            let (best, worst) = (try better("val_loss", <), try better("val_loss", >))
            #expect(best.count < 6 && worst.count < 6 && best != worst)
            let expected =
                best.map { "best-\($0)" } + worst.map { "worst-\($0)" }
                + (try better("val_accuracy", >).map { "accurate-\($0)" })
            #expect(try names(folder) == expected.sorted())
            let accurate = try #require(expected.last)
            try await pointTrainer().model.loadWeights(from: "\(folder)/\(accurate)")
        }
    }

    /// The validation loss of the first two epochs is NaN.
    @Test func aModelWhoseNumberIsNaNIsNeverTheBest() async throws {
        final class Gate: UnaryLayer {
            var name: String? { nil }
            let factor = Variable(name: "factor", initial: TensorValue(Float.nan))
            func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {}
            func call(_ x: Tensor) throws(ShapeError) -> Tensor {
                try x * .select(.isTraining, .constant(1), Tensor(factor))
            }
        }
        try await inTemporaryFolder { folder in
            let gate = Gate()
            let model = try Sequential(input: [3]) {
                gate
                Dense(units: 2, activation: .softmax)
            }
            let trainer = try model.compile(
                optimizer: .sgd(learningRate: 0.1), loss: .sparseCategoricalCrossentropy(),
                device: .reference)
            let best = ModelCheckpoint(
                folder + "/best-{epoch}", saveBestOnly: true, saveWeightsOnly: true)
            let opens = LambdaCallback(epochBegins: { run in
                if run.completeEpochs == 2 { try gate.factor.assign(TensorValue(Float(1))) }
            })
            let history = try await trainer.fit(
                points(12), epochs: 3, batchSize: 12, validation: points(12), callbacks: [best, opens],
                verbosity: .silent)
            #expect(history.epochs.map { $0.validationLoss?.isNaN } == [true, true, false])
            #expect(try names(folder) == ["best-3"])
            // As a checkpoint of an older version remembers it.
            await Compute.run { best.memory = CallbackMemory(numbers: ["saves_best": 1, "best": .nan]) }
            #expect(await best.memory.numbers == ["saves_best": 1])
        }
    }

    @Test func filesAfterSteps() async throws {
        try await inTemporaryFolder { folder in
            // Three steps in an epoch; every second one over all epochs.
            _ = try await pointTrainer().fit(
                points(12), epochs: 3, batchSize: 5,
                callbacks: [
                    ModelCheckpoint(folder + "/{epoch}-{batch}-{loss:.1f}", saveFrequency: .steps(2)),
                    ModelCheckpoint(
                        folder + "/best", monitor: "accuracy", saveBestOnly: true, saveFrequency: .steps(1)),
                ], verbosity: .silent)
            let files = try names(folder)
            #expect(files.map { $0.prefix(3) } == ["1-2", "2-1", "2-3", "3-2", "bes"])
        }
    }

    @Test func modelCheckpointsThatCannotBe() async throws {
        try await inTemporaryFolder { folder in
            let data = try points(6)
            let trainer = try pointTrainer()
            let before = try await values(of: trainer.model)
            func error(_ callback: any Callback) async throws -> String {
                let error = await #expect(throws: (any Error).self) {
                    try await trainer.fit(data, callbacks: [callback], verbosity: .silent)
                }
                #expect(try await values(of: trainer.model) == before)
                #expect(error is TrainingError || error is FileError)
                return "\(error as Any)"
            }
            #expect(
                try await error(ModelCheckpoint(folder + "/m", saveBestOnly: true)).contains("'val_loss'"))
            #expect(try await error(ModelCheckpoint(folder + "/{val_loss:.2f}")).contains("'val_loss'"))
            #expect(try await error(ModelCheckpoint(folder + "/{batch}")).contains("'batch'"))
            #expect(try await error(ModelCheckpoint(folder + "/{los}")).contains("did you mean 'loss'?"))
            #expect(try await error(ModelCheckpoint(folder + "/{")).contains("/{'"))
            #expect(try await error(ModelCheckpoint(folder + "/none/m")).contains("none/m"))
            #expect(try await error(ModelCheckpoint(folder)).contains(folder))
            for steps in [0, -1] {
                #expect(
                    try await error(ModelCheckpoint(folder + "/m", saveFrequency: .steps(steps)))
                        .contains("\(steps) steps"))
                #expect(
                    try await error(BackupAndRestore(folder + "/m", saveFrequency: .steps(steps)))
                        .contains("\(steps) steps"))
            }
            #expect(try names(folder).isEmpty)
            // A place among the folders is only filled in when saving.
            #expect(try await error(BackupAndRestore(folder + "/none/m")).contains("none/m"))
            let later = ModelCheckpoint(folder + "/{epoch}/m")
            let warned = Warned()
            _ = try await trainer.fit(data, callbacks: [later], verbosity: .silent, output: warned.output)
            #expect(await later.failure?.code == ENOENT)
            #expect(warned.texts.count == 1 && warned.texts[0].contains("/1/m: could not create"))
        }
    }

    // MARK: Files that cannot be written while training goes on

    /// Keeps warnings.
    private final class Warned: Sendable {
        private let all = Mutex<[String]>([])
        var texts: [String] { all.withLock { $0 } }
        var output: ProgressOutput {
            ProgressOutput(
                isTerminal: false, warn: { text in self.all.withLock { $0.append(text) } }, write: { _ in })
        }
    }

    /// The folder is away from the second epoch to the fourth: training goes on, and all files come in the end.
    @Test func aFolderThatGoesAndComesBack() async throws {
        try await inTemporaryFolder { folder in
            let there = folder + "/there"
            func train(isAway: Bool) async throws -> ([TensorValue?], History, [String]) {
                try FileManager.default.createDirectory(atPath: there, withIntermediateDirectories: false)
                defer { try? FileManager.default.removeItem(atPath: there) }
                let backup = BackupAndRestore(there + "/state", deletesWhenDone: false)
                let table = CSVLogger(there + "/table.csv")
                let last = ModelCheckpoint(there + "/last")
                let mover = LambdaCallback(epochBegins: { run in
                    guard isAway else { return }
                    if run.completeEpochs == 1 { rename(there, folder + "/away") }
                    if run.completeEpochs == 3 {
                        #expect(table.failure?.code == ENOENT && last.failure?.code == ENOENT)
                        #expect(backup.failure?.code == ENOENT && backup.failure?.path == there + "/state")
                        rename(folder + "/away", there)
                        let kept = try Checkpoint(contentsOf: there + "/state")
                        #expect(kept.position.completeEpochs == 1)
                    }
                })
                let (trainer, warned) = (try pointTrainer(), Warned())
                let history = try await trainer.fit(
                    points(12), epochs: 5, batchSize: 4, callbacks: [mover, backup, table, last],
                    verbosity: .silent, output: warned.output)
                #expect(try names(there) == ["last", "state", "table.csv"])
                #expect(try AtomicFile.read(there + "/table.csv") == Array(history.csv.utf8))
                #expect(try Checkpoint(contentsOf: there + "/state").position.completeEpochs == 5)
                let failures = await [backup.failure, table.failure, last.failure]
                #expect(failures == [nil, nil, nil])
                let values = try await values(of: trainer.model)
                let saved = try await SavedModel(contentsOf: there + "/last").model
                #expect(try await FoveaSavingTests.values(of: saved) == values)
                return (values, history, warned.texts)
            }
            let whole = try await train(isAway: false)
            #expect(whole.2.isEmpty)
            let other = try await train(isAway: true)
            #expect(other.0 == whole.0 && other.1.epochs.map(\.loss) == whole.1.epochs.map(\.loss))
            // Each says once that it cannot, and once that it can again.
            #expect(other.2.count == 6, "\(other.2)")
            #expect(other.2.count { $0.contains("Training goes on") && $0.hasSuffix("\n") } == 3)
            #expect(other.2.count { $0.contains("could be written now") } == 3)
        }
    }

    /// A best model that could not be written is not the best of those that are.
    @Test func theBestThatWasNotSavedDoesNotCount() async throws {
        try await inTemporaryFolder { folder in
            let path = folder + "/best"
            // The loss falls and then rises; its least is not saved.
            let rising = LearningRateScheduler { epoch, _ in epoch < 3 ? 0.1 : 20 }
            let best = ModelCheckpoint(path, monitor: "loss", saveBestOnly: true)
            let blocker = LambdaCallback(
                epochBegins: { run in
                    if run.completeEpochs == 0 { mkdir(path, 0o700) }
                    if run.completeEpochs == 3 { rmdir(path) }
                    #expect(best.memory.numbers["best"] == nil || run.completeEpochs > 3)
                })
            let trainer = try pointTrainer(optimizer: .sgd(learningRate: 0.1))
            let history = try await trainer.fit(
                points(12), epochs: 6, batchSize: 12, callbacks: [rising, blocker, best], verbosity: .silent,
                output: Warned().output)
            let losses = history.epochs.map(\.loss)
            #expect(losses[..<3].min() == losses.min(), "\(losses)")
            #expect(await best.memory.numbers["best"] == losses[3...].min())
            _ = try await SavedModel(contentsOf: path)
        }
    }

    // MARK: CSVLogger

    @Test func theTableIsTheHistory() async throws {
        try await inTemporaryFolder { folder in
            let path = folder + "/log.csv"
            try Data("old\n".utf8).write(to: URL(filePath: path))
            let lengths = LambdaCallback(epochEnds: { run in
                let bytes = try AtomicFile.read(path)
                #expect(bytes == Array(run.history.csv.utf8))
            })
            let history = try await pointTrainer().fit(
                points(8), epochs: 3, validation: points(4), callbacks: [CSVLogger(path), lengths],
                verbosity: .silent)
            #expect(try AtomicFile.read(path) == Array(history.csv.utf8))
        }
    }

    @Test(arguments: ["", "earlier", "earlier\n"]) func tablesGoOn(earlier: String) async throws {
        try await inTemporaryFolder { folder in
            let path = folder + "/log.csv"
            if !earlier.isEmpty { try Data(earlier.utf8).write(to: URL(filePath: path)) }
            var expected = earlier.isEmpty || earlier.hasSuffix("\n") ? earlier : earlier + "\n"
            for _ in 0..<2 {
                let history = try await pointTrainer().fit(
                    points(8), epochs: 2, callbacks: [CSVLogger(path, separator: ";", append: true)],
                    verbosity: .silent)
                let lines = history.csv.replacing(",", with: ";").split(separator: "\n")
                let rows = expected.isEmpty ? lines[...] : lines.dropFirst()
                expected += rows.joined(separator: "\n") + "\n"
                #expect(String(decoding: try AtomicFile.read(path), as: UTF8.self) == expected)
            }
        }
    }

    @Test func separatorsThatAreNone() async throws {
        try await inTemporaryFolder { folder in
            for separator in ["", ".", "1", "e", "-", "\n", "\"", "_"] {
                let error = await #expect(throws: TrainingError.self, "\(separator)") {
                    try await pointTrainer().fit(
                        points(4), callbacks: [CSVLogger(folder + "/l", separator: separator)],
                        verbosity: .silent)
                }
                #expect(error?.description.contains("separator of CSVLogger") == true)
            }
            await #expect(throws: FileError.self) {
                try await pointTrainer().fit(
                    points(4), callbacks: [CSVLogger(folder + "/none/l")], verbosity: .silent)
            }
            let files = try names(folder)
            #expect(files.isEmpty)
        }
    }
}
