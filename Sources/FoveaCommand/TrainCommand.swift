import ArgumentParser
import Foundation
import Fovea

struct TrainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Train a network on a data set and save the model.",
        discussion: """
            Writes model.safetensors, history.csv and metrics.json into the output folder and ends with the line \
            'test accuracy 0.xxxx'. Interrupt (Ctrl-C) to end after the current step with the model saved.
            """)

    @Argument(help: "The data set's name; see 'fovea datasets list'.")
    var dataset: String

    @Option(help: "The network: \(NamedNetwork.allCases.map(\.rawValue).joined(separator: ", ")).")
    var network = NamedNetwork.fashionCNN.rawValue

    @Option(help: "How often to go through the training images.")
    var epochs = 10

    @Option(help: "Images per step.")
    var batchSize = 32

    @Option(help: "adam, rmsprop or sgd.")
    var optimizer = OptimizerName.adam.rawValue

    @Option(help: "Step size (default: 0.001 for adam and rmsprop, 0.01 for sgd).")
    var learningRate: Double?

    @Option(help: "The part of the training images, from the end, that is validated on instead.")
    var validationSplit = 0.0

    @Option(help: "The same seed gives the same weights, bit for bit.")
    var seed: UInt64 = 0

    @Option(help: "float32, or strict: without Winograd's algorithm.")
    var precision = Precision.float32.rawValue

    @Option(help: "The folder for the results (default: runs/DATASET-NETWORK).")
    var output: String?

    @Option(help: "0 prints no progress, 1 a bar on a terminal, 2 a line per epoch.")
    var verbosity = 1

    func run() async throws {
        let network = try NamedNetwork.named(network)
        let optimizer = try OptimizerName(named: optimizer).optimizer(learningRate: learningRate)
        guard let precision = Precision(rawValue: precision) else {
            throw ValidationError("unknown precision '\(precision)'; known: float32, strict")
        }
        guard let verbosity = Verbosity(rawValue: verbosity) else {
            throw ValidationError("--verbosity is 0, 1 or 2, not \(verbosity)")
        }
        // An output folder that cannot be written to is better known before training than after.
        let results = try ResultsFolder(output ?? "runs/\(dataset)-\(network.rawValue)")
        let data = try await loadDataset(dataset)
        let model = try network.model(seed: seed)
        let trainer = try model.compile(
            optimizer: optimizer, loss: network.loss, metrics: [.accuracy],
            backend: OneDNNBackend(precision: precision))
        let saved = SavedModel(model, training: trainer.configuration, classNames: data.classNames)

        let stop = StopSignal()
        let interrupts = InterruptHandler(stop)
        defer { interrupts.cancel() }
        let start = ContinuousClock.now
        let history: History
        do {
            history = try await trainer.fit(
                data.train, epochs: epochs, batchSize: batchSize, validationSplit: validationSplit,
                seed: seed,
                verbosity: verbosity, stop: stop)
        } catch let error as TrainingError where error.keepsLastGoodModel {
            try await results.write(saved)
            throw CommandError(
                message: "\(error). The last good model is in \(results.modelPath)", code: .failure)
        }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        try await results.write(saved)
        try results.write(history.csv, to: "history.csv")
        if history.wasInterrupted {
            throw CommandError(
                message: "interrupted; the model so far is in \(results.modelPath)", code: .interrupted)
        }

        let test = try await trainer.evaluate(data.test, batchSize: 250)
        let imagesPerEpoch = data.train.count - Int(Double(data.train.count) * validationSplit)
        let metrics = RunMetrics(
            testAccuracy: test.metrics[Metric.accuracy.name] ?? .nan, testLoss: test.loss, seconds: seconds,
            imagesPerSecond: Double(imagesPerEpoch * epochs) / seconds, dataset: data.name.rawValue,
            network: network.rawValue, epochs: epochs, batchSize: batchSize, seed: seed,
            precision: precision.rawValue, threads: await OneDNNBackend.threadCount,
            versions: [
                "fovea": FoveaCommand.version, "onednn": OneDNNBackend.libraryVersion,
                "vector_instructions": OneDNNBackend.vectorKind,
            ])
        try results.write(metrics.json(), to: "metrics.json")
        print("model: \(results.modelPath)")
        print("test accuracy \(String(format: "%.4f", metrics.testAccuracy))")
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

    func json() throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }
}

extension TrainingError {
    /// Whether training had begun and went back to a good state.
    var keepsLastGoodModel: Bool {
        switch self {
        case .lossNotFinite, .variableNotFinite: true
        default: false
        }
    }
}
