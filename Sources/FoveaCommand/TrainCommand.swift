import ArgumentParser
import Foundation
import Fovea
import Synchronization

struct TrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Train a network on a data set and save the model.",
        usage: "fovea train <dataset> [<options>]",
        discussion: """
            Writes model.safetensors, history.csv and metrics.json into the output folder and ends with the line \
            'test accuracy 0.xxxx'. Interrupt (Ctrl-C) to end after the current step with the model saved.

            With --checkpoint FILE a training that was interrupted or killed goes on where it was when the same command \
            is given again, and comes to the same model, bit for bit.
            """)

    @Argument(help: "The data set's name; see 'fovea datasets list'.")
    var dataset: String

    @Option(help: ArgumentHelp("The network: \(NamedNetwork.listOfNames).", valueName: "name"))
    var network = NamedNetwork.fashionCNN.rawValue

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How often to go through the training images.", valueName: "count"))
    var epochs = 10

    @Option(parsing: .unconditional, help: ArgumentHelp("Images per step.", valueName: "count"))
    var batchSize = 32

    @Option(help: ArgumentHelp("adam, rmsprop or sgd.", valueName: "name"))
    var optimizer = OptimizerName.adam.rawValue

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Step size (default: 0.001 for adam and rmsprop, 0.01 for sgd).", valueName: "rate"))
    var learningRate: Double?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "The part of the training images, from the end, to validate on instead, such as 0.1.",
            valueName: "part"))
    var validationSplit = 0.0

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "For first weights, order and dropout: the same seed gives the same model, bit for bit.",
            valueName: "number"))
    var seed: UInt64 = 0

    @Option(
        help: ArgumentHelp(
            "float32; mixedBFloat16: products of numbers rounded to bfloat16; or strict: float32 without any faster algorithm.",
            valueName: "name"))
    var precision = Precision.float32.rawValue

    @Flag(help: .autotune)
    var autotune = false

    @Option(
        help: ArgumentHelp("The folder for the results (default: runs/DATASET-NETWORK).", valueName: "folder")
    )
    var output: String?

    @Option(
        help: ArgumentHelp(
            "A file that keeps the state of training, to go on from; removed when training is done.",
            valueName: "file"))
    var checkpoint: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How often to write the checkpoint (default: after each epoch).", valueName: "steps"))
    var checkpointEvery: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "0 prints no progress, 1 a bar on a terminal, 2 a line per epoch.", valueName: "level"))
    var verbosity = 1

    /// The arguments, checked.
    private struct Settings {
        let dataset: DatasetName
        let network: NamedNetwork
        let model: any ModelProtocol
        let optimizer: any Optimizer
        let precision: Precision
        let verbosity: Verbosity
    }

    private func settings() throws -> Settings {
        try checkPositive("--epochs", epochs)
        try checkPositive("--batch-size", batchSize)
        try checkPositive("--checkpoint-every", checkpointEvery)
        if checkpointEvery != nil, checkpoint == nil {
            throw ValidationError("--checkpoint-every needs --checkpoint FILE, the file to write")
        }
        guard (0..<1).contains(validationSplit) else {
            throw ValidationError(
                "--validation-split must be at least 0 and less than 1, not \(validationSplit)")
        }
        if let learningRate, !learningRate.isFinite || learningRate < 0 {
            throw ValidationError(
                "--learning-rate must be a number from 0 up, such as 0.001, not \(learningRate)")
        }
        guard let verbosity = Verbosity(rawValue: verbosity) else {
            throw ValidationError("--verbosity is 0, 1 or 2, not \(verbosity)")
        }
        let dataset: DatasetName = try named(dataset, "data set")
        let network: NamedNetwork = try named(network, "network")
        return Settings(
            dataset: dataset, network: network, model: try model(network, for: dataset),
            optimizer: try named(optimizer, "optimizer", of: OptimizerName.self)
                .optimizer(learningRate: learningRate),
            precision: try named(precision, "precision"), verbosity: verbosity)
    }

    /// The network for the images and classes of the data set.
    private func model(_ network: NamedNetwork, for dataset: DatasetName) throws -> any ModelProtocol {
        let model: any ModelProtocol
        do {
            model = try network.model(
                input: dataset.info.imageShape, classes: dataset.info.classCount, seed: seed)
        } catch {
            throw ValidationError("--network \(network.rawValue) does not fit \(dataset.rawValue): \(error)")
        }
        guard model.namedOutputs.count == 1 else {
            throw ValidationError(
                "--network \(network.rawValue) has \(model.namedOutputs.count) outputs; this command trains networks with one"
            )
        }
        return model
    }

    func validate() throws { _ = try settings() }

    func run() async throws {
        let settings = try settings()
        let (network, model) = (settings.network, settings.model)
        // An output folder that cannot be written to is better known before training than after.
        let results = try ResultsFolder(output ?? "runs/\(dataset)-\(network.rawValue)")
        let data = try await load(settings.dataset)
        let backend = backend(precision: settings.precision, autotune: autotune)
        let trainer = try model.compile(
            optimizer: settings.optimizer, loss: network.loss, metrics: [.accuracy],
            backend: backend)
        let saved = SavedModel(model, training: trainer.configuration, classNames: data.classNames)

        let progressBefore = Mutex(0.0)
        let backup = checkpoint.map { path in
            BackupAndRestore(
                path, saveFrequency: checkpointEvery.map { .steps($0) } ?? .epoch, deletesWhenDone: false,
                conditions: [
                    "data set": dataset, "precision": backend.precision.rawValue,
                    "choice of algorithms": autotune ? "timed" : "fixed",
                ]
            ) { [epochs] position in
                progressBefore.withLock { $0 = position.epochs }
                // Ahead of the progress, which is not buffered.
                ProgressOutput.standard.write(
                    "Going on from \(path): \(position.completeEpochs) of \(epochs) epochs and "
                        + "\(position.completeSteps) of \(position.stepsPerEpoch) steps are done\n")
            }
        }

        let stop = StopSignal()
        let interrupts = InterruptHandler(stop)
        defer { interrupts.cancel() }
        let start = ContinuousClock.now
        let history: History
        do {
            history = try await trainer.fit(
                data.train, epochs: epochs, batchSize: batchSize, validationSplit: validationSplit,
                seed: seed, callbacks: backup.map { [$0] } ?? [], verbosity: settings.verbosity, stop: stop)
        } catch let error as TrainingError {
            guard let epochs = error.completedEpochs else { throw error }
            if epochs == 0 { throw CommandError("\(error). No epoch was completed, so no model was saved") }
            try await results.write(saved)
            throw CommandError(
                "\(error). The model as it was after epoch \(epochs) is in \(results.modelPath)")
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        try await results.write(saved)
        try results.write(history.csv, to: .history)
        if history.wasInterrupted {
            let advice = checkpoint.map { "; the same command goes on from \($0)" } ?? ""
            warn("Interrupted: the model so far is in \(results.modelPath)\(advice)")
            throw ExitCode.interrupted
        }

        let test = try await trainer.evaluate(data.test, batchSize: 250)
        // Of this run, which may have gone on from another.
        let epochsHere = Double(epochs) - progressBefore.withLock { $0 }
        let imagesPerEpoch = Int(Double(data.train.count) * (1 - validationSplit))
        let metrics = RunMetrics(
            testAccuracy: test.metrics[Metric.accuracy.name] ?? .nan, testLoss: test.loss, seconds: seconds,
            imagesPerSecond: Double(imagesPerEpoch) * epochsHere / seconds, dataset: data.name.rawValue,
            network: network.rawValue, epochs: epochs, batchSize: batchSize, seed: seed,
            precision: backend.precision.rawValue, threads: await OneDNNBackend.threadCount,
            versions: [
                "fovea": FoveaCommand.version, "onednn": OneDNNBackend.libraryVersion,
                "vector_instructions": OneDNNBackend.vectorKind,
                "bfloat16_unit": OneDNNBackend.bfloat16Unit,
            ],
            autotune: await backend.tuner?.records)
        try results.write(metrics.json(), to: .metrics)
        // Not before the results are there.
        if let checkpoint { unlink(checkpoint) }
        print("model: \(results.modelPath)")
        print("test accuracy \(String(format: "%.4f", metrics.testAccuracy))")
    }
}

extension TrainingPosition {
    /// How many epochs are done, parts included.
    fileprivate var epochs: Double {
        Double(completeEpochs) + Double(completeSteps) / Double(stepsPerEpoch)
    }
}

/// What a run came to, as `metrics.json` has it.
struct RunMetrics: Codable {
    var testAccuracy: Double
    var testLoss: Double
    var seconds: Double
    var imagesPerSecond: Double
    var dataset: String
    var network: String
    var epochs: Int
    var batchSize: Int
    var seed: UInt64
    var precision: String
    var threads: Int
    var versions: [String: String]
    /// The choices of the tuner; left out where there was none.
    var autotune: [Tuner.Record]?

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "Infinity", negativeInfinity: "-Infinity", nan: "NaN")
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }
}

extension TrainingError {
    /// How many epochs the model that training went back to has seen; nil if training did not begin.
    fileprivate var completedEpochs: Int? {
        switch self {
        case .lossNotFinite(_, let epoch, _), .variableNotFinite(_, let epoch): epoch - 1
        default: nil
        }
    }
}
