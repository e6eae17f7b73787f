import Foundation
import Fovea

extension Lesson3 {
    /// The same small network with and without batch normalisation behind its convolutions.
    func batchNormalization() async throws {
        course.section("Batch normalisation")
        let found = try await course.data.greyImages(.fashionMNIST)
        let train = try found.train.prefix(course.choose(full: found.train.count, quick: 2_000))
        var curves: [TrainingCurve] = []
        for isNormalized in [false, true] {
            let name = isNormalized ? "with batch normalisation" : "without"
            let trainer = try network(isNormalized: isNormalized).compile(
                optimizer: .adam(), loss: .sparseCategoricalCrossentropy(), metrics: [.accuracy])
            let history = try await trainer.fit(
                train, epochs: course.choose(full: 5, quick: 3), batchSize: 64, validationSplit: 0.1)
            curves.append(TrainingCurve(name, history))
            course.record(
                "small network \(name), test accuracy", try await trainer.evaluate(found.test).accuracy ?? 0,
                remark: found.remark)
        }
        try course.show(Figure.curves(curves), "batch-normalisation.png")
    }

    private func network(isNormalized: Bool) throws -> Sequential {
        // Few steps need averages that follow sooner.
        let momentum = course.choose(full: 0.99, quick: 0.9)
        return try Sequential(input: [28, 28, 1], seed: 1) {
            for filters in [32, 64] {
                // The normalisation has a bias of its own.
                Conv2D(filters: filters, kernelSize: 3, useBias: !isNormalized)
                if isNormalized { BatchNormalization(momentum: momentum) }
                ReLU()
                MaxPooling2D(poolSize: 2)
            }
            Flatten()
            Dense(units: 64, activation: .relu)
            Dense(units: 10, activation: .softmax)
        }
    }
}
