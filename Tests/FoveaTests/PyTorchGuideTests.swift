import Fovea
import Testing

/// The code of `docs/from-pytorch.md`, on small data.
@Suite struct PyTorchGuideTests {
    let data: NamedDataset

    init() throws { data = try GuideData.shapes() }

    @Test func module() throws {
        // block
        final class Block: UnaryLayer {
            let name: String?
            let first = Conv2D(filters: 8, kernelSize: 3, padding: .same, useBias: false)
            let norm = BatchNormalization(momentum: 0.9, epsilon: 1e-5)
            let second = Conv2D(filters: 8, kernelSize: 3, padding: .same)
            var namedLayers: [(name: String, layer: any Layer)] {
                [("first", first), ("norm", norm), ("second", second)]
            }

            init(name: String? = nil) { self.name = name }

            func call(_ x: Tensor) throws(ShapeError) -> Tensor {
                try (x + second(norm(first(x)).relu())).relu()
            }
        }
        let model = try Sequential(input: [28, 28, 1], seed: 1) {
            ZeroPadding2D(padding: 1)
            Conv2D(filters: 8, kernelSize: 3, strides: 2, activation: .relu)
            Block()
            GlobalAveragePooling2D()
            Dense(units: 5)
        }
        // end
        #expect(try model.outputShape == [5])
        #expect(model.parameters.contains { $0.path == "block/first/kernel" })
    }

    @Test func trainingLoop() async throws {
        let model = try GuideData.model(fromLogits: true)
        var losses: [Float] = []
        // block
        let images = Tensor.input("images", [28, 28, 1], .uint8)
        let labels = Tensor.input("labels", [], .int32)
        let logits = try model(images.cast(to: .float32) / 255)
        let loss = try SparseCategoricalCrossentropy(fromLogits: true)(targets: labels, predictions: logits)
            .mean()
        let rightAnswers = try logits.argMax().equal(labels).cast(to: .float32).sum()

        let optimizer = SGD(learningRate: 0.05, momentum: 0.9)
        let updates = try optimizer.updates(
            for: model.trainableParameters.map(\.parameter), minimizing: loss, clipping: .globalNorm(1))
        let training = Step(outputs: [loss], updates: updates, mode: .training)
        let check = Step(outputs: [rightAnswers], mode: .inference)
        let runner = try StepRunner()

        let loader = try Dataset(data.train).shuffled(seed: 1).batched(16)
        var number: UInt64 = 0
        for epoch in 0..<2 {
            for try await batch in try loader.loaded(epoch: epoch) {
                let rate = TensorValue(Float(optimizer.learningRate))
                let results = try await runner.run(
                    training, ["images": batch.inputs[0], "labels": batch.targets[0], "learning_rate": rate],
                    number: number)
                losses.append(try await results[0].value().scalar)
                number += 1
            }
        }
        var right: Float = 0
        for try await batch in try Dataset(data.test).batched(16).loaded() {
            let results = try await runner.run(
                check, ["images": batch.inputs[0], "labels": batch.targets[0]])
            right += try await results[0].value().scalar
        }
        let accuracy = right / Float(data.test.count)
        // end
        #expect(losses.count == 6 && losses.allSatisfy(\.isFinite))
        #expect((0...1).contains(accuracy))
    }

    @Test func fit() async throws {
        let model = try GuideData.model(fromLogits: true)
        // block
        let steps = 2 * ((data.train.count + 15) / 16)
        let trainer = try model.compile(
            optimizer: .sgd(momentum: 0.9), loss: .sparseCategoricalCrossentropy(fromLogits: true),
            metrics: [.accuracy], schedule: .oneCycle(maximumLearningRate: 0.1, totalSteps: steps),
            clipping: .globalNorm(1))
        let history = try await trainer.fit(data.train, epochs: 2, batchSize: 16, verbosity: .silent)
        let accuracy = try await trainer.evaluate(data.test).accuracy
        // end
        #expect(history.epochs.count == 2)
        #expect((0...1).contains(accuracy ?? .nan))
    }

    @Test func pictures() async throws {
        try await GuideData.withFolder { folder in
            // block
            let pets = try Dataset(ImageFolder("\(folder)/pets"), size: 32).cached(byteLimit: 1 << 28)
            let (training, validation) = try pets.split(last: 0.25, seed: 1)
            let augmentation = try Augmentation(horizontalFlip: true, crop: .random(size: 32, padding: 4))
            let loader = try training.shuffled(seed: 1).augmented(augmentation, seed: 2).batched(4)
            let first = try loader.element(at: 0)
            let validationLoader = try validation.batched(4)
            // end
            #expect(first.inputs[0].shape == [4, 32, 32, 3])
            #expect(validationLoader.count == 1)
        }
    }

    @Test func fineTuning() throws {
        // block
        let base = try NamedNetwork.vgg16.model(input: [32, 32, 3], includeTop: false)
        try base.setTrainable(from: "block5_conv1")
        let model = try Sequential(input: [32, 32, 3]) {
            base
            Flatten()
            Dense(units: 256, activation: .relu)
            Dense(units: 10, activation: .softmax)
        }
        // end
        #expect(try model.outputShape == [10])
        #expect(model.trainableParameters.count == 10)
    }

    @Test func predicting() async throws {
        let model = try GuideData.model(fromLogits: true)
        // block
        let predictor = try Predictor(model, classNames: data.classNames, fromLogits: true)
        let answers = try await predictor.classes(of: data.test.images(0..<4), top: 2)
        let outputs = try await model.predict(data.test.inputs[0])
        // end
        #expect(answers.count == 4 && answers.allSatisfy { $0.count == 2 })
        #expect(outputs.shape == [data.test.count, 5])
    }

    @Test func files() async throws {
        try await GuideData.withFolder { folder in
            let model = try Sequential(input: [6, 6, 1]) {
                Conv2D(filters: 2, kernelSize: 3, name: "conv0")
                Flatten()
                Dense(units: 3, name: "dense1")
            }
            // block
            let mapping: WeightMapping = ["features.{n}": "conv{n}", "classifier.{n}": "dense{n}"]
            try await model.saveWeights(to: "\(folder)/weights.pt", mapping: mapping)
            let names = try PyTorchFile(contentsOf: "\(folder)/weights.pt").tensors.map(\.name)
            try await model.loadWeights(from: "\(folder)/weights.pt", mapping: mapping)
            // end
            #expect(
                names == ["features.0.weight", "features.0.bias", "classifier.1.weight", "classifier.1.bias"])
        }
    }
}
