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

    @Argument(help: "A model file.", transform: filePath)
    var file: String

    @Argument(help: "The data set's name (see 'fovea datasets list'), or a folder of pictures.")
    var dataset: String

    @Option(
        parsing: .unconditional, help: ArgumentHelp("Images computed at once.", valueName: "count"))
    var batchSize = 250

    @OptionGroup var badPictures: BadPictureOptions

    func validate() throws {
        _ = try DataSource(dataset)
        _ = try badPictures.settings()
        try checkPositive("--batch-size", batchSize)
    }

    func run() async throws {
        let saved = try await savedModel(file)
        guard let training = saved.training else {
            throw CommandError(
                "\(file): the model was saved without its loss, so it cannot be evaluated; train it first")
        }
        let trainer = try saved.model.compile(training)
        let result: Evaluation
        switch try DataSource(dataset) {
        case .named(let name):
            let data = try await load(name)
            try saved.checkClasses(data.classNames, of: name.rawValue)
            result = try await trainer.evaluate(data.test, batchSize: batchSize)
        case .folder(let path):
            let badPictures = try badPictures.settings()
            let batches = try pictures(of: path, saved, training)
                .batched(batchSize, onError: badPictures.policy)
            result = try await badPictures.noted { try await trainer.evaluate(batches) }
        }
        say("test loss \(String(format: "%.4f", result.loss))")
        for (name, value) in result.metrics.sorted(by: { $0.key < $1.key }) {
            say("test \(name) \(String(format: "%.4f", value))")
        }
        try result.checkFinite(file)
    }

    /// The test pictures of a folder as the model takes them.
    private func pictures(
        of path: String, _ saved: SavedModel, _ training: TrainingConfiguration
    ) throws -> Dataset<Example> {
        let splits = try ImageFolder.splits(of: path)
        if let splits, splits.test == nil {
            let others = [splits.train, splits.validation].compactMap { $0?.path }.joined(separator: " or ")
            let test = splits.unlabelled.first { $0.path.hasSuffix("/test") }
            let found = test?.withoutClasses ?? "\(path): has no part 'test' to measure with"
            throw CommandError("\(found); name another one: \(others)")
        }
        let folder = try splits?.test ?? ImageFolder(path)
        warnOfLeftOut(folder)
        try saved.checkClasses(folder.classNames, of: folder.path)
        return try Dataset(
            folder, TrainingData.Form(saved.model, file: file, loss: training.onlyOutput?.loss))
    }
}

extension SavedModel {
    /// - Throws: `CommandError` when the model tells other classes apart.
    func checkClasses(_ names: [String], of source: String) throws {
        guard classNames.isEmpty || classNames == names else {
            throw CommandError(
                "\(source) has the classes \(names.joined(separator: ", ")), but the model tells "
                    + "\(classNames.joined(separator: ", ")) apart")
        }
    }
}
