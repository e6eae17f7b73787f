import ArgumentParser
import Foundation
import Fovea

struct EvaluateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evaluate", abstract: "Measure a saved model on test images.",
        usage: "fovea evaluate <file> <dataset or folder> [<options>]",
        discussion: """
            Of a folder of pictures the part 'test' is measured, or all of it if it has folders of classes only.

            Prints loss and metrics, and how often classes were taken for each other; with --output also writes these to a file.
            """)

    @Argument(help: "A model file.", transform: filePath)
    var file: String

    @Argument(help: "The data set's name (see 'fovea datasets list'), or a folder of pictures.")
    var dataset: String

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Images computed at once (default: 250, of images of more than 64×64 pixels 32).",
            valueName: "count"))
    var batchSize: Int?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Show so many images whose answers were the most wrong, by the loss.", valueName: "count"))
    var worst = 0

    @Option(
        help: ArgumentHelp(
            "Also write what was measured to this file, as JSON.", valueName: "file"), transform: filePath)
    var output: String?

    @OptionGroup var badPictures: BadPictureOptions
    @OptionGroup var place: DeviceOption

    func validate() throws {
        _ = try DataSource(dataset)
        _ = try badPictures.settings()
        try checkPositive("--batch-size", batchSize)
        if worst < 0 { throw ValidationError("--worst is a number of images from 0 up, not \(worst)") }
    }

    func run() async throws {
        let saved = try await savedModel(file)
        guard let training = saved.training else {
            throw CommandError(
                "\(file): the model was saved without its loss, so it cannot be evaluated; train it first")
        }
        // Better known before than after.
        if let output { try AtomicFile.checkWritable(output) }
        let trainer = try saved.model.compile(training, device: place.device())
        let images = try await TestImages(dataset, for: saved, file: file)
        let badPictures = try badPictures.settings()
        let input = try saved.model.inputShape
        let size = batchSize ?? ((1...64 * 64 * 3).contains(input.elementCount) ? 250 : 32)
        let result: Evaluation
        var report: ClassificationReport?
        if try saved.model.outputShape.rank == 1 {
            let measured = try await badPictures.noted {
                try await trainer.report(
                    on: images.examples, classNames: images.classNames, batchSize: size,
                    onError: badPictures.policy)
            }
            (result, report) = (measured.evaluation, measured.report)
        } else {
            let batches = try images.examples.batched(size, onError: badPictures.policy)
            result = try await badPictures.noted { try await trainer.evaluate(batches) }
        }
        say("test loss \(String(format: "%.4f", result.loss))")
        for (name, value) in result.metrics.sorted(by: { $0.key < $1.key }) {
            say("test \(name) \(String(format: "%.4f", value))")
        }
        if let report, !report.answers.isEmpty { show(report, images) }
        if let output {
            let measured = Measurement(
                file, dataset, result, report, worst: report?.worst(worst), name: images.name)
            try AtomicFile.write(Array(try measured.json().utf8), to: output)
        }
        try result.checkFinite(file)
    }

    private func show(_ report: ClassificationReport, _ images: TestImages) {
        say("\n\(report)")
        let answers = report.worst(worst)
        if answers.isEmpty { return }
        say("\nthe most wrong by loss:")
        for answer in answers {
            let names = report.confusion.classNames
            let text =
                "\(names[answer.predicted]) \(String(format: "%.1f", answer.probability * 100)) %"
                + (answer.isRight ? ", which is right" : ", but it is \(names[answer.label])")
            say(
                "  \(String(format: "%7.4f", answer.loss))  \(visible(images.name(answer.index))): \(visible(text))"
            )
        }
    }
}
