import Foundation
import FoveaFiles
import FoveaGraph
import FoveaLayers
import FoveaTraining
import TestSupport
import Testing

@testable import FoveaSaving

/// Models that come back from their files as they were.
@Suite struct SavedModelTests {
    private let configuration = TrainingConfiguration(
        optimizer: .adam(learningRate: 0.003), output: "dense_1", loss: .sparseCategoricalCrossentropy(),
        metrics: [.accuracy])

    private func expectEqualValues(
        _ model: any ModelProtocol, _ other: any ModelProtocol,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let expected = try await values(of: other)
        #expect(try await values(of: model) == expected, sourceLocation: sourceLocation)
    }

    /// `model.safetensors` was written by `fovea train shapes --epochs 1`, with `--network` the architecture of single-conv but
    /// for its numbers of filters and units. Files of its format are read by every later version, too.
    @Test func writtenEarlier() async throws {
        let url = try #require(Bundle.module.url(forResource: "Fixtures/model", withExtension: "safetensors"))
        let saved = try await SavedModel(contentsOf: url)
        #expect(saved.model.parameters.map(\.path).first == "conv2d/kernel")
        #expect(try saved.model.inputShape == [28, 28, 1] && saved.model.outputShape == [5])
        #expect(saved.classNames == ["circle", "square", "triangle", "cross", "star"])
        #expect(saved.training?.onlyOutput?.loss is SparseCategoricalCrossentropy)
        #expect(try await saved.model.parametersNotFinite().isEmpty)
    }

    /// Extents that are open stay so, in files of Keras's, too, or are what is asked for.
    @Test(arguments: ["m.safetensors", "m.keras", "m.h5"]) func openExtents(name: String) async throws {
        try await inTemporaryFolder { folder in
            let images = LayerOutput.input("images", [nil, nil, 3])
            let maps = Conv2D(filters: 4, kernelSize: 3, activation: .relu, name: "maps")(images)
            let graph = try Model(
                inputs: [images],
                outputs: [Dense(units: 2, name: "out")(GlobalAveragePooling2D(name: "mean")(maps))])
            let stack = try Sequential(input: [nil, 9, 3]) {
                Conv2D(filters: 4, kernelSize: 3)
                GlobalMaxPooling2D()
            }
            for model in [graph, stack] as [any ModelProtocol] {
                let file = "\(folder)/\(name)"
                try await SavedModel(model).write(to: file)
                let read = try await SavedModel(contentsOf: file).model
                #expect(try read.inputShape == model.inputShape)
                #expect(read.calls.map(\.outputShapes) == model.calls.map(\.outputShapes))
                let size: Shape = [12, 9, 3]
                let sized = try await SavedModel(contentsOf: file, inputShape: size).model
                #expect(try sized.inputShape == size && !sized.hasOpenInputs)
                let images = try TensorValue(
                    shape: [2, 12, 9, 3], (0..<2 * size.elementCount).map { Float($0 * 29 % 83) / 40 - 1 })
                let expected = try await model.predict(images)
                #expect(try await read.predict(images) == expected)
                #expect(try await sized.predict(images) == expected)
                await #expect(throws: ModelFileError.self) {
                    try await SavedModel(contentsOf: file, inputShape: [12, 9, 4])
                }
            }
        }
    }

    #if ProtocolBuffers
        /// What is for one size only asks for it.
        @Test func openExtentsAreNotForONNX() async throws {
            try await inTemporaryFolder { folder in
                let model = try Sequential(name: "net", input: [nil, nil, 3]) {
                    Conv2D(filters: 2, kernelSize: 3)
                    GlobalMaxPooling2D()
                }
                let error = await #expect(throws: (any Error).self) {
                    try await SavedModel(model).write(to: folder + "/m.onnx")
                }
                let text = error.map { "\($0)" } ?? ""
                #expect(text.contains("net") && text.contains("--input-shape"), "\(text)")
                let sized = try Sequential(input: [8, 9, 3]) { model }
                try await SavedModel(sized).write(to: folder + "/m.onnx")
                let read = try await SavedModel(contentsOf: folder + "/m.onnx")
                #expect(try read.model.inputShape == [8, 9, 3])
            }
        }
    #endif

    @Test func aNewModelComesBack() async throws {
        try await inTemporaryFolder { folder in
            let model = try sampleModel(seed: 3)
            try await SavedModel(model).write(to: folder + "/m")
            let read = try await SavedModel(contentsOf: folder + "/m")
            #expect(try read.model.architecture == model.architecture)
            #expect(read.model.summary() == model.summary())
            #expect(read.model.parameters.map(\.path) == model.parameters.map(\.path))
            try await expectEqualValues(read.model, model)
            #expect(read.training == nil)
            #expect(read.classNames.isEmpty)
            let expected = try await predictions(of: model)
            #expect(try await predictions(of: read.model) == expected)
        }
    }

    /// Trained on oneDNN, variables are in the kernels' layouts, and their channels padded.
    @Test func aTrainedModelComesBack() async throws {
        try await inTemporaryFolder { folder in
            let model = try sampleModel()
            let first = try await values(of: model)
            let trainer = try model.compile(
                optimizer: configuration.optimizer, loss: .sparseCategoricalCrossentropy(),
                metrics: [.accuracy])
            let data = try sampleExamples()
            _ = try await trainer.fit(data, epochs: 2, batchSize: 5, verbosity: .silent)
            let trained = try await values(of: model)
            #expect(zip(first, trained).allSatisfy { $0 != $1 })
            let names = ["a", "", "u\u{308} \"quoted\" \n\\ 🦊", "a", "e", "f", "g"]
            try await SavedModel(model, training: trainer.configuration, classNames: names)
                .write(to: folder + "/m")
            // Saving has changed nothing.
            #expect(try await values(of: model) == trained)

            let read = try await SavedModel(contentsOf: folder + "/m")
            #expect(try await values(of: read.model) == trained)
            #expect(read.classNames == names)
            // Swift takes other forms of a name for equal; the file has one.
            #expect(read.classNames[2].unicodeScalars.first == "\u{FC}")
            let before = try await trainer.predict(inputs: data.inputs[0]).floats
            let after = try await predictions(of: read.model)
            // Kernels may be chosen by the layout that the weights are in.
            #expect(zip(before, after).allSatisfy { abs($0 - $1) <= 1e-6 })

            let training = try #require(read.training)
            let again = try read.model.compile(training)
            let (old, new) = (try await trainer.evaluate(data), try await again.evaluate(data))
            #expect(abs(old.loss - new.loss) < 1e-6)
            #expect(old.metrics == new.metrics)
        }
    }

    @Test func aReadModelCanBeTrainedOn() async throws {
        try await inTemporaryFolder { folder in
            try await SavedModel(sampleModel()).write(to: folder + "/m")
            var results: [[TensorValue?]] = []
            for model in [try sampleModel(), try await SavedModel(contentsOf: folder + "/m").model] {
                let trainer = try model.compile(optimizer: .rmsprop(), loss: .sparseCategoricalCrossentropy())
                _ = try await trainer.fit(sampleExamples(), epochs: 1, batchSize: 4, verbosity: .silent)
                results.append(try await values(of: model))
            }
            #expect(results[0] == results[1])
        }
    }

    @Test(
        arguments: [
            .sgd(learningRate: 0.1, momentum: 0.9, nesterov: true), .sgd(),
            .rmsprop(learningRate: 1e-4, rho: 0.8, momentum: 0.1, epsilon: 1e-5, centered: true),
            .adam(learningRate: 0, beta1: 0.5, beta2: 0.75, epsilon: 1e-8, amsgrad: true),
        ] as [any Optimizer])
    func optimizersComeBack(optimizer: any Optimizer) async throws {
        let read = try await comeBack(
            TrainingConfiguration(optimizer: optimizer, loss: .meanSquaredError, metrics: []))
        #expect(AnyHashable(read.optimizer) == AnyHashable(optimizer))
    }

    @Test(
        arguments: [
            .sparseCategoricalCrossentropy(), .sparseCategoricalCrossentropy(fromLogits: true),
            .categoricalCrossentropy(), .categoricalCrossentropy(fromLogits: true, labelSmoothing: 0.1),
            .binaryCrossentropy(), .binaryCrossentropy(fromLogits: true, labelSmoothing: 0.3),
            .meanSquaredError,
        ] as [any Loss])
    func lossesComeBack(loss: any Loss) async throws {
        let metrics: [any Metric] =
            builtInMetrics.map { $0.init() } + builtInLosses.map { .loss($0.init()) } + [
                .auc(thresholds: 20), .recall(threshold: 0.25), .loss(loss),
            ]
        let saved = TrainingConfiguration(optimizer: .sgd(), loss: loss, metrics: metrics)
        #expect(try await comeBack(saved).outputs == saved.outputs)
    }

    private func comeBack(_ training: TrainingConfiguration) async throws -> TrainingConfiguration {
        var read: TrainingConfiguration?
        try await inTemporaryFolder { folder in
            let model = try Sequential(input: [2]) { Dense(units: 1) }
            try await SavedModel(model, training: training).write(to: folder + "/m")
            read = try await SavedModel(contentsOf: folder + "/m").training
        }
        return try #require(read)
    }

    @Test func nestedAndUnnamedModelsComeBack() async throws {
        try await inTemporaryFolder { folder in
            let model = try Sequential(input: [6]) {
                Sequential(name: "block") {
                    Dense(units: 3)
                    Sequential { Dense(units: 2, name: "größe") }
                }
                Activation(.relu)
            }
            try await SavedModel(model).write(to: folder + "/m")
            let read = try await SavedModel(contentsOf: folder + "/m").model
            #expect(read.name == nil)
            #expect(
                read.parameters.map(\.path) == [
                    "block/dense/kernel", "block/dense/bias", "block/sequential/größe/kernel",
                    "block/sequential/größe/bias",
                ])
            try await expectEqualValues(read, model)
        }
    }

    @Test func frozenLayersStayFrozen() async throws {
        try await inTemporaryFolder { folder in
            let model = try sampleModel()
            model.layers[0].isTrainable = false
            (model.layers.compactMap { $0 as? Dense }.last)?.bias?.isTrainable = false
            try await SavedModel(model).write(to: folder + "/m")
            let read = try await SavedModel(contentsOf: folder + "/m").model
            #expect(read.trainableParameters.map(\.path) == model.trainableParameters.map(\.path))
            #expect(read.trainableParameters.count < model.parameters.count)
            try await expectEqualValues(read, model)
        }
    }

    @Test func valuesThatAreNoNumbersComeBack() async throws {
        try await inTemporaryFolder { folder in
            let model = try Sequential(input: [2]) { Dense(units: 2, useBias: false) }
            let value = try TensorValue(shape: [2, 2], [.nan, -.infinity, -0.0, .leastNonzeroMagnitude])
            try await model.parameters[0].parameter.variable?.assign(value)
            try await SavedModel(model).write(to: folder + "/m")
            let read = try await values(of: SavedModel(contentsOf: folder + "/m").model)
            #expect(read.first??.floats.map(\.bitPattern) == value.floats.map(\.bitPattern))
        }
    }

    // MARK: - Bytes

    @Test func equalModelsGiveEqualBytes() async throws {
        try await inTemporaryFolder { folder in
            for name in ["a", "b"] {
                try await SavedModel(sampleModel(), training: configuration, classNames: ["x", "y"])
                    .write(to: folder + "/" + name)
            }
            try await SavedModel(contentsOf: folder + "/a").write(to: folder + "/c")
            let bytes = try AtomicFile.read(folder + "/a")
            #expect(try AtomicFile.read(folder + "/b") == bytes)
            #expect(try AtomicFile.read(folder + "/c") == bytes)

            try await SavedModel(sampleModel(seed: 1), training: configuration, classNames: ["x", "y"])
                .write(to: folder + "/d")
            #expect(try AtomicFile.read(folder + "/d") != bytes)
        }
    }

    @Test func aFileIsWrittenWholeOrNotAtAll() async throws {
        try await inTemporaryFolder { folder in
            let saved = SavedModel(try sampleModel())
            for (path, code) in [
                (folder, EISDIR), (folder + "/missing/m", ENOENT), ("/proc/m", ENOENT),
                ("/dev/full", ENOTSUP),
            ] {
                let error = await #expect(throws: FileError.self) { try await saved.write(to: path) }
                #expect(error?.path == path && error?.code == code, "\(error as Any)")
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
            // No JSON can hold the smoothing: the file that was there stays.
            try await saved.write(to: folder + "/m")
            let before = try AtomicFile.read(folder + "/m")
            let loss = BinaryCrossentropy(labelSmoothing: .nan)
            let training = TrainingConfiguration(optimizer: .sgd(), loss: loss, metrics: [])
            await #expect(throws: EncodingError.self) {
                try await SavedModel(saved.model, training: training).write(to: folder + "/m")
            }
            #expect(try AtomicFile.read(folder + "/m") == before)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["m"])
        }
    }
}
