import Fovea

extension Lesson0 {
    /// A first network: clothes of Fashion-MNIST, told apart by two convolutions.
    func clothes() async throws {
        course.section("Fashion-MNIST")
        let found = try await course.data.greyImages(.fashionMNIST)
        let train = try course.shortened(found.train, to: 5_000)
        try course.show(
            Figure.images(of: train, count: 24, classNames: found.classNames, columns: 8), "clothes.png")

        let model = try Sequential(name: "fashion_cnn", input: [28, 28, 1], seed: 1) {
            Conv2D(filters: 32, kernelSize: 3, activation: .relu)
            MaxPooling2D(poolSize: 2)
            Conv2D(filters: 64, kernelSize: 3, activation: .relu)
            MaxPooling2D(poolSize: 2)
            Flatten()
            Dense(units: 128, activation: .relu)
            Dropout(rate: 0.5)
            Dense(units: found.classNames.count, activation: .softmax)
        }
        print(model.summary())
        // Pixels are uint8 and mean 0 to 1 to all that takes images: nothing is divided by 255.
        let trainer = try model.compile(
            optimizer: .adam(), loss: .sparseCategoricalCrossentropy(), metrics: [.accuracy])
        let history = try await trainer.fit(
            train, epochs: course.choose(full: 10, quick: 3), batchSize: 128, validationSplit: 0.1, seed: 1)
        try course.show(history.plot(), "curves.png")

        let (evaluation, report) = try await trainer.report(
            on: Dataset(found.test), classNames: found.classNames)
        print("   test: \(evaluation)")
        print(report)
        try course.show(report.confusion.plot(), "confusion.png")
        try course.show(report.plotWorst(18, of: Dataset(found.test), columns: 6), "worst.png")
        course.record(
            "test accuracy on Fashion-MNIST", report.confusion.accuracy, published: 0.9030,
            remark: found.remark)
    }
}
