import Foundation
import Fovea

/// A training loop written out: model, loss, optimizer, data loader, train, validate.
///
/// `swift run -c release TrainingLoop` trains a network of two 5×5 convolutions on MNIST, 50,000 examples for training and
/// 10,000 for validation, and measures it on the 10,000 test images.
@main
struct TrainingLoop {
    static let epochs = 20
    static let batchSize = 64

    static func main() async throws {
        let data = try await DatasetLibrary().load(.mnist)
        let examples = try data.train.prefix(50_000)
        let validation = try data.train.suffix(10_000)

        let model = try Sequential(name: "wide_kernel_cnn", input: [28, 28, 1], seed: 1) {
            Conv2D(filters: 32, kernelSize: 5, padding: .same, activation: .relu)
            MaxPooling2D()
            Conv2D(filters: 64, kernelSize: 5, padding: .same, activation: .relu)
            MaxPooling2D()
            Flatten()
            Dense(units: 1024, activation: .relu)
            Dropout(rate: 0.5)
            Dense(units: 10)
        }
        print(model.summary())

        // The graph of a batch: its size is still open.
        let images = Tensor.input("images", [28, 28, 1], .uint8)
        let labels = Tensor.input("labels", [], .int32)
        let logits = try model(images.cast(to: .float32) / 255)
        let losses = try SparseCategoricalCrossentropy(fromLogits: true)(
            targets: labels, predictions: logits)
        let rightAnswers = try logits.argMax().equal(labels).cast(to: .float32).sum()
        let outputs = [try losses.sum(), rightAnswers]

        let optimizer = Adam(learningRate: 1e-3)
        let updates = try optimizer.updates(
            for: model.trainableParameters.map(\.parameter), minimizing: losses.mean())

        // Each is compiled once for every batch size that comes: the last batch is smaller.
        let training = Step(outputs: outputs, updates: updates, mode: .training)
        let check = Step(outputs: outputs, mode: .inference)
        let runner = try StepRunner()

        let batches = try Dataset(examples).shuffled(seed: 1).batched(batchSize)
        var number: UInt64 = 0
        for epoch in 1...epochs {
            let start = ContinuousClock.now
            var sums = Sums()
            for try await batch in try batches.loaded(epoch: epoch) {
                let results = try await runner.run(
                    training,
                    [
                        "images": batch.inputs[0], "labels": batch.targets[0],
                        "learning_rate": TensorValue(Float(optimizer.learningRate)),
                    ], number: number, seed: 1)
                try await sums.add(results, examples: batch.count)
                number += 1
            }
            let checked = try await sumsOver(validation, check, runner)
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            print("epoch \(epoch): \(sums), validation \(checked), \(String(format: "%.1f", seconds)) s")
        }
        print("test \(try await sumsOver(data.test, check, runner))")
    }

    static func sumsOver(_ examples: Examples, _ check: Step, _ runner: StepRunner) async throws -> Sums {
        var sums = Sums()
        for try await batch in try Dataset(examples).batched(batchSize).loaded() {
            let results = try await runner.run(
                check, ["images": batch.inputs[0], "labels": batch.targets[0]])
            try await sums.add(results, examples: batch.count)
        }
        return sums
    }
}

/// Loss and right answers, summed over batches.
struct Sums: CustomStringConvertible {
    private var loss = 0.0
    private var rightAnswers = 0.0
    private var examples = 0.0

    mutating func add(_ results: [RunOutput], examples count: Int) async throws {
        loss += try await results[0].value().doubles[0]
        rightAnswers += try await results[1].value().doubles[0]
        examples += Double(count)
    }

    var description: String {
        String(format: "loss %.4f, accuracy %.4f", loss / examples, rightAnswers / examples)
    }
}
