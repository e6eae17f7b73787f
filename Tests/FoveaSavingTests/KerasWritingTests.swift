import Foundation
import FoveaDatasets
import FoveaFiles
import FoveaGraph
import FoveaLayers
import FoveaTraining
import TestSupport
import Testing

@testable import FoveaSaving

/// Files of Keras that Fovea writes, read again. `scripts/keras_exchange.py` lets Keras read them.
@Suite struct KerasWritingTests {
    /// Two inputs and outputs, a shared layer, models inside, frozen layers.
    private static func graph() throws -> Model {
        let left = LayerOutput.input("left", [6, 5, 4])
        let right = LayerOutput.input("right", [6, 5, 4])
        let inner = LayerOutput.input("inner", [6, 5, 4])
        let norm = BatchNormalization(name: "norm")
        let base = try Model(
            inputs: [inner],
            outputs: [
                Add()([
                    norm(Conv2D(filters: 4, kernelSize: 3, padding: .same, name: "first")(inner)), inner,
                ])
            ],
            name: "base", seed: 3)
        norm.isTrainable = false
        let shared = Conv2D(filters: 4, kernelSize: 1, name: "shared")
        let tail = Sequential(name: "tail") {
            GlobalMaxPooling2D()
            Dense(units: 5, activation: .relu)
        }
        let features = tail(Concatenate()([base(shared(left)), shared(right)]))
        return try Model(
            inputs: [left, right],
            outputs: [
                Dense(units: 3, activation: .softmax, name: "kind")(features),
                Dense(units: 2, name: "size")(PReLU(alphaInitializer: .constant(0.25))(features)),
            ], name: "graph", seed: 1)
    }

    @Test(arguments: ["model.keras", "model.h5"]) func graphsComeBack(name: String) async throws {
        let model = try Self.graph()
        let training = TrainingConfiguration(
            optimizer: .rmsprop(momentum: 0.5),
            outputs: [
                "kind": OutputTraining(
                    loss: .sparseCategoricalCrossentropy(),
                    metrics: [.accuracy, .topKCategoricalAccuracy(k: 2)]),
                "size": OutputTraining(loss: .huber(delta: 2), weight: 0.5, metrics: [.meanAbsoluteError]),
            ], clipping: .globalNorm(1))
        let outputs = try await KerasGolden.outputs(of: model)
        try await inTemporaryFolder { folder in
            let path = "\(folder)/\(name)"
            let saved = SavedModel(model, training: training, classNames: ["a", "b", "ç"])
            #expect(try await saved.write(to: path).isEmpty)
            let bytes = try AtomicFile.read(path)
            try await saved.write(to: path)
            #expect(try AtomicFile.read(path) == bytes)

            let read = try await SavedModel(contentsOf: path)
            #expect(read.warnings == [])
            #expect(read.classNames == ["a", "b", "ç"])
            #expect(read.training?.outputs == training.outputs)
            #expect(read.training?.clipping == training.clipping)
            #expect(read.training?.optimizer as? RMSprop == training.optimizer as? RMSprop)
            let norm = try #require(read.model.layer(at: ["base", "norm"]))
            #expect(!norm.isTrainable)
            #expect(try await KerasGolden.outputs(of: read.model) == outputs)
        }
    }

    /// The older optimizers that Keras 2 makes for `.h5` files refuse what they do not have; schedules have a module for Keras 3.
    @Test(arguments: ["model.keras", "model.h5"], [true, false])
    func laterSettingsOfOptimizers(name: String, isSGD: Bool) async throws {
        let model = try Sequential(input: [4]) { Dense(units: 3, activation: .softmax, name: "kind") }
        let schedule = LearningRateSchedule.cosineDecay(initialLearningRate: 0.1, decaySteps: 20)
        let optimizer: any FoveaTraining.Optimizer =
            isSGD ? SGD(learningRate: 0.1, momentum: 0.9, weightDecay: 0.2) : AdamW(weightDecay: 0.2)
        let training = TrainingConfiguration(
            optimizer: optimizer, outputs: ["kind": OutputTraining(loss: .sparseCategoricalCrossentropy())],
            schedule: schedule)
        let isLost = isSGD && name.hasSuffix(".h5")
        try await inTemporaryFolder { folder in
            let path = "\(folder)/\(name)"
            let lost = try await SavedModel(model, training: training).write(to: path)
            #expect(lost.count == (isLost ? 1 : 0), "\(lost)")
            let text = String(decoding: try AtomicFile.read(path), as: UTF8.self)
            #expect(text.contains("keras.optimizers.schedules"))
            let read = try #require(await SavedModel(contentsOf: path).training)
            #expect(read.schedule == schedule)
            let decay = (read.optimizer as? SGD)?.weightDecay ?? (read.optimizer as? AdamW)?.weightDecay
            #expect(decay == (isLost ? nil : 0.2))
        }
    }

    /// What the optimizer remembers is kept, for each optimizer.
    @Test(arguments: builtInOptimizers.map { $0.name }) func optimizersComeBack(name: String) async throws {
        let type = try #require(builtInOptimizers.first { $0.name == name })
        let model = try Sequential(input: [6, 6, 2]) {
            Conv2D(filters: 3, kernelSize: 3)
            Flatten()
            Dense(units: 3)
        }
        try await inTemporaryFolder { folder in
            let path = folder + "/model.keras"
            let (own, read) = try await Compute.run {
                let trainer = try model.compile(
                    optimizer: type.init(), loss: .sparseCategoricalCrossentropy(fromLogits: true),
                    accumulation: 2, weightAveraging: WeightAveraging())
                let examples = try Examples(
                    inputs: KerasGolden.numbers([6, 6, 6, 2], seed: 1),
                    targets: TensorValue([0, 1, 2, 2, 1, 0] as [Int32]))
                _ = try trainer.fit(examples, batchSize: 2, verbosity: .silent)
                trainer.learningRate = 0.125
                let saved = try SavedModel(trainer)
                #expect(try saved.write(to: path).isEmpty)
                let read = try SavedModel(contentsOf: path)
                #expect(try read.compile().learningRate == 0.125)
                return (try #require(saved.optimizerMemory), try #require(read.optimizerMemory))
            }
            #expect(own.iterations == 1 && own.accumulatedRuns == 1)
            #expect((own.iterations, own.accumulatedRuns) == (read.iterations, read.accumulatedRuns))
            #expect(own.scalars == read.scalars)
            #expect(own.slots == read.slots)
        }
    }

    /// The settings of every kind of layer, in both dialects.
    @Test func settingsOfEveryKind() throws {
        let layers: [any Layer] = [
            Activation(.tanh), ActivityRegularization(l1: 0.5), AdaptiveAveragePooling1D(outputSize: 3),
            AdaptiveAveragePooling2D(outputSize: [3, 2]), AdaptiveMaxPooling1D(outputSize: 3),
            AdaptiveMaxPooling2D(outputSize: 2), Add(), AlphaDropout(rate: 0.25), Average(),
            AveragePooling1D(poolSize: 3, strides: 2), AveragePooling2D(padding: .same),
            BatchNormalization(axis: 1, momentum: 0.5, epsilon: 0.01, scale: false),
            CenterCrop(height: 3, width: 2),
            Concatenate(axis: 1), Conv1D(filters: 3, kernelSize: 3, padding: .causal, dilationRate: 2),
            Conv1DTranspose(filters: 3, kernelSize: 3, strides: 2, outputPadding: 1),
            Conv2D(
                filters: 4, kernelSize: [3, 2], strides: [1, 2], dataFormat: .channelsFirst, groups: 2,
                activation: .swish, useBias: false, kernelInitializer: .varianceScaling(scale: 2),
                kernelRegularizer: .l1(0.5), activityRegularizer: .l2(0.25),
                kernelConstraint: .maxNorm(3, axes: [0, 1, 2])),
            Conv2DTranspose(filters: 3, kernelSize: 3, strides: 2, outputPadding: [1, 0]),
            Cropping1D(cropping: (start: 1, end: 2)),
            Cropping2D(cropping: ((top: 1, bottom: 2), (left: 3, right: 4))), Dense(units: 3),
            DepthwiseConv1D(kernelSize: 3, depthMultiplier: 2), DepthwiseConv2D(kernelSize: 3), Dot(axes: 1),
            Dropout(rate: 0.25), ELU(alpha: 0.5), Flatten(), GaussianDropout(rate: 0.25),
            GaussianNoise(stddev: 0.5), GlobalAveragePooling1D(keepDims: true), GlobalAveragePooling2D(),
            GlobalMaxPooling1D(), GlobalMaxPooling2D(dataFormat: .channelsFirst),
            GroupNormalization(groups: 2),
            Identity(), LayerNormalization(axes: [1, 2]), LeakyReLU(negativeSlope: 0.125), MaxPooling1D(),
            MaxPooling2D(poolSize: [3, 2], strides: 1), Maximum(), Minimum(), Multiply(),
            Normalization(mean: [1, 2], variance: [3, 4]), PReLU(sharedAxes: [1, 2]), Permute(dims: [2, 1]),
            RMSNormalization(), RandomBrightness(factor: 0.25), RandomContrast(factor: 0.25),
            RandomCrop(height: 3, width: 3), RandomErasing(), RandomFlip(mode: .horizontal),
            RandomHue(factor: 0...0.5),
            RandomRotation(factor: 0.25), RandomSaturation(factor: 0.25...0.5), RandomShear(xFactor: 0.25),
            RandomTranslation(heightFactor: 0.25, widthFactor: [-0.5, 0.25]), RandomZoom(heightFactor: 0.25),
            ReLU(maxValue: 6, negativeSlope: 0.25, threshold: 0.5), RepeatVector(n: 3),
            Rescaling(scale: 0.5, offset: -1), Reshape(targetShape: [-1, 3]), Resizing(height: 4, width: 3),
            SeparableConv1D(filters: 3, kernelSize: 3),
            SeparableConv2D(filters: 3, kernelSize: 3, depthMultiplier: 2),
            Softmax(axis: 1), SpatialDropout1D(rate: 0.25), SpatialDropout2D(rate: 0.25), Subtract(),
            UnitNormalization(), UpSampling1D(size: 3), UpSampling2D(size: [3, 2], interpolation: .bilinear),
            ZeroPadding1D(padding: (start: 1, end: 2)),
            ZeroPadding2D(padding: ((top: 1, bottom: 2), (left: 3, right: 4))),
        ]
        let names = layers.map { type(of: $0).typeName }
        #expect(Set(names) == Set(kerasLayerKinds.keys))
        for (name, layer) in zip(names, layers) {
            let kind = try #require(kerasLayerKinds[name])
            for dialect in [KerasDialect.keras3, .legacy] {
                let own = try layer.configuration
                let keras = try kind.keras(own, dialect: dialect)
                let read = try kind.fovea(keras) { Issue.record("\(name): \($0)") }
                #expect(read == own, "\(name)")
            }
        }
        // What no file of Keras can hold is known to be so.
        let lacking = Set(builtInLayers.map { $0.typeName }).subtracting(names)
        #expect(lacking == ["LocalResponseNormalization", "Model", "Sequential"])
    }

    @Test func layersThatKerasLacks() async throws {
        let model = try Sequential(name: "outer", input: [4, 4, 3]) {
            Sequential(name: "part") { LocalResponseNormalization(name: "lrn") }
            Activation(.geluTanh, name: "act")
        }
        try await inTemporaryFolder { folder in
            for name in ["model.keras", "model.h5"] {
                let error = await #expect(throws: ModelFileError.self) {
                    try await SavedModel(model).write(to: "\(folder)/\(name)")
                }
                #expect(
                    error?.description.contains("outer/part/lrn: LocalResponseNormalization: Keras has no")
                        == true)
            }
            let isEmpty = try folderIsEmpty(folder)
            #expect(isEmpty)
        }
    }

    /// Keras 2 and Keras 3 number the calls of models otherwise.
    @Test func modelsInsideThatAreCalledTwice() async throws {
        let inner = LayerOutput.input("inner", [4])
        let base = try Model(inputs: [inner], outputs: [Dense(units: 4)(inner)], name: "base")
        let input = LayerOutput.input("input", [4])
        let model = try Model(inputs: [input], outputs: [base(base(input))])
        let outputs = try await KerasGolden.outputs(of: model)
        try await inTemporaryFolder { folder in
            let error = await #expect(throws: ModelFileError.self) {
                try await SavedModel(model).write(to: folder + "/model.h5")
            }
            #expect(error?.description.contains("write .keras") == true)
            try await SavedModel(model).write(to: folder + "/model.keras")
            let read = try await SavedModel(contentsOf: folder + "/model.keras")
            #expect(try await KerasGolden.outputs(of: read.model) == outputs)
        }
    }

    /// What Keras insists on: rates that are no integers.
    @Test func numbersKeepTheirKind() throws {
        let values: Configuration = [
            "rate": .number(1), "count": .integer(1), "small": .number(1e-7), "text": .string("a\"/é\n"),
            "list": [.null, true, []],
        ]
        let json = try values.json
        #expect(
            String(decoding: json, as: UTF8.self)
                == #"{"count": 1, "list": [null, true, []], "rate": 1.0, "small": 1e-07, "text": "a\"/é\n"}"#)
        #expect(try Configuration(json: json, what: "text", file: "a") != [:])
        var writer = KerasCompileWriter(.keras3)
        let training = TrainingConfiguration(optimizer: .adadelta(learningRate: 1), loss: .huber())
        let config = try writer.config(training, outputs: [("dense", 3)])
        let optimizer = config?["optimizer"]?.members?["config"]
        #expect(optimizer == .object(["learning_rate": .number(1)]))
    }

    // MARK: Weights

    private static func classifier(_ classes: Int, seed: UInt64, last: String = "classes") throws
        -> Sequential
    {
        try Sequential(input: [5, 5, 2], seed: seed) {
            Conv2D(filters: 3, kernelSize: 3, name: "features")
            BatchNormalization(name: "norm")
            Flatten()
            Dense(units: classes, name: last)
        }
    }

    @Test(arguments: ["a.weights.h5", "a.safetensors"]) func weightsByName(name: String) async throws {
        try await inTemporaryFolder { folder in
            let path = "\(folder)/\(name)"
            let model = try Self.classifier(3, seed: 1)
            try await model.saveWeights(to: path)
            let same = try Self.classifier(3, seed: 2)
            #expect(try await same.loadWeights(from: path) == [])
            #expect(try await KerasGolden.outputs(of: same) == KerasGolden.outputs(of: model))

            let other = try Self.classifier(4, seed: 2)
            let before = try await values(of: other)
            let error = await #expect(throws: ModelFileError.self) { try await other.loadWeights(from: path) }
            #expect(error?.description.contains("classes/kernel") == true)
            #expect(try await values(of: other) == before)
            let kept = try await other.loadWeights(from: path, skipMismatch: true)
            #expect(kept == ["classes/kernel", "classes/bias"])
            #expect(try await values(of: other).prefix(6) == values(of: model).prefix(6))

            let renamed = try Self.classifier(3, seed: 2, last: "mine")
            let left = try await renamed.loadWeights(from: path, byName: true)
            #expect(left == ["mine/kernel", "mine/bias"])
        }
    }

    /// Everything that does not fit is said at once.
    @Test func differencesAreListed() async throws {
        let model = try Sequential(input: [9, 8, 3]) {
            Conv2D(filters: 6, kernelSize: 3, padding: .same)
            BatchNormalization()
            GlobalAveragePooling2D()
            Dense(units: 3)
        }
        let path = try KerasGolden.path("sequential3.weights.h5")
        let error = await #expect(throws: ModelFileError.self) { try await model.loadWeights(from: path) }
        let text = error?.description ?? ""
        for part in [
            "'conv2d/kernel' is [3, 3, 3, 5] in the file, [3, 3, 3, 6] in the model",
            "'batch_normalization/gamma'",
            "\"conv2d_transpose\"", "byName: true",
        ] { #expect(text.contains(part), "\(text)") }
    }
}

private func folderIsEmpty(_ folder: String) throws -> Bool {
    try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty
}
