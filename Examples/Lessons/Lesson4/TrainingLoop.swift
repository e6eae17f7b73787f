import Fovea

/// What `fit` does, written out: the graphs of a step, run for one batch after another.
struct TrainingLoop {
    private let training, check: Step
    private let optimizer = Adam(learningRate: 1e-3)
    private let runner: StepRunner

    /// - Parameter model: takes images of 28×28 pixels as numbers from 0 to 1, and gives logits.
    init(_ model: Sequential) throws {
        // The graph of a batch: its size is still open.
        let images = Tensor.input("images", [28, 28, 1], .uint8)
        let labels = Tensor.input("labels", [], .int32)
        let logits = try model(images.cast(to: .float32) / 255)
        let losses = try SparseCategoricalCrossentropy(fromLogits: true)(targets: labels, predictions: logits)
        let rightAnswers = try logits.argMax().equal(labels).cast(to: .float32).sum()
        let outputs = [try losses.sum(), rightAnswers]

        // Each is compiled once for every batch size that comes: the last batch is smaller.
        let updates = try optimizer.updates(
            for: model.trainableParameters.map(\.parameter), minimizing: losses.mean())
        training = Step(outputs: outputs, updates: updates, mode: .training)
        check = Step(outputs: outputs, mode: .inference)
        runner = try StepRunner()
    }

    /// Trains with all batches, then measures the validation's.
    func epoch(
        _ number: Int, _ batches: Dataset<Examples>, validation: Dataset<Examples>
    ) async throws -> History.Epoch {
        let start = ContinuousClock.now
        var sums = Sums()
        var step = UInt64((number - 1) * (batches.count ?? 0))
        for try await batch in try batches.loaded(epoch: number - 1) {
            let results = try await runner.run(
                training,
                [
                    "images": batch.inputs[0], "labels": batch.targets[0],
                    "learning_rate": TensorValue(Float(optimizer.learningRate)),
                ], number: step, seed: 1)
            try await sums.add(results, examples: batch.count)
            step += 1
        }
        let validated = try await self.sums(over: validation)
        return History.Epoch(
            number: number, loss: sums.loss, metrics: ["accuracy": sums.accuracy],
            validationLoss: validated.loss, validationMetrics: ["accuracy": validated.accuracy],
            seconds: (ContinuousClock.now - start) / .seconds(1))
    }

    /// Loss and accuracy of a model that stays as it is.
    func sums(over batches: Dataset<Examples>) async throws -> Sums {
        var sums = Sums()
        for try await batch in try batches.loaded() {
            let results = try await runner.run(
                check, ["images": batch.inputs[0], "labels": batch.targets[0]])
            try await sums.add(results, examples: batch.count)
        }
        return sums
    }

    /// Loss and right answers, summed over batches.
    struct Sums {
        private var total = (loss: 0.0, right: 0.0, examples: 0.0)
        var loss: Double { total.loss / total.examples }
        var accuracy: Double { total.right / total.examples }

        fileprivate mutating func add(_ results: [RunOutput], examples: Int) async throws {
            total.loss += try await results[0].value().doubles[0]
            total.right += try await results[1].value().doubles[0]
            total.examples += Double(examples)
        }
    }
}
