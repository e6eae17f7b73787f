import Foundation
import Fovea

extension Lesson3 {
    /// Trains a network from scratch, first without anything against over-fitting, then with changed pictures and dropout.
    func catsAndDogs(_ pets: Pets) async throws -> Sequential {
        course.section("Cats and dogs from scratch")
        let plain = try await train(
            network(pets, dropout: 0), on: pets.train.shuffled(seed: 1), pets, epochs: 30)
        try course.show(plain.history.plot(), "scratch.png")
        try course.show(plain.history.plot(smoothing: 0.8), "scratch-smoothed.png")
        course.record(
            "cats and dogs, test accuracy from scratch",
            try await plain.trainer.evaluate(pets.test.batched(20)).accuracy ?? 0,
            remark: pets.remark)

        course.section("Cats and dogs, augmented and with dropout")
        let augmentation = try Augmentation(
            rotationRange: 40, widthShiftRange: 0.2, heightShiftRange: 0.2, shearRange: 0.2,
            zoomRange: 0.2, horizontalFlip: true)
        try course.show(
            augmentation.plot(pets.train.images(0..<1)[0], count: 7, columns: 4), "augmentations.png")
        let model = try network(pets, dropout: 0.5)
        let changed = try await train(
            model, on: pets.train.shuffled(seed: 1).augmented(augmentation, seed: 1), pets, epochs: 60)
        try course.show(changed.history.plot(smoothing: 0.8), "augmented.png")
        course.record(
            "cats and dogs, test accuracy augmented",
            try await changed.trainer.evaluate(pets.test.batched(20)).accuracy ?? 0,
            remark: pets.remark)
        return model
    }

    private func network(_ pets: Pets, dropout: Double) throws -> Sequential {
        try Sequential(name: "cats_and_dogs", input: [pets.size.height, pets.size.width, 3], seed: 1) {
            for filters in [32, 64, 128, 128] {
                Conv2D(filters: filters, kernelSize: 3, activation: .relu)
                MaxPooling2D(poolSize: 2)
            }
            Flatten()
            Dropout(rate: dropout)
            Dense(units: 512, activation: .relu)
            Dense(units: 1, activation: .sigmoid)
        }
    }

    private func train(
        _ model: Sequential, on pictures: Dataset<Example>, _ pets: Pets, epochs: Int
    ) async throws -> (trainer: Trainer, history: History) {
        let trainer = try model.compile(
            optimizer: .rmsprop(learningRate: 1e-4), loss: .binaryCrossentropy(), metrics: [.accuracy])
        let history = try await trainer.fit(
            pictures.batched(20), epochs: course.choose(full: epochs, quick: 3),
            validation: pets.validation.batched(20), seed: 1)
        return (trainer, history)
    }
}
