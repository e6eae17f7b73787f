import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaRuntime
import Testing

@testable import FoveaTraining

/// Pictures of 6×5 pixels, as bytes: class 0 has a bright row, class 1 a bright column, on noise.
func bars(_ count: Int, seed: UInt64 = 1) throws -> Examples {
    var generator = PhiloxGenerator(seed: seed, stream: 7, step: 0)
    var pixels: [UInt8] = []
    var labels: [Int32] = []
    for _ in 0..<count {
        let label = generator.index(below: 2)
        let place = generator.index(below: label == 0 ? 6 : 5)
        for row in 0..<6 {
            for column in 0..<5 {
                let isBright = (label == 0 ? row : column) == place
                pixels.append(UInt8((isBright ? 180 : 0) + generator.index(below: 60)))
            }
        }
        labels.append(Int32(label))
    }
    return try Examples(
        inputs: TensorValue(shape: [count, 6, 5, 1], storage: .uint8(pixels)), targets: TensorValue(labels))
}

func smallNetwork(dropout: Double = 0, seed: UInt64 = 0) throws -> Sequential {
    try Sequential(name: "small", input: [6, 5, 1], seed: seed) {
        Conv2D(filters: 4, kernelSize: [3, 2], activation: .relu)
        Flatten()
        if dropout > 0 { Dropout(rate: dropout) }
        Dense(units: 2, activation: .softmax)
    }
}

func smallTrainer(
    _ optimizer: any Optimizer = .adam(learningRate: 0.02), dropout: Double = 0,
    on backend: any Backend = ReferenceBackend()
) throws -> Trainer {
    try smallNetwork(dropout: dropout).compile(
        optimizer: optimizer, loss: .sparseCategoricalCrossentropy(), metrics: [.accuracy],
        device: Device(backend))
}

func weights(_ trainer: Trainer) async throws -> [TensorValue] {
    try await values(of: trainer.trained.compactMap(\.variable) + trainer.optimizerState.variables)
}

struct TrainerTests {
    @Test func learnsToTellRowsFromColumns() async throws {
        let trainer = try smallTrainer()
        let history = try await trainer.fit(
            bars(60), epochs: 12, batchSize: 8, validation: bars(20, seed: 9), verbosity: .silent)
        #expect(history.epochs.map(\.number) == Array(1...12))
        #expect(!history.wasInterrupted)
        let (first, last) = (history.epochs[0], history.epochs[11])
        #expect(last.loss < first.loss / 2)
        #expect(try #require(last.metrics["accuracy"]) > 0.95)
        #expect(try #require(last.validationMetrics["accuracy"]) > 0.85)

        let test = try bars(20, seed: 9)
        let result = try await trainer.evaluate(test, batchSize: 7)
        #expect(abs(result.loss - (last.validationLoss ?? 0)) < 1e-6)
        #expect(result.metrics == last.validationMetrics)
        let predictions = try await trainer.predict(inputs: test.inputs[0], batchSize: 6)
        #expect(predictions.shape == [20, 2])
        let right = (0..<20).filter {
            (predictions.floats[2 * $0 + 1] > predictions.floats[2 * $0])
                == (test.targets[0].integers[$0] == 1)
        }
        #expect(Double(right.count) / 20 == result.metrics["accuracy"])
    }

    @Test func binaryAndRegressionLossesLearnToo() async throws {
        var generator = PhiloxGenerator(seed: 3, stream: 0, step: 0)
        let points = (0..<80).map { _ in Float(generator.uniform() * 2 - 1) }
        let inputs = try TensorValue(shape: [40, 2], points)
        let sides = (0..<40).map { Int32(points[2 * $0] > points[2 * $0 + 1] ? 1 : 0) }
        let model = try Sequential(input: [2]) { Dense(units: 1, activation: .sigmoid) }
        let trainer = try model.compile(
            optimizer: .rmsprop(learningRate: 0.1), loss: .binaryCrossentropy(), metrics: [.accuracy],
            device: .reference)
        let history = try await trainer.fit(
            Examples(inputs: inputs, targets: TensorValue(sides)), epochs: 20, batchSize: 16,
            verbosity: .silent)
        #expect(try #require(history.epochs.last?.metrics["accuracy"]) > 0.9)

        let line = try Sequential(input: [2]) { Dense(units: 1) }
        let heights = (0..<40).map { index -> Float in
            let (x, y) = (points[2 * index], points[2 * index + 1])
            return 3 * x - y + 0.5
        }
        let fitter = try line.compile(
            optimizer: .sgd(learningRate: 0.1, momentum: 0.9), loss: .meanSquaredError,
            device: .reference)
        _ = try await fitter.fit(
            Examples(inputs: inputs, targets: TensorValue(heights)), epochs: 60, batchSize: 16,
            verbosity: .silent)
        let found = try await values(of: fitter.trained.compactMap(\.variable))
        expectClose(found[0].floats, [3, -1], 0.01)
        expectClose(found[1].floats, [0.5], 0.01)
    }

    // MARK: Reproducibility

    @Test func theSameSeedGivesTheSameBits() async throws {
        func trained(seed: UInt64) async throws -> ([TensorValue], History) {
            let trainer = try smallTrainer(dropout: 0.5)
            let history = try await trainer.fit(
                bars(13), epochs: 2, batchSize: 4, seed: seed, verbosity: .silent)
            return (try await weights(trainer), history)
        }
        let (first, again, other) = (
            try await trained(seed: 5), try await trained(seed: 5), try await trained(seed: 6)
        )
        #expect(first.0 == again.0)
        #expect(first.1.epochs.map(\.loss) == again.1.epochs.map(\.loss))
        #expect(first.0 != other.0)
    }

    /// With one batch per epoch and dropout, only the step number can tell the epochs apart.
    @Test(arguments: [4, 13]) func trainingInPartsIsTrainingAtOnce(batchSize: Int) async throws {
        let data = try bars(13)
        let atOnce = try smallTrainer(dropout: 0.5)
        let history = try await atOnce.fit(data, epochs: 4, batchSize: batchSize, verbosity: .silent)
        let inParts = try smallTrainer(dropout: 0.5)
        _ = try await inParts.fit(data, epochs: 1, batchSize: batchSize, verbosity: .silent)
        let rest = try await inParts.fit(
            data, epochs: 4, batchSize: batchSize, initialEpoch: 1, verbosity: .silent)
        #expect(rest.epochs.map(\.number) == [2, 3, 4])
        #expect(rest.epochs.map(\.loss) == history.epochs.dropFirst().map(\.loss))
        #expect(try await weights(atOnce) == weights(inParts))
    }

    @Test func dropoutChangesFromStepToStep() async throws {
        let trainer = try smallTrainer(.sgd(learningRate: 0), dropout: 0.5)
        let history = try await trainer.fit(
            bars(8), epochs: 2, batchSize: 8, shuffle: false, verbosity: .silent)
        #expect(history.epochs[0].loss != history.epochs[1].loss)
    }

    @Test func shufflingChangesTheOrderOfTraining() async throws {
        func trained(shuffle: Bool) async throws -> [TensorValue] {
            let trainer = try smallTrainer()
            _ = try await trainer.fit(bars(12), epochs: 1, batchSize: 3, shuffle: shuffle, verbosity: .silent)
            return try await weights(trainer)
        }
        #expect(try await trained(shuffle: true) != trained(shuffle: false))
    }

    @Test func everyEpochHasAnotherOrder() async throws {
        // Without dropout, nothing but the order of the examples tells two epochs apart.
        func trained(inEpoch epoch: Int) async throws -> [TensorValue] {
            let trainer = try smallTrainer()
            _ = try await trainer.fit(
                bars(12), epochs: epoch + 1, batchSize: 3, initialEpoch: epoch, verbosity: .silent)
            return try await weights(trainer)
        }
        #expect(try await trained(inEpoch: 0) != trained(inEpoch: 1))
    }

    // MARK: What is counted

    @Test func aSmallerLastBatchWeighsLess() async throws {
        let data = try bars(7)
        // Nothing is learned, so every batch size must report the same means.
        let trainer = try smallTrainer(.sgd(learningRate: 0))
        let whole = try await trainer.evaluate(data, batchSize: 100)
        for batchSize in [1, 2, 3, 5, 7] {
            let history = try await trainer.fit(data, batchSize: batchSize, verbosity: .silent)
            #expect(abs(history.epochs[0].loss - whole.loss) < 1e-6)
            #expect(history.epochs[0].metrics == whole.metrics)
            let parts = try await trainer.evaluate(data, batchSize: batchSize)
            #expect(abs(parts.loss - whole.loss) < 1e-6)
            #expect(parts.metrics == whole.metrics)
        }
    }

    @Test func validationSplitTakesTheLastPart() async throws {
        let data = try bars(10)
        let split = try smallTrainer()
        let history = try await split.fit(
            data, epochs: 2, batchSize: 3, validationSplit: 0.3, verbosity: .silent)
        let separate = try smallTrainer()
        let same = try await separate.fit(
            data[0..<7], epochs: 2, batchSize: 3, validation: data[7..<10], verbosity: .silent)
        #expect(
            history.epochs.map(\.values).map { $0.map(\.value) }
                == same.epochs.map(\.values).map { $0.map(\.value) })
        #expect(history.epochs[0].validationLoss != nil)
        #expect(try await weights(split) == weights(separate))
    }

    @Test func bytesAreFractionsOf255() async throws {
        let data = try bars(5)
        let trainer = try smallTrainer()
        let floats = try TensorValue(shape: data.inputs[0].shape, data.inputs[0].floats.map { $0 / 255 })
        let fromBytes = try await trainer.predict(inputs: data.inputs[0])
        #expect(try await trainer.predict(inputs: floats) == fromBytes)
        // Both kinds of inputs continue one optimizer state.
        _ = try await trainer.fit(data, verbosity: .silent)
        _ = try await trainer.fit(Examples(inputs: floats, targets: data.targets[0]), verbosity: .silent)
        #expect(try await values(of: [trainer.optimizerState.iterations])[0].integers == [2])
    }

    @Test func frozenParametersStay() async throws {
        let model = try smallNetwork()
        let convolution = try #require(model.layers[0] as? Conv2D)
        convolution.kernel.isTrainable = false
        let kernel = try #require(convolution.kernel.variable)
        let before = try await values(of: [kernel])
        let trainer = try model.compile(
            optimizer: .adam(), loss: .sparseCategoricalCrossentropy(), device: .reference)
        #expect(trainer.trained.count == 3)
        _ = try await trainer.fit(bars(4), verbosity: .silent)
        #expect(try await values(of: [kernel]) == before)
    }

    @Test func progressOfATraining() async throws {
        let printed = Printed()
        let trainer = try smallTrainer()
        _ = try await trainer.fit(
            bars(10), epochs: 2, batchSize: 3, validationSplit: 0.3, verbosity: .lines,
            output: printed.output())
        let lines = printed.text.split(separator: "\n")
        #expect(lines.count == 4 && lines[0] == "Epoch 1/2" && lines[2] == "Epoch 2/2")
        let pattern =
            /3\/3 - \d+s - \d+[mu]?s\/step - accuracy: \d\.\d{4} - loss: \d\.\d{4} - val_accuracy: \d\.\d{4} - val_loss: \d\.\d{4}/
        #expect(lines[1].wholeMatch(of: pattern) != nil, "\(lines[1])")
        #expect(lines[3].wholeMatch(of: pattern) != nil)
    }

    // MARK: Without a trainer

    @Test func theParentsOfATrainerWorkAlone() async throws {
        let data = try bars(16)
        let model = try smallNetwork()
        let images = Tensor.input("images", [6, 5, 1], .uint8)
        let labels = Tensor.input("labels", .scalar, .int32)
        let loss = try SparseCategoricalCrossentropy()(
            targets: labels, predictions: model(images.cast(to: .float32) / 255)
        ).mean()
        let variables = model.trainableParameters.compactMap(\.parameter.variable)
        let gradients = try gradient(of: loss, withRespectTo: variables.map { Tensor($0) })
        let updates = try Adam().updates(for: variables, gradients: gradients)
        let losses = try await Compute.run {
            let step = try ReferenceBackend().compile(
                outputs: [loss], updates: updates, mode: .training, batch: 16)
            return try (0..<5).map { index in
                try step.run(
                    [
                        "images": data.inputs[0], "labels": data.targets[0],
                        "learning_rate": TensorValue(0.02 as Float),
                    ],
                    step: UInt64(index), seed: 1)[0].scalar
            }
        }
        #expect(losses[4] < losses[0])
        let trainer = try smallTrainer()
        let history = try await trainer.fit(
            data, epochs: 5, batchSize: 16, shuffle: false, verbosity: .silent)
        expectClose(losses, history.epochs.map(\.loss), 1e-6)
    }
}
