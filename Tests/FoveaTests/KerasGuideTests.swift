import Fovea
import Testing

/// The code of `docs/from-keras.md`, on small data.
@Suite struct KerasGuideTests {
    let data: NamedDataset

    init() throws { data = try GuideData.shapes() }

    /// Called by the test of the predictor, which reads the file.
    private func wholeProgram(_ folder: String) async throws {
        // block
        let model = try Sequential(name: "first", input: [28, 28, 1], seed: 1) {
            Conv2D(filters: 8, kernelSize: 3, activation: .relu)
            MaxPooling2D()
            Flatten()
            Dropout(rate: 0.5)
            Dense(units: 5, activation: .softmax)
        }
        let trainer = try model.compile(
            optimizer: .adam(learningRate: 1e-3), loss: .sparseCategoricalCrossentropy(), metrics: [.accuracy]
        )
        let history = try await trainer.fit(
            data.train, epochs: 2, batchSize: 16, validationSplit: 0.1, verbosity: .silent)
        let validationLosses = history["val_loss"]
        let accuracy = try await trainer.evaluate(data.test).accuracy
        let probabilities = try await trainer.predict(inputs: data.test.inputs[0])
        try await SavedModel(model, classNames: data.classNames).write(to: "\(folder)/first.safetensors")
        // end
        #expect(validationLosses.count == 2 && validationLosses.allSatisfy(\.isFinite))
        #expect((0...1).contains(accuracy ?? .nan))
        #expect(probabilities.shape == [data.test.count, 5])
    }

    @Test func pictures() async throws {
        try await GuideData.withFolder { folder in
            let model = try Sequential(input: [24, 24, 3]) {
                Flatten()
                Dense(units: 1, activation: .sigmoid)
            }
            let trainer = try model.compile(optimizer: .sgd(), loss: .binaryCrossentropy())
            // block
            let pets = try ImageFolder("\(folder)/pets")
            let (training, validation) = try pets.split(validation: 0.25, seed: 1)
            let augmentation = try Augmentation(rotationRange: 40, widthShiftRange: 0.2, horizontalFlip: true)
            let batches = try Dataset(training, size: 24, classMode: .binary)
                .cached(byteLimit: 1 << 30).shuffled(seed: 1).augmented(augmentation, seed: 1).batched(20)
            let history = try await trainer.fit(
                batches, epochs: 2, validation: Dataset(validation, size: 24, classMode: .binary).batched(20),
                verbosity: .silent)
            // end
            #expect(history.epochs.count == 2 && history.epochs[1].validationLoss != nil)
            #expect(training.items.count == 6)
        }
    }

    @Test func stacking() throws {
        // block
        let small = try Sequential(input: [28, 28, 1]) {
            Flatten()
            Dense(units: 10, activation: .relu)
        }
        let longer = try Sequential(input: small.inputShape) {
            small.layers
            Dense(units: 5, activation: .softmax)
        }
        // end
        #expect(try longer.outputShape == [5])
        #expect(longer.layers[0] === small.layers[0])
    }

    @Test func graph() throws {
        // block
        let images = LayerOutput.input("images", [32, 32, 3])
        let x = Conv2D(filters: 8, kernelSize: 3, padding: .same, activation: .relu)(images)
        let y = BatchNormalization()(Conv2D(filters: 8, kernelSize: 3, padding: .same)(x))
        let pooled = GlobalAveragePooling2D()(ReLU()(Add()([x, y])))
        let classes = Dense(units: 10, activation: .softmax, name: "class")(pooled)
        let box = Dense(units: 4, activation: .sigmoid, name: "box")(pooled)
        let model = try Model(inputs: [images], outputs: [classes, box])
        let trainer = try model.compile(
            TrainingConfiguration(
                optimizer: .adam(),
                outputs: [
                    "class": OutputTraining(loss: .sparseCategoricalCrossentropy(), metrics: [.accuracy]),
                    "box": OutputTraining(loss: .huber(), weight: 0.5),
                ]))
        // end
        #expect(trainer.configuration.outputs["box"]?.weight == 0.5)
        #expect(model.namedOutputs.map(\.shape) == [[10], [4]])
    }

    @Test func layer() throws {
        // block
        final class ResidualBlock: UnaryLayer {
            let name: String?
            let first = Conv2D(filters: 8, kernelSize: 3, padding: .same, activation: .relu)
            let second = Conv2D(filters: 8, kernelSize: 3, padding: .same)
            var namedLayers: [(name: String, layer: any Layer)] { [("first", first), ("second", second)] }

            init(name: String? = nil) { self.name = name }

            func call(_ x: Tensor) throws(ShapeError) -> Tensor { try (x + second(first(x))).relu() }
        }
        let model = try Model(ResidualBlock(), input: [32, 32, 8])
        // end
        #expect(try model.outputShape == [32, 32, 8])
        #expect(model.parameters.count == 4)
    }

    @Test func loss() async throws {
        let model = try GuideData.model()
        // block
        struct QuarticError: Loss {
            static let name = "quartic_error"
            func callAsFunction(targets: Tensor, predictions: Tensor) throws -> Tensor {
                let error = try predictions - targets.aligned(with: predictions, for: name)
                return try (error * error * error * error).meanPerExample()
            }
        }
        let trainer = try model.compile(
            optimizer: .adam(), loss: QuarticError(), metrics: [.meanAbsoluteError])
        // end
        let result = try await trainer.evaluate(data.test.oneHot(classCount: 5))
        #expect(result.loss > 0 && result.metrics["mean_absolute_error"] != nil)
    }

    @Test func wholeProgramAndPredictor() async throws {
        try await GuideData.withFolder { folder in
            try await wholeProgram(folder)
            // block
            let predictor = try await Predictor(contentsOf: "\(folder)/first.safetensors")
            let answers = try await predictor.classes(ofPictureAt: "\(folder)/picture.png", top: 3)
            let best = answers.first?.name
            // end
            #expect(answers.count == 3)
            #expect(data.classNames.contains(best ?? ""))
        }
    }

    @Test func filesOfKeras() async throws {
        try await GuideData.withFolder { folder in
            let model = try GuideData.model()
            let trainer = try model.compile(optimizer: .adam(), loss: .sparseCategoricalCrossentropy())
            _ = try await trainer.fit(data.train, epochs: 1, verbosity: .silent)
            let other = try Sequential(input: [28, 28, 1]) {
                model.layers.dropLast()
                Dense(units: 3, name: "other")
            }
            // block
            try await SavedModel(trainer, classNames: data.classNames).write(to: "\(folder)/model.keras")
            let saved = try await SavedModel(contentsOf: "\(folder)/model.keras")
            for warning in saved.warnings { print(warning) }
            let goesOn = try await saved.compile()
            let history = try await goesOn.fit(data.train, epochs: 2, initialEpoch: 1, verbosity: .silent)
            try await saved.model.saveWeights(to: "\(folder)/model.weights.h5")
            let kept = try await other.loadWeights(
                from: "\(folder)/model.weights.h5", byName: true, skipMismatch: true)
            // end
            #expect(saved.warnings.isEmpty && saved.classNames == data.classNames)
            #expect(saved.optimizerMemory != nil && history.epochs.count == 1)
            #expect(kept == ["other/kernel", "other/bias"])
        }
    }

    @Test func step() async throws {
        let model = try GuideData.model()
        var losses: [Float] = []
        // block
        let images = Tensor.input("images", [28, 28, 1], .uint8)
        let labels = Tensor.input("labels", [], .int32)
        let probabilities = try model(images.cast(to: .float32) / 255)
        let loss = try SparseCategoricalCrossentropy()(targets: labels, predictions: probabilities).mean()
        let optimizer = Adam(learningRate: 1e-3)
        let step = Step(
            outputs: [loss],
            updates: try optimizer.updates(
                for: model.trainableParameters.map(\.parameter), minimizing: loss, clipping: .globalNorm(1)),
            mode: .training)
        let runner = try StepRunner()
        var number: UInt64 = 0
        for try await batch in try Dataset(data.train).shuffled(seed: 1).batched(16).loaded(epoch: 0) {
            let results = try await runner.run(
                step,
                [
                    "images": batch.inputs[0], "labels": batch.targets[0],
                    "learning_rate": TensorValue(Float(optimizer.learningRate)),
                ], number: number)
            losses.append(try await results[0].value().scalar)
            number += 1
        }
        // end
        #expect(number == 3 && losses.count == 3 && losses.allSatisfy(\.isFinite))
    }
}
