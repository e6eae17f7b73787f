import Foundation
import Fovea

extension Lesson1 {
    /// A network with one convolution, of which the epoch is kept that was the best on validation images.
    func singleConvolution() async throws -> (model: any ModelProtocol, data: LessonData.Found) {
        course.section("Fashion-MNIST with one convolution")
        let found = try await course.data.greyImages(.fashionMNIST)
        let model = try Sequential(name: "single_conv", input: [28, 28, 1], seed: 1) {
            Conv2D(filters: 32, kernelSize: 3, padding: .same, activation: .relu)
            MaxPooling2D(poolSize: 2)
            Dropout(rate: 0.25)
            Flatten()
            Dense(units: 128, activation: .relu)
            Dropout(rate: 0.25)
            Dense(units: found.classNames.count, activation: .softmax)
        }
        print(model.summary())
        let trainer = try model.compile(
            optimizer: .adam(), loss: .sparseCategoricalCrossentropy(), metrics: [.accuracy])
        let checkpoint = ModelCheckpoint(
            course.file("best.safetensors"), monitor: "val_accuracy", saveBestOnly: true,
            classNames: found.classNames)
        let history = try await trainer.fit(
            course.shortened(found.train, to: 5_000), epochs: course.choose(full: 10, quick: 3),
            batchSize: 128, validationSplit: 0.1, seed: 1, callbacks: [checkpoint])
        try course.show(history.plot(), "curves.png")

        // The model as it was in its best epoch, from the file.
        let best = try await SavedModel(contentsOf: checkpoint.path)
        let last = try await trainer.evaluate(found.test)
        let evaluation = try await best.compile().evaluate(found.test)
        print(
            String(
                format: "   after the last epoch %.4f of the test images are right, after the best one %.4f",
                last.accuracy ?? 0, evaluation.accuracy ?? 0))
        course.record(
            "test accuracy of the best epoch", evaluation.accuracy ?? 0, published: 0.9168,
            remark: found.remark)
        return (best.model, found)
    }
}
