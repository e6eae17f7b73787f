import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaOneDNN
import FoveaPictures
import FoveaRuntime
import Testing

@testable import FoveaTraining

/// One model for inputs of several sizes: what it gives and learns for each must be what a model made for that size does.
struct OpenExtentsTests {
    static let devices = [Device.reference, .cpu]
    static let sizes = [(8, 8), (9, 13), (17, 6), (8, 8), (32, 20)]

    /// Fully convolutional, with layers that work otherwise in training and change state of their own.
    private static func layers() -> [any Layer] {
        [
            Conv2D(filters: 16, kernelSize: 3, padding: .same, useBias: false),
            BatchNormalization(momentum: 0.5),
            ReLU(),
            MaxPooling2D(),
            Conv2D(filters: 16, kernelSize: 3, activation: .relu),
            GlobalAveragePooling2D(),
            Dropout(rate: 0.3),
            Dense(units: 3, activation: .softmax),
        ]
    }

    private static func batch(
        _ count: Int, _ height: Int, _ width: Int, as type: DType = .float32
    ) throws -> Examples {
        let shape: Shape = [count, height, width, 3]
        let bytes = (0..<shape.elementCount).map { UInt8(($0 * 7919 + height * 31 + width) % 251) }
        let images: TensorValue.Storage =
            type == .uint8 ? .uint8(bytes) : .float32(bytes.map { Float($0) / 100 - 1 })
        return try Examples(
            inputs: TensorValue(shape: shape, storage: images),
            targets: TensorValue((0..<count).map { Int32(($0 + height) % 3) }))
    }

    @Compute private static func values(_ model: any ModelProtocol) throws -> [TensorValue] {
        try model.parameters.compactMap { try $0.parameter.variable?.value() }
    }

    /// Predictions, losses, and what a step of training makes of every parameter, in bits.
    @Test(arguments: devices, [DType.float32, .uint8])
    func everySizeIsAsInAModelMadeForIt(device: Device, type: DType) async throws {
        let open = try Sequential(input: [nil, nil, 3], seed: 4) { Self.layers() }
        let trainer = try open.compile(
            optimizer: .sgd(learningRate: 0.1), loss: .sparseCategoricalCrossentropy(), metrics: [.accuracy],
            device: device)
        let shared = Self.layers()
        for (number, (height, width)) in Self.sizes.enumerated() {
            let batch = try Self.batch(4, height, width, as: type)
            let fixed = try Sequential(input: [height, width, 3], seed: 4) { shared }
            let alone = try fixed.compile(
                optimizer: .sgd(learningRate: 0.1), loss: .sparseCategoricalCrossentropy(),
                metrics: [.accuracy], device: device)
            #expect(try await trainer.predict(batch, batchSize: 3) == alone.predict(batch, batchSize: 3))
            #expect(try await trainer.evaluate(batch) == alone.evaluate(batch))
            let seed = UInt64(number)
            let history = try await trainer.fit(batch, batchSize: 4, seed: seed, verbosity: .silent)
            let other = try await alone.fit(batch, batchSize: 4, seed: seed, verbosity: .silent)
            #expect(history.epochs.map(\.loss) == other.epochs.map(\.loss))
            #expect(try await Self.values(open) == Self.values(fixed), "\(height)x\(width)")
        }
    }

    /// A number for each pixel, from two inputs, one of which leads around a pooling.
    @Test(arguments: devices) func outputsOfAnySize(device: Device) async throws {
        func model(_ height: Int?, _ width: Int?, _ layers: [any Layer]) throws -> Model {
            let images = LayerOutput.input("images", [height, width, 3])
            let masks = LayerOutput.input("masks", [height, width, 1])
            let deep = UpSampling2D(size: 2)(layers[1](MaxPooling2D()(layers[0](images))))
            return try Model(
                inputs: [images, masks], outputs: [layers[2](Concatenate()([deep, images, masks]))], seed: 6)
        }
        func layers() -> [any Layer] {
            [
                Conv2D(filters: 8, kernelSize: 3, padding: .same, activation: .relu),
                Conv2D(filters: 4, kernelSize: 5, padding: .same, activation: .tanh),
                Conv2D(filters: 1, kernelSize: 1, name: "pixels"),
            ]
        }
        func examples(_ height: Int, _ width: Int) throws -> Examples {
            func numbers(_ channels: Int) throws -> TensorValue {
                let shape: Shape = [2, height, width, channels]
                return try TensorValue(
                    shape: shape, (0..<shape.elementCount).map { Float($0 * 37 % 101) / 50 - 1 })
            }
            return try Examples(inputs: [numbers(3), numbers(1)], targets: [numbers(1)])
        }
        let (openLayers, fixedLayers) = (layers(), layers())
        let open = try model(nil, nil, openLayers)
        #expect(try open.outputShape == [nil, nil, 1])
        let trainer = try open.compile(optimizer: .sgd(), loss: .meanSquaredError, device: device)
        var batches: [Examples] = []
        for (height, width) in [(6, 8), (12, 4), (6, 8)] {
            let batch = try examples(height, width)
            batches.append(batch)
            let fixed = try model(height, width, fixedLayers)
            let alone = try fixed.compile(optimizer: .sgd(), loss: .meanSquaredError, device: device)
            let outputs = try await trainer.predict(batch)
            #expect(outputs[0].shape == [2, height, width, 1])
            #expect(try await outputs == alone.predict(batch))
            try await trainer.fit(batch, verbosity: .silent)
            try await alone.fit(batch, verbosity: .silent)
            #expect(try await Self.values(open) == Self.values(fixed))
        }
        // Outputs of several sizes are no one tensor.
        let joined = await #expect(throws: TrainingError.self) { try await trainer.predict(Dataset(batches)) }
        #expect(
            joined?.description.contains("[6, 8, 1], then [12, 4, 1]") == true,
            "\(String(describing: joined))")
        // Sizes that the layers cannot work on.
        let odd = await #expect(throws: ShapeError.self) { try await trainer.evaluate(examples(7, 8)) }
        #expect(odd?.path.contains("concatenate") == true, "\(String(describing: odd))")
    }

    /// Batches of sizes in turn, in one data set.
    @Test func dataSetsOfSeveralSizes() async throws {
        let batches = try Self.sizes.enumerated().map { number, size in
            try Self.batch(2 + number % 2, size.0, size.1)
        }
        func trained() async throws -> (Sequential, History) {
            let model = try Sequential(input: [nil, nil, 3], seed: 4) { Self.layers() }
            let trainer = try model.compile(optimizer: .adam(), loss: .sparseCategoricalCrossentropy())
            let history = try await trainer.fit(
                Dataset(batches), epochs: 3, validation: Dataset(batches), verbosity: .silent)
            let outputs = try await trainer.predict(Dataset(batches))
            #expect(outputs[0].shape == [batches.reduce(0) { $0 + $1.count }, 3])
            var row = 0
            for batch in batches {
                let alone = try await trainer.predict(batch)[0]
                #expect(alone.floats == Array(outputs[0].floats[row * 3..<(row + batch.count) * 3]))
                row += batch.count
            }
            return (model, history)
        }
        let (model, history) = try await trained()
        let (again, other) = try await trained()
        #expect(history.epochs.map(\.validationLoss) == other.epochs.map(\.validationLoss))
        #expect(history.epochs.count == 3)
        #expect(try await Self.values(model) == Self.values(again))
    }

    /// What is compiled for the sizes used last is kept, and no more.
    @Test @Compute func sizesThatComeAgainAreCompiledOnce() throws {
        let model = try Sequential(input: [nil, nil, 3]) { Self.layers() }
        let trainer = try model.compile(optimizer: .sgd(), loss: .sparseCategoricalCrossentropy())
        func evaluate(_ size: Int) throws { _ = try trainer.evaluate(Self.batch(1, size, 8)) }
        for size in [8, 9, 10, 8, 9, 10] { try evaluate(size) }
        #expect(trainer.runner.compiledCount == 3)
        for size in 8..<20 { try evaluate(size) }
        #expect(trainer.runner.compiledCount == 3 + 9)
        for size in 12..<20 { try evaluate(size) }
        #expect(trainer.runner.compiledCount == 12)
        try evaluate(8)
        #expect(trainer.runner.compiledCount == 13)
    }

    /// What was frozen when the model was compiled decides for all sizes, those that come later, too.
    @Test func frozenAsWhenCompiled() async throws {
        let model = try Sequential(input: [nil, nil, 3], seed: 4) { Self.layers() }
        model.layers[1].isTrainable = false
        let trainer = try model.compile(optimizer: .sgd(), loss: .sparseCategoricalCrossentropy())
        model.layers[1].isTrainable = true
        model.layers[0].isTrainable = false
        let before = try await Self.values(model)
        try await trainer.fit(Self.batch(4, 10, 9), verbosity: .silent)
        let after = try await Self.values(model)
        let changed = zip(model.parameters, zip(before, after)).filter { $1.0 != $1.1 }.map(\.0.path)
        #expect(
            changed == ["conv2d/kernel", "conv2d_1/kernel", "conv2d_1/bias", "dense/kernel", "dense/bias"])
    }

    @Test func inputsThatDoNotFit() async throws {
        let model = try Sequential(name: "net", input: [nil, nil, 3]) { Self.layers() }
        let trainer = try model.compile(optimizer: .sgd(), loss: .sparseCategoricalCrossentropy())
        let grey = try Examples(
            inputs: TensorValue(repeating: 0, shape: [1, 8, 8, 1]), targets: TensorValue([0 as Int32]))
        let error = await #expect(throws: TrainingError.self) { try await trainer.evaluate(grey) }
        #expect(error?.description.contains("[nil, nil, 3]") == true)
        let small = await #expect(throws: ShapeError.self) {
            try await trainer.fit(Self.batch(1, 4, 9), verbosity: .silent)
        }
        #expect(small?.path == ["training data", "net", "conv2d_1"], "\(String(describing: small))")
        let none = await #expect(throws: (any Error).self) {
            try await trainer.predict(inputs: TensorValue(shape: [1, 0, 8, 3], [Float]()))
        }
        #expect(none != nil)
    }

    // MARK: Pictures

    private func picture(_ height: Int, _ width: Int) throws -> Picture {
        try Picture(
            height: height, width: width, channels: 3,
            pixels: (0..<height * width * 3).map { UInt8(($0 * 31 + width) % 256) })
    }

    @Test func picturesKeepTheirSizes() async throws {
        let model = try Sequential(input: [nil, nil, 3], seed: 4) { Self.layers() }
        let predictor = try Predictor(model)
        #expect(try predictor.pictureForm == PictureForm(size: nil, channels: 3))
        let pictures = try [(8, 9), (20, 12), (8, 9), (11, 10), (20, 12), (8, 9)].map {
            try picture($0.0, $0.1)
        }
        let answers = try await predictor.classes(of: pictures, batchSize: 2)
        #expect(answers.count == 6)
        for (picture, answer) in zip(pictures, answers) {
            let value = TensorValue(picture)
            let alone = try await predictor.classes(
                of: value.reshaped(to: Shape([1] + value.shape.dimensions)))[0]
            #expect(alone.map(\.index) == answer.map(\.index))
            #expect(zip(alone, answer).allSatisfy { abs($0.probability - $1.probability) < 1e-5 })
        }
    }

    @Test func picturesAreBroughtToASize() async throws {
        let model = try Sequential(input: [nil, nil, 3], seed: 4) { Self.layers() }
        let predictor = try Predictor(model, imageSize: Size2D(12, 10))
        let picture = try picture(30, 40)
        let value = TensorValue(try picture.resized(height: 12, width: 10))
        let expected = try await predictor.classes(of: value.reshaped(to: [1, 12, 10, 3]))[0]
        #expect(try await predictor.classes(of: picture) == expected)
        // A size that the model does not take.
        let fixed = try Sequential(input: [8, 8, 3]) { Self.layers() }
        #expect(try Predictor(fixed).imageSize == Size2D(8, 8))
        #expect(throws: PredictorError.self) { try Predictor(fixed, imageSize: Size2D(12, 10)) }
        #expect(throws: PredictorError.self) { try Predictor(model, imageSize: Size2D(0, 10)) }
    }
}
