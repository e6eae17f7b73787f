import Foundation
import Fovea

extension Lesson3 {
    /// A network for digits with pooling, and one without.
    func pooling() async throws {
        course.section("MNIST with and without pooling")
        let found = try await course.data.greyImages(.mnist)
        let train = try found.train.prefix(course.choose(full: found.train.count, quick: 2_000))
        for hasPooling in [true, false] {
            let name = hasPooling ? "with pooling" : "without pooling"
            let model = try digits(hasPooling: hasPooling)
            course.record(
                "parameters \(name)", Double(model.parameterCount),
                published: hasPooling ? 93_322 : nil,
                isShortened: false)
            let trainer = try model.compile(
                optimizer: .rmsprop(), loss: .sparseCategoricalCrossentropy(), metrics: [.accuracy])
            try await trainer.fit(train, epochs: course.choose(full: 5, quick: 1), batchSize: 64)
            course.record(
                "test accuracy \(name)", try await trainer.evaluate(found.test).accuracy ?? 0,
                published: hasPooling ? 0.9916 : nil, remark: found.remark)
        }
    }

    private func digits(hasPooling: Bool) throws -> Sequential {
        try Sequential(input: [28, 28, 1], seed: 1) {
            Conv2D(filters: 32, kernelSize: 3, activation: .relu)
            if hasPooling { MaxPooling2D(poolSize: 2) }
            Conv2D(filters: 64, kernelSize: 3, activation: .relu)
            if hasPooling { MaxPooling2D(poolSize: 2) }
            Conv2D(filters: 64, kernelSize: 3, activation: .relu)
            Flatten()
            Dense(units: 64, activation: .relu)
            Dense(units: 10, activation: .softmax)
        }
    }
}
