import Foundation
import Fovea

extension Lesson3 {
    /// Three ways to take what another network has learned: features computed once, a frozen base in a new model, and a base
    /// whose last convolutions learn on.
    func transfer(from base: any ModelProtocol, _ pets: Pets, remark: String) async throws {
        base.isTrainable = false
        let remark = [remark, pets.remark].filter { !$0.isEmpty }.joined(separator: ", ")
        func record(_ way: String, _ result: Evaluation) {
            course.record("cats and dogs, test accuracy \(way)", result.accuracy ?? 0, remark: remark)
        }
        course.section("Features of VGG-16, computed once")
        record("with features computed once", try await featuresOnce(of: base, pets))
        course.section("VGG-16 end to end, with augmentation")
        record("end to end", try await endToEnd(on: base, pets))
        course.section("Fine-tuning from block5_conv1 on")
        record("fine-tuned", try await fineTune(pets))
    }

    private var file: String { course.file("transfer-learning.safetensors") }

    /// Fast: the base computes the features of each picture once, and a head is trained on these.
    private func featuresOnce(of base: any ModelProtocol, _ pets: Pets) async throws -> Evaluation {
        let predictor = try Predictor(base)
        let features = try await predictor.features(of: pets.train)
        let head = try Sequential(input: base.outputShape, seed: 1) {
            Flatten()
            Dense(units: 256, activation: .relu)
            Dropout(rate: 0.5)
            Dense(units: 1, activation: .sigmoid)
        }
        let trainer = try head.compile(
            optimizer: .rmsprop(learningRate: 2e-5), loss: .binaryCrossentropy(), metrics: [.accuracy])
        let history = try await trainer.fit(
            features, epochs: course.choose(full: 30, quick: 5), batchSize: 20,
            validation: predictor.features(of: pets.validation))
        try course.show(history.plot(), "features-once.png")
        return try await trainer.evaluate(predictor.features(of: pets.test))
    }

    /// Slow, and better on few pictures: the frozen base is part of the model, so pictures may change at random.
    private func endToEnd(on base: any ModelProtocol, _ pets: Pets) async throws -> Evaluation {
        let x = Dense(units: 256, activation: .relu)(Flatten()(base.outputs[0]))
        let model = try Model(
            inputs: base.inputs, outputs: [Dense(units: 1, activation: .sigmoid)(x)], seed: 1)
        let augmentation = try Augmentation(
            rotationRange: 40, widthShiftRange: 0.2, heightShiftRange: 0.2, shearRange: 0.2,
            zoomRange: 0.2, horizontalFlip: true)
        let trainer = try model.compile(
            optimizer: .rmsprop(learningRate: 2e-5), loss: .binaryCrossentropy(), metrics: [.accuracy])
        let history = try await trainer.fit(
            pets.train.shuffled(seed: 1).augmented(augmentation, seed: 1).batched(20),
            epochs: course.choose(full: 30, quick: 2), validation: pets.validation.batched(20))
        try course.show(history.plot(smoothing: 0.8), "end-to-end.png")
        try await SavedModel(model, training: trainer.configuration, classNames: pets.classNames)
            .write(to: file)
        return try await trainer.evaluate(pets.test.batched(20))
    }

    /// Goes on from the saved model and also trains the last convolutions, with a step size that changes them little.
    private func fineTune(_ pets: Pets) async throws -> Evaluation {
        var saved = try await SavedModel(contentsOf: file)
        try saved.model.setTrainable(from: "block5_conv1")
        let trainer = try saved.model.compile(
            optimizer: .rmsprop(learningRate: 1e-5), loss: .binaryCrossentropy(), metrics: [.accuracy])
        let history = try await trainer.fit(
            pets.train.shuffled(seed: 2).batched(20), epochs: course.choose(full: 30, quick: 2),
            validation: pets.validation.batched(20))
        try course.show(history.plot(smoothing: 0.8), "fine-tuned.png")
        saved.training = trainer.configuration
        try await saved.write(to: file)
        return try await trainer.evaluate(pets.test.batched(20))
    }
}
