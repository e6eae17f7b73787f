import Foundation
import Fovea

/// A network as a class: its layers are properties, and `call` says what becomes of an image.
final class DigitNetwork: UnaryLayer {
    let name: String? = "digit_network"
    let convolution = Conv2D(filters: 32, kernelSize: 3, activation: .relu)
    let pooling = MaxPooling2D(poolSize: 2)
    let hidden = Dense(units: 128, activation: .relu)
    let logits: Dense
    /// Under which names files keep the parameters.
    var namedLayers: [(name: String, layer: any Layer)] {
        [("convolution", convolution), ("hidden", hidden), ("logits", logits)]
    }

    init(classes: Int) { logits = Dense(units: classes) }

    func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        let maps = try pooling(convolution(x))
        return try logits(hidden(Flatten()(maps)))
    }
}

extension Lesson2 {
    /// The network as a class, trained without `fit`: loss, gradients and step of the optimizer as one graph.
    func gradientLoop(_ digits: LessonData.Found) async throws {
        course.section("A network as a class, and a loop of one's own")
        let model = try Model(
            DigitNetwork(classes: digits.classNames.count), input: [28, 28, 1], name: "digits", seed: 1)
        print(model.summary(expandNested: true))

        // What is computed of a batch, whatever its size. The gradients of the loss are part of the updates.
        let images = Tensor.input("images", [28, 28, 1], .uint8)
        let labels = Tensor.input("labels", [], .int32)
        let logits = try model(images.cast(to: .float32) / 255)
        let loss = try SparseCategoricalCrossentropy(fromLogits: true)(targets: labels, predictions: logits)
            .mean()
        let optimizer = Adam(learningRate: 1e-3)
        let step = Step(
            outputs: [loss],
            updates: try optimizer.updates(
                for: model.trainableParameters.map(\.parameter), minimizing: loss),
            mode: .training)
        let runner = try StepRunner()

        let batches = try Dataset(course.shortened(digits.train, to: 5_000)).shuffled(seed: 1).batched(32)
        let predictor = try Predictor(model, classNames: digits.classNames, fromLogits: true)
        var (number, losses, accuracy) = (UInt64(0), [Float](), 0.0)
        for epoch in 0..<course.choose(full: 5, quick: 2) {
            for try await batch in try batches.loaded(epoch: epoch) {
                let results = try await runner.run(
                    step,
                    [
                        "images": batch.inputs[0], "labels": batch.targets[0],
                        "learning_rate": TensorValue(Float(optimizer.learningRate)),
                    ], number: number, seed: 1)
                losses.append(try await results[0].value().scalar)
                number += 1
            }
            accuracy = try await predictor.report(on: Dataset(digits.test)).confusion.accuracy
            print(String(format: "   epoch %d: test accuracy %.4f", epoch + 1, accuracy))
        }
        course.record("test accuracy of the loop", accuracy, remark: digits.remark)
        // One point for twenty steps, whose batches are not equally hard.
        let ends = Array(stride(from: 20, through: losses.count, by: 20))
        let means = ends.map { losses[$0 - 20..<$0].reduce(0, +) / 20 }
        var panel = Panel(xLabel: "step", yLabel: "mean loss of 20 steps", [.line(means, x: ends, width: 1)])
        panel.yScale = .log
        try course.show(Figure(panel), "loop.png")
    }
}
