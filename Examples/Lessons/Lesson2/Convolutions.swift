import Fovea

extension Lesson2 {
    /// Three convolutions, and then a head on them.
    func convolutions(_ digits: LessonData.Found) async throws {
        course.section("Three convolutions")
        let base = try Sequential(name: "base", input: [28, 28, 1], seed: 1) {
            Conv2D(filters: 32, kernelSize: 3, activation: .relu)
            MaxPooling2D(poolSize: 2)
            Conv2D(filters: 64, kernelSize: 3, activation: .relu)
            MaxPooling2D(poolSize: 2)
            Conv2D(filters: 64, kernelSize: 3, activation: .relu)
        }
        print(base.summary())
        course.record(
            "parameters without head", Double(base.parameterCount), published: 55_744, isShortened: false)

        let model = try Sequential(name: "mnist_cnn", input: [28, 28, 1], seed: 1) {
            base.layers
            Flatten()
            Dense(units: 64, activation: .relu)
            Dropout(rate: 0.5)
            Dense(units: digits.classNames.count, activation: .softmax)
        }
        print(model.summary())
        course.record(
            "parameters with head", Double(model.parameterCount), published: 93_322, isShortened: false,
            remark: digits.classNames.count == 10 ? "" : "\(digits.classNames.count) classes")

        let trainer = try model.compile(
            optimizer: .adam(), loss: .sparseCategoricalCrossentropy(), metrics: [.accuracy])
        let history = try await trainer.fit(
            course.shortened(digits.train, to: 5_000), epochs: course.choose(full: 5, quick: 2),
            batchSize: 64, validation: course.shortened(digits.test, to: 1_000), seed: 1)
        try course.show(history.plot(), "curves.png")
        course.record(
            "test accuracy of three convolutions", try await trainer.evaluate(digits.test).accuracy ?? 0,
            published: 0.9902, remark: digits.remark)
    }
}
