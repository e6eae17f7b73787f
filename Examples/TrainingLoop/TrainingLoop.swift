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
        let training = try data.train.prefix(50_000)
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

        // The last batch is smaller, and has a step of its own.
        let backend = OneDNNBackend()
        var steps: [Int: any Executable] = [:]
        var checks: [Int: any Executable] = [:]
        for size in [batchSize, training.count % batchSize] {
            steps[size] = try await backend.compile(
                outputs: outputs, updates: updates, mode: .training, batch: size, seed: 1)
        }
        for size in [batchSize, validation.count % batchSize] {
            checks[size] = try await backend.compile(outputs: outputs, mode: .inference, batch: size)
        }

        let batches = try Dataset(training).shuffled(seed: 1).batched(batchSize)
        var step: UInt64 = 0
        for epoch in 1...epochs {
            let start = ContinuousClock.now
            var sums = Sums()
            for try await batch in try batches.loaded(epoch: epoch) {
                let results = try await steps[batch.count]?.run(
                    [
                        "images": batch.inputs[0], "labels": batch.targets[0],
                        "learning_rate": TensorValue(Float(optimizer.learningRate)),
                    ], step: step)
                sums.add(results, examples: batch.count)
                step += 1
            }
            let checked = try await sumsOver(validation, checks)
            let seconds = (ContinuousClock.now - start) / .seconds(1)
            print("epoch \(epoch): \(sums), validation \(checked), \(String(format: "%.1f", seconds)) s")
        }
        print("test \(try await sumsOver(data.test, checks))")
    }

    static func sumsOver(_ examples: Examples, _ checks: [Int: any Executable]) async throws -> Sums {
        var sums = Sums()
        for try await batch in try Dataset(examples).batched(batchSize).loaded() {
            let results = try await checks[batch.count]?.run(
                ["images": batch.inputs[0], "labels": batch.targets[0]])
            sums.add(results, examples: batch.count)
        }
        return sums
    }
}

/// Loss and right answers, summed over batches.
struct Sums: CustomStringConvertible {
    private var loss = 0.0
    private var rightAnswers = 0.0
    private var examples = 0.0

    mutating func add(_ results: [TensorValue]?, examples count: Int) {
        loss += results?[0].doubles[0] ?? .nan
        rightAnswers += results?[1].doubles[0] ?? .nan
        examples += Double(count)
    }

    var description: String {
        String(format: "loss %.4f, accuracy %.4f", loss / examples, rightAnswers / examples)
    }
}
