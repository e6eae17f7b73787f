import Fovea

extension Lesson0 {
    /// The convolutions of VGG-16 as others have trained them, frozen, and a head for CIFAR-10.
    func transfer() async throws {
        course.section("VGG-16's convolutions on CIFAR-10")
        let found = try await course.data.colorImages()
        let (base, remark) = try await course.data.vgg16(input: [32, 32, 3])
        base.isTrainable = false
        let head = try Sequential(name: "head", input: base.outputShape, seed: 1) {
            Flatten()
            Dense(units: 512, activation: .relu)
            Dropout(rate: 0.5)
            Dense(units: found.classNames.count, activation: .softmax)
        }
        let model = try Sequential(name: "vgg16_cifar10", input: [32, 32, 3]) {
            base
            head.layers
        }
        print(model.summary())
        course.record(
            "parameters with VGG-16's base", Double(model.parameterCount), published: 14_982_474,
            isShortened: false, remark: classesRemark(found))
        course.record(
            "of these trained", Double(model.trainableParameterCount), published: 267_786,
            isShortened: false, remark: classesRemark(found))

        // Nothing before the head changes or is random, so its inputs are the same in every epoch: they are computed once. The
        // lesson trains through the frozen base, which comes to the same and takes a pass through it in each of 20 epochs.
        let predictor = try Predictor(base)
        let train = try await predictor.features(
            of: Dataset(course.shortened(found.train, to: 2_000)), batchSize: 128)
        let test = try await predictor.features(
            of: Dataset(course.shortened(found.test, to: 500)), batchSize: 128)
        let trainer = try head.compile(
            optimizer: .adam(), loss: .sparseCategoricalCrossentropy(), metrics: [.accuracy])
        let history = try await trainer.fit(
            train, epochs: 20, batchSize: 128, validation: test, seed: 1, verbosity: .silent)
        try course.show(history.plot(), "transfer-curves.png")
        let evaluation = try await trainer.evaluate(test)
        course.record(
            "test accuracy on CIFAR-10", evaluation.accuracy ?? 0,
            remark: [found.remark, remark].filter { !$0.isEmpty }.joined(separator: ", "))

        // The head is part of the whole model, which takes pictures.
        let pictures = try found.test.prefix(12)
        let report = try await Predictor(model, classNames: found.classNames).report(on: Dataset(pictures))
        let images = try (0..<pictures.count).map { try pictures[$0].image }
        try course.show(
            Figure.predictions(images, answers: report.answers, classNames: found.classNames, columns: 6),
            "transfer-predictions.png")
    }

    /// A head for another number of classes has another number of parameters.
    private func classesRemark(_ found: LessonData.Found) -> String {
        found.classNames.count == 10 ? "" : "\(found.classNames.count) classes"
    }
}
