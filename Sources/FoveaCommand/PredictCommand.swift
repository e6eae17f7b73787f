import ArgumentParser
import Foundation
import Fovea

struct PredictCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict", abstract: "Say what a saved or published model sees in images.",
        usage: "fovea predict <file> <images> ... [--top <count>]",
        discussion: """
            A network with published weights, such as efficientnet-lite0, tells ImageNet's 1,000 classes; its weights are \
            downloaded to the cache when they are not there.

            Images are pictures (JPEG, PNG, GIF, WebP, BMP, PNM), brought to the size that the model takes; IDX files of \
            one or many images of that size; or one test image of a named data set.

            An image that cannot be read is named on standard error, the others are predicted all the same, and the exit code \
            is 1. With --on-bad-image skip it is 0 if there was another image, with stop nothing more is predicted.
            """)

    @Argument(
        help: "A model file, or a network with published weights; see 'fovea pretrained list'.",
        transform: filePath)
    var file: String

    @Argument(help: "Pictures or IDX files.", transform: filePath)
    var images: [String] = []

    @Option(help: ArgumentHelp("Take a test image of this data set instead.", valueName: "name"))
    var dataset: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Which of the data set's test images, from 0.", valueName: "number"))
    var index: Int?

    @Option(parsing: .unconditional, help: ArgumentHelp("How many classes to show.", valueName: "count"))
    var top = 3

    @Option(
        help: ArgumentHelp(
            "stop at the first image that cannot be read, or skip: such images are left out and named (default: as skip, "
                + "but with a failure in the end).", valueName: "what"))
    var onBadImage: String?

    @OptionGroup var place: DeviceOption

    /// What is done about images that cannot be read; nil when it was not said.
    private func answerToBadImages() throws -> BadPictureOptions.Answer? {
        try onBadImage.map { try named($0, "answer to bad images") }
    }

    func validate() throws {
        guard (dataset != nil) == (index != nil) else {
            throw ValidationError("--dataset and --index belong together")
        }
        guard (dataset != nil) != !images.isEmpty else {
            throw ValidationError(
                "name either pictures or a test image by --dataset and --index, such as "
                    + "'fovea predict \(file) --dataset shapes --index 0'")
        }
        if let dataset { _ = try named(dataset, "data set", of: DatasetName.self) }
        if let index, index < 0 { throw ValidationError("--index counts from 0, so it cannot be \(index)") }
        try checkPositive("--top", top)
        _ = try answerToBadImages()
    }

    func run() async throws {
        let saved = try await usableModel(file)
        let predictor = try Predictor(saved, device: place.device())
        var unanswered = 0
        if let dataset, let index {
            let data = try await load(named(dataset, "data set"))
            try saved.checkClasses(data.classNames, of: dataset)
            guard (0..<data.test.count).contains(index) else {
                throw CommandError(
                    "--index is \(index), but the \(data.test.count) test images of \(dataset) are 0 to "
                        + "\(data.test.count - 1)")
            }
            let example = try data.test[index..<(index + 1)]
            let label = Int(example.targets[0].integers[0])
            unanswered += try await show(predictor, example.inputs[0], "\(dataset) test image \(index)")
            say("  labelled: \(data.classNames[label])")
        }
        var badCount = 0
        if !images.isEmpty {
            let shown = try await showImages(predictor)
            (unanswered, badCount) = (unanswered + shown.unanswered, shown.badCount)
        }
        if unanswered > 0 {
            throw CommandError(
                "\(file): for \(unanswered) of the images the model does not answer with numbers. Train it again, with a "
                    + "smaller learning rate or inputs of a smaller range")
        }
        if dataset == nil, badCount == images.count { throw CommandError("none of the images can be read") }
        if badCount > 0, try answerToBadImages() != .skip {
            throw CommandError(
                "\(badCount) of \(images.count) images cannot be read. With --on-bad-image skip this is no failure"
            )
        }
    }

    /// Returns for how many the model's outputs are no numbers, and how many of the images cannot be read.
    private func showImages(
        _ predictor: Predictor
    ) async throws -> (unanswered: Int, badCount: Int) {
        let answer = try answerToBadImages()
        let form: PictureForm
        do { form = try predictor.pictureForm } catch { throw CommandError("\(file): \(error)") }
        var (unanswered, badCount) = (0, 0)
        for path in images {
            let pictures: TensorValue
            do { pictures = try images(from: path, form) } catch {
                if answer == .stop || images.count == 1 { throw error }
                warn("\(error)")
                badCount += 1
                continue
            }
            unanswered += try await show(predictor, pictures, path)
        }
        return (unanswered, badCount)
    }

    /// Returns for how many of the pictures the model's outputs are no numbers.
    private func show(
        _ predictor: Predictor, _ pictures: TensorValue, _ name: String
    ) async throws -> Int {
        let results = try await predictor.classes(of: pictures, top: top)
        var unanswered = 0
        for (place, classes) in results.enumerated() {
            say(visible(name) + (results.count > 1 ? ", image \(place):" : ":"))
            if classes.isEmpty {
                say("  no class: the model's outputs are NaN")
                unanswered += 1
            }
            for answer in classes {
                let name = answer.name ?? "class \(answer.index)"
                say("  \(String(format: "%5.1f", answer.probability * 100)) %  \(visible(name))")
            }
        }
        return unanswered
    }

    /// The picture or the images of an IDX file in the shape that the model takes.
    private func images(from path: String, _ form: PictureForm) throws -> TensorValue {
        do {
            let picture = try TensorValue(form.picture(at: path))
            return try picture.reshaped(to: Shape([1] + picture.shape.dimensions))
        } catch let error as PictureError where error.kind == .unknownFormat {
            return try idxImages(from: path, form)
        }
    }

    private func idxImages(from path: String, _ form: PictureForm) throws -> TensorValue {
        let value = try idxValue(from: path)
        let input: Shape = [form.size?.height, form.size?.width, form.channels]
        let isOne = value.shape.rank == 2
        guard value.dtype == .uint8, form.channels == 1, isOne || value.shape.rank == 3,
            input.accepts(Shape(value.shape.dimensions.suffix(2) + [1]))
        else {
            throw CommandError(
                "\(path): holds \(value.dtype.rawValue) data of shape \(value.shape); the model takes images of "
                    + "shape \(input)")
        }
        return try value.reshaped(to: Shape((isOne ? [1] : []) + value.shape.dimensions + [1]))
    }

    private func idxValue(from path: String) throws -> TensorValue {
        do {
            return try IDX.read(path)
        } catch {
            guard error.kind == .wrongFormat else { throw error }
            let formats = PictureFormat.allCases.map { $0.rawValue.uppercased() }.joined(separator: ", ")
            throw CommandError("\(path): is neither a picture (\(formats)) nor an IDX file")
        }
    }
}
