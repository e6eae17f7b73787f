import Foundation
import Fovea

/// Transfer learning in three ways, on pictures of two classes below `train`, `validation` and `test`.
///
/// `swift run -c release TransferLearning PETS VGG16-WEIGHTS [EPOCHS]` takes the convolutional base of VGG-16 with weights from a
/// file of Keras's. EPOCHS, usually 30, is how often the two slow ways go through the pictures.
@main
struct TransferLearning {
    static let size: Size2D = 150
    static let file = "transfer-learning.safetensors"

    let train, validation, test: Dataset<Example>
    let classNames: [String]
    let epochs: Int

    static func main() async throws {
        let arguments = CommandLine.arguments
        guard [3, 4].contains(arguments.count), let epochs = Int(arguments.count == 4 ? arguments[3] : "30"),
            epochs > 0
        else {
            print("usage: TransferLearning <folder of pictures> <weights of VGG-16 without top> [<epochs>]")
            exit(64)
        }
        let example = try Self(folder: arguments[1], epochs: epochs)
        // Weights of Keras's VGG-16 take pictures blue first and without their means, which the model then sees to.
        func base() async throws -> any ModelProtocol {
            let base = try await NamedNetwork.vgg16.model(
                weights: .file(arguments[2]), input: [150, 150, 3], includeTop: false)
            base.isTrainable = false
            return base
        }
        try await example.featuresOnce(of: base())
        try await example.endToEnd(on: base())
        try await example.fineTune()
    }

    init(folder: String, epochs: Int) throws {
        self.epochs = epochs
        let training = try ImageFolder(folder + "/train")
        classNames = training.classNames
        train = try Dataset(training, size: Self.size, classMode: .binary)
        validation = try Dataset(
            ImageFolder(folder + "/validation"), size: Self.size, classMode: .binary)
        test = try Dataset(ImageFolder(folder + "/test"), size: Self.size, classMode: .binary)
    }

    /// Fast: the base computes the features of each picture once, and a head is trained on these.
    func featuresOnce(of base: any ModelProtocol) async throws {
        let predictor = try Predictor(base)
        let features = try await predictor.features(of: train)
        let head = try Sequential(input: base.outputShape, seed: 1) {
            Flatten()
            Dense(units: 256, activation: .relu)
            Dropout(rate: 0.5)
            Dense(units: 1, activation: .sigmoid)
        }
        let trainer = try head.compile(
            optimizer: .rmsprop(learningRate: 2e-5), loss: .binaryCrossentropy(), metrics: [.accuracy])
        try await trainer.fit(
            features, epochs: 30, batchSize: 20, validation: predictor.features(of: validation))
        print("features once: test", try await trainer.evaluate(predictor.features(of: test)))
    }

    /// Slow, and better on few pictures: the frozen base is part of the model, so pictures may change at random.
    func endToEnd(on base: any ModelProtocol) async throws {
        let x = Dense(units: 256, activation: .relu)(Flatten()(base.outputs[0]))
        let model = try Model(
            inputs: base.inputs, outputs: [Dense(units: 1, activation: .sigmoid)(x)], seed: 1)
        let augmentation = try Augmentation(
            rotationRange: 40, widthShiftRange: 0.2, heightShiftRange: 0.2, shearRange: 0.2,
            zoomRange: 0.2, horizontalFlip: true)
        let trainer = try model.compile(
            optimizer: .rmsprop(learningRate: 2e-5), loss: .binaryCrossentropy(), metrics: [.accuracy])
        try await trainer.fit(
            train.cached(byteLimit: 1 << 30).shuffled(seed: 1).augmented(augmentation, seed: 1).batched(20),
            epochs: epochs, validation: validation.batched(20))
        print("end to end: test", try await trainer.evaluate(test.batched(20)))
        try await SavedModel(model, training: trainer.configuration, classNames: classNames)
            .write(to: Self.file)
    }

    /// Goes on from the saved model and also trains the last convolutions, with a step size that changes them little.
    func fineTune() async throws {
        var saved = try await SavedModel(contentsOf: Self.file)
        try saved.model.setTrainable(from: "block5_conv1")
        let trainer = try saved.model.compile(
            optimizer: .rmsprop(learningRate: 1e-5), loss: .binaryCrossentropy(), metrics: [.accuracy])
        try await trainer.fit(
            train.cached(byteLimit: 1 << 30).shuffled(seed: 2).batched(20), epochs: epochs,
            validation: validation.batched(20))
        print("fine-tuned: test", try await trainer.evaluate(test.batched(20)))
        saved.training = trainer.configuration
        try await saved.write(to: Self.file)
    }
}
