import Foundation
import Fovea

/// Pixels from 0 to 255 as numbers from 0 to 1.
private func normalized(_ example: Example) throws -> Example {
    let pixels = example.inputs[0]
    let numbers = try TensorValue(shape: pixels.shape, pixels.floats.map { $0 / 255 })
    return Example(inputs: [numbers], targets: example.targets)
}

extension Lesson2 {
    /// How images come to a network: each step of the pipeline is a data set made of another one, and computes nothing before
    /// somebody asks.
    func pipeline() async throws {
        course.section("The input pipeline on CIFAR-10")
        let found = try await course.data.colorImages()
        let augmentation = try Augmentation(
            rotationRange: 10, widthShiftRange: 0.1, heightShiftRange: 0.1, horizontalFlip: true)
        let images = try Dataset(course.shortened(found.train, to: 5_000))
            .map(named: "normalized", normalized)
            .cached(byteLimit: 1 << 30)
        let batches = try images.shuffled(seed: 1).augmented(augmentation, seed: 2).batched(64)
        print("   \(batches)")

        try await time("first epoch, nothing is cached yet", images.batched(64))
        try await time("second epoch", images.batched(64), epoch: 1)
        try await time("shuffled and augmented", batches)

        try course.show(
            Figure.images(
                of: batches.element(at: 0), count: 24, classNames: found.classNames, columns: 8),
            "batch.png")
        let picture = try found.train[4].image
        try course.show(augmentation.plot(picture, count: 15, seed: 3, columns: 8), "augmented.png")
        try await trained(on: batches, found)
    }

    /// Goes through an epoch and does nothing with it.
    private func time(_ what: String, _ batches: Dataset<Examples>, epoch: Int = 0) async throws {
        let start = ContinuousClock.now
        var count = 0
        for try await batch in try batches.loaded(epoch: epoch) { count += batch.count }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        print(
            String(format: "   %@: %.2f s, %.0f images a second", what, seconds, Double(count) / seconds))
    }

    /// A small network that never sees an image twice in the same way.
    private func trained(on batches: Dataset<Examples>, _ found: LessonData.Found) async throws {
        let model = try Sequential(name: "cifar_cnn", input: [32, 32, 3], seed: 1) {
            for filters in [32, 64, 64] {
                Conv2D(filters: filters, kernelSize: 3, padding: .same, activation: .relu)
                MaxPooling2D(poolSize: 2)
            }
            Flatten()
            Dense(units: 64, activation: .relu)
            Dense(units: found.classNames.count, activation: .softmax)
        }
        let trainer = try model.compile(
            optimizer: .adam(), loss: .sparseCategoricalCrossentropy(), metrics: [.accuracy])
        let test = try Dataset(course.shortened(found.test, to: 1_000)).map(named: "normalized", normalized)
            .batched(64)
        let history = try await trainer.fit(
            batches, epochs: course.choose(full: 10, quick: 2), validation: test, seed: 1)
        try course.show(history.plot(), "pipeline-curves.png")
        course.record(
            "test accuracy on CIFAR-10", try await trainer.evaluate(test).accuracy ?? 0, remark: found.remark)
    }
}
