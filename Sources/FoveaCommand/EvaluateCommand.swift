import ArgumentParser
import Foundation
import Fovea

struct EvaluateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "Measure a saved model on a data set's test images.")

    @Argument(help: "A model file.")
    var file: String

    @Argument(help: "The data set's name; see 'fovea datasets list'.")
    var dataset: String

    @Option(
        parsing: .unconditional, help: ArgumentHelp("Images computed at once.", valueName: "count"))
    var batchSize = 250

    func validate() throws {
        _ = try named(dataset, "data set", of: DatasetName.self)
        try checkPositive("--batch-size", batchSize)
    }

    func run() async throws {
        let saved = try await SavedModel(contentsOf: file)
        guard let training = saved.training else {
            throw CommandError(
                "\(file): the model was saved without its loss, so it cannot be evaluated; train it first")
        }
        let data = try await load(named(dataset, "data set"))
        let trainer = try saved.model.compile(training)
        let result = try await trainer.evaluate(data.test, batchSize: batchSize)
        print("test loss \(String(format: "%.4f", result.loss))")
        for (name, value) in result.metrics.sorted(by: { $0.key < $1.key }) {
            print("test \(name) \(String(format: "%.4f", value))")
        }
    }
}
