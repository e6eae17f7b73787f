import Foundation
import Fovea

/// A residual network of 20 layers, written as a graph of layers and trained on CIFAR-10 with `fit`.
///
/// `swift run -c release ResidualNetwork FOLDER [SEED]` reads `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`, the
/// binary form of CIFAR-10, from the folder. He et al. 2015, arXiv:1512.03385, section 4.2, with projections where the shape
/// changes.
@main
struct ResidualNetwork {
    static let epochs = 10
    static let batchSize = 128

    static func main() async throws {
        guard CommandLine.arguments.count > 1 else {
            print("usage: ResidualNetwork FOLDER [SEED], where FOLDER has CIFAR-10's files *.bin")
            exit(64)
        }
        let folder = CommandLine.arguments[1]
        let seed = CommandLine.arguments.dropFirst(2).first.flatMap { UInt64($0) } ?? 1
        let training = try CIFAR.readExamples((1...5).map { "\(folder)/data_batch_\($0).bin" })
        let test = try CIFAR.readExamples(["\(folder)/test_batch.bin"])

        let images = LayerOutput.input("images", [32, 32, 3])
        var x = convolution(images, filters: 16, isRectified: true)
        for (stage, filters) in [16, 32, 64].enumerated() {
            for block in 0..<3 { x = residual(x, filters: filters, shrinks: stage > 0 && block == 0) }
        }
        x = GlobalAveragePooling2D()(x)
        let classes = Dense(units: 10, activation: .softmax)(x)
        let model = try Model(inputs: [images], outputs: [classes], name: "resnet20", seed: seed)
        print(model.summary())

        let steps = epochs * ((training.count + batchSize - 1) / batchSize)
        let trainer = try model.compile(
            optimizer: SGD(momentum: 0.9, nesterov: true), loss: .sparseCategoricalCrossentropy(),
            metrics: [.accuracy], schedule: .oneCycle(maximumLearningRate: 0.1, totalSteps: steps))
        _ = try await trainer.fit(
            training, epochs: epochs, batchSize: batchSize, validation: test, seed: seed, verbosity: .lines)
        let result = try await trainer.evaluate(test, batchSize: batchSize)
        print(String(format: "test accuracy %.4f", result.metrics["accuracy"] ?? .nan))
    }

    /// A 3×3 convolution and batch normalization, perhaps with ReLU.
    static func convolution(
        _ x: LayerOutput, filters: Int, strides: Size2D = 1, isRectified: Bool
    ) -> LayerOutput {
        let y = Conv2D(
            filters: filters, kernelSize: 3, strides: strides, padding: .same, useBias: false,
            kernelInitializer: .heNormal, kernelRegularizer: .l2(1e-4))(x)
        let normalized = BatchNormalization(momentum: 0.9)(y)
        return isRectified ? ReLU()(normalized) : normalized
    }

    /// `relu(f(x) + x)`, where f is two convolutions. A block that shrinks halves the image and doubles the channels.
    static func residual(_ x: LayerOutput, filters: Int, shrinks: Bool) -> LayerOutput {
        var y = convolution(x, filters: filters, strides: shrinks ? 2 : 1, isRectified: true)
        y = convolution(y, filters: filters, isRectified: false)
        let shortcut =
            shrinks
            ? Conv2D(filters: filters, kernelSize: 1, strides: 2, kernelInitializer: .heNormal)(x) : x
        return ReLU()(Add()([y, shortcut]))
    }
}
