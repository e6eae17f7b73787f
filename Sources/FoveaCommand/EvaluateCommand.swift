import ArgumentParser
import Foundation
import Fovea

struct EvaluateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "Measure a saved model on test images.",
        usage: "fovea evaluate <file> <dataset or folder> [<options>]",
        discussion: """
            Of a folder of pictures the part 'test' is measured, or all of it if it has folders of classes only.
            """)

    @Argument(help: "A model file.")
    var file: String

    @Argument(help: "The data set's name (see 'fovea datasets list'), or a folder of pictures.")
    var dataset: String

    @Option(
        parsing: .unconditional, help: ArgumentHelp("Images computed at once.", valueName: "count"))
    var batchSize = 250

    func validate() throws {
        _ = try DataSource(dataset)
        try checkPositive("--batch-size", batchSize)
    }

    func run() async throws {
        let saved = try await SavedModel(contentsOf: file)
        guard let training = saved.training else {
            throw CommandError(
                "\(file): the model was saved without its loss, so it cannot be evaluated; train it first")
        }
        let trainer = try saved.model.compile(training)
        let result: Evaluation
        switch try DataSource(dataset) {
        case .named(let name):
            result = try await trainer.evaluate(load(name).test, batchSize: batchSize)
        case .folder(let path):
            result = try await trainer.evaluate(pictures(of: path, saved, training).batched(batchSize))
        }
        print("test loss \(String(format: "%.4f", result.loss))")
        for (name, value) in result.metrics.sorted(by: { $0.key < $1.key }) {
            print("test \(name) \(String(format: "%.4f", value))")
        }
    }

    /// The test pictures of a folder as the model takes them.
    private func pictures(
        of path: String, _ saved: SavedModel, _ training: TrainingConfiguration
    ) throws -> Dataset<Example> {
        let folder = try ImageFolder.splits(of: path).map { $0.test ?? $0.train } ?? ImageFolder(path)
        guard saved.classNames.isEmpty || saved.classNames == folder.classNames else {
            throw CommandError(
                "\(folder.path) has the classes \(folder.classNames.joined(separator: ", ")), but the model tells "
                    + "\(saved.classNames.joined(separator: ", ")) apart")
        }
        return try Dataset(
            folder, TrainingData.Form(saved.model, file: file, loss: training.onlyOutput?.loss))
    }
}
