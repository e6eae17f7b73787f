import Foundation
import Fovea

extension Lesson4 {
    /// A network for MNIST, trained by a loop over batches that is written out.
    func digits() async throws {
        course.section("MNIST with a training loop of one's own")
        let found = try await course.data.greyImages(.mnist)
        let everything = Dataset(found.train)
        // As in the lesson, the first 10,000 images validate and the others train.
        let held = course.choose(full: 10_000, quick: min(1_000, found.train.count / 4))
        let last = course.choose(full: found.train.count, quick: min(6_000, found.train.count))
        let validation = try everything.subset(Array(0..<held)).batched(64)
        let training = try everything.subset(Array(held..<last)).shuffled(seed: 1).batched(64)

        let model = try network(classes: found.classNames.count, extraLayer: false)
        print(model.summary())
        let loop = try TrainingLoop(model)
        var epochs: [History.Epoch] = []
        for number in 1...course.choose(full: 20, quick: 2) {
            let epoch = try await loop.epoch(number, training, validation: validation)
            print(
                String(
                    format: "   epoch %d: accuracy %.4f, validation %.4f, %.1f s", number,
                    epoch.metrics["accuracy"] ?? 0, epoch.validationMetrics["accuracy"] ?? 0, epoch.seconds))
            epochs.append(epoch)
        }
        try course.show(History(epochs: epochs).plot(), "curves.png")

        let test = try await loop.sums(over: Dataset(found.test).batched(64))
        course.record("test accuracy", test.accuracy, published: 0.9926, remark: found.remark)

        try await predictions(of: model, found)
        try await turned(model, found)
        print(try network(classes: found.classNames.count, extraLayer: true).summary())
    }

    /// Two 5×5 convolutions, and in the lesson's exercise a third.
    private func network(classes: Int, extraLayer: Bool) throws -> Sequential {
        try Sequential(name: extraLayer ? "three_convolutions" : "digits", input: [28, 28, 1], seed: 1) {
            Conv2D(filters: 32, kernelSize: 5, padding: .same, activation: .relu)
            MaxPooling2D(poolSize: 2)
            Conv2D(filters: 64, kernelSize: 5, padding: .same, activation: .relu)
            MaxPooling2D(poolSize: 2)
            if extraLayer { Conv2D(filters: 128, kernelSize: 5, padding: .same, activation: .relu) }
            Flatten()
            Dense(units: 1024, activation: .relu)
            Dropout(rate: 0.5)
            Dense(units: classes)
        }
    }

    /// What the network says of twelve test images.
    private func predictions(of model: Sequential, _ found: LessonData.Found) async throws {
        let predictor = try Predictor(model, classNames: found.classNames, fromLogits: true)
        let twelve = try found.test[0..<12]
        let report = try await predictor.report(on: Dataset(twelve))
        let images = try (0..<12).map { try twelve[$0].image }
        try course.show(
            Figure.predictions(images, answers: report.answers, classNames: found.classNames, columns: 6),
            "predictions.png")
    }

    /// The same image turned, which the network has never seen so.
    private func turned(_ model: Sequential, _ found: LessonData.Found) async throws {
        let predictor = try Predictor(model, classNames: found.classNames, fromLogits: true)
        let picture = try found.test[0].image
        let image = try FloatImage(
            height: picture.height, width: picture.width, channels: 1, bytes: picture.pixels)
        let rotated = try image.rotated(degrees: -15.84, fillMode: .constant)
        let after = try Picture(
            height: rotated.height, width: rotated.width, channels: 1, pixels: rotated.bytes)
        let answers = try await predictor.classes(of: [picture, after], top: 1)
        try course.show(
            Figure.images(
                [picture, after], titles: ["\(answers[0][0])", "turned by −15.84°: \(answers[1][0])"],
                columns: 2),
            "turned.png")
    }
}
