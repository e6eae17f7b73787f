import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaOneDNN
import FoveaRuntime
import Testing

@testable import FoveaTraining

/// Data and arguments that do not fit, and trainings that go wrong or are stopped.
struct TrainingErrorTests {
    private func expectError(
        _ expected: TrainingError, _ text: String? = nil, sourceLocation: SourceLocation = #_sourceLocation,
        _ body: (Trainer) async throws -> Void
    ) async throws {
        let trainer = try smallTrainer()
        let before = try await weights(trainer)
        let error = await #expect(throws: TrainingError.self, sourceLocation: sourceLocation) {
            try await body(trainer)
        }
        #expect(error == expected, sourceLocation: sourceLocation)
        if let text {
            #expect(
                error?.description.contains(text) == true, "\(error as Any)", sourceLocation: sourceLocation)
        }
        #expect(try await weights(trainer) == before, sourceLocation: sourceLocation)
    }

    private func fit(_ trainer: Trainer, _ examples: Examples, validation: Examples? = nil) async throws {
        _ = try await trainer.fit(examples, validation: validation, verbosity: .silent)
    }

    private func relabeled(_ examples: Examples, _ labels: [Int32]) throws -> Examples {
        try Examples(inputs: examples.inputs[0], targets: TensorValue(labels))
    }

    @Test func arguments() async throws {
        let data = try bars(4)
        for (name, epochs, batchSize, initialEpoch) in [
            ("epochs", 0, 1, 0), ("epochs", -3, 1, 0), ("batchSize", 1, 0, 0), ("batchSize", 1, -1, 0),
            ("initialEpoch", 2, 1, 2), ("initialEpoch", 2, 1, -1),
        ] {
            let trainer = try smallTrainer()
            let error = await #expect(throws: TrainingError.self) {
                try await trainer.fit(
                    data, epochs: epochs, batchSize: batchSize, initialEpoch: initialEpoch, verbosity: .silent
                )
            }
            #expect(error?.description.hasPrefix("\(name) is ") == true)
        }
        for split in [-0.1, 1, 1.5, .nan, 1e-17, 0.99] {
            let trainer = try smallTrainer()
            let error = await #expect(throws: TrainingError.self) {
                try await trainer.fit(data, validationSplit: split, verbosity: .silent)
            }
            #expect(error?.description.hasPrefix("validationSplit is \(split)") == true)
        }
        let trainer = try smallTrainer()
        await #expect(throws: TrainingError.self) {
            try await trainer.fit(data, validationSplit: 0.5, validation: data, verbosity: .silent)
        }
        await #expect(throws: TrainingError.self) { try await trainer.evaluate(data, batchSize: 0) }
        await #expect(throws: TrainingError.self) {
            try await trainer.predict(inputs: data.inputs[0], batchSize: -1)
        }
        trainer.learningRate = .nan
        await #expect(throws: TrainingError.self) { try await trainer.fit(data, verbosity: .silent) }
        #expect(throws: TrainingError.self) { try smallTrainer(.adam(learningRate: -1)) }
    }

    @Test func labels() async throws {
        let data = try bars(4)
        let wrong = try relabeled(data, [0, 1, 2, -1])
        try await expectError(.labelOutOfRange(2, example: 2, classes: 2, in: .training), "labels 0...1") {
            try await fit($0, wrong)
        }
        try await expectError(.labelOutOfRange(-1, example: 0, classes: 2, in: .validation)) {
            try await fit($0, data, validation: relabeled(data, [-1, 0, 1, 1]))
        }
        try await expectError(.labelOutOfRange(2, example: 2, classes: 2, in: .evaluation)) {
            _ = try await $0.evaluate(wrong)
        }
    }

    @Test func shapesAndTypes() async throws {
        let data = try bars(2)
        let turned = try Examples(
            inputs: data.inputs[0].reshaped(to: [2, 5, 6, 1]), targets: data.targets[0])
        try await expectError(
            .wrongInputShape(expected: [6, 5, 1], received: [5, 6, 1], in: .training), "[6, 5, 1]"
        ) { try await fit($0, turned) }
        try await expectError(.wrongInputShape(expected: [6, 5, 1], received: [5, 6, 1], in: .prediction)) {
            _ = try await $0.predict(inputs: turned.inputs[0])
        }
        try await expectError(.wrongInputShape(expected: [6, 5, 1], received: .scalar, in: .prediction)) {
            _ = try await $0.predict(inputs: TensorValue(1 as Float))
        }
        let empty = try data[0..<0]
        try await expectError(.noExamples(.training)) { try await fit($0, empty) }
        try await expectError(.noExamples(.validation)) { try await fit($0, data, validation: empty) }
        try await expectError(.noExamples(.prediction)) { _ = try await $0.predict(inputs: empty.inputs[0]) }
        let integers = TensorValue(
            shape: [2, 6, 5, 1], dtype: .int32, doubles: [Double](repeating: 0, count: 60))
        try await expectError(.wrongInputType(.int32, in: .training)) {
            try await fit($0, Examples(inputs: integers, targets: data.targets[0]))
        }

    }

    @Test func targetsOfAnotherShapeAreFoundBeforeAnythingRuns() async throws {
        let data = try bars(2)
        let oneHot = try Examples(inputs: data.inputs[0], targets: TensorValue(shape: [2, 2], [1, 0, 0, 1]))
        let trainer = try smallTrainer()
        let before = try await weights(trainer)
        let printed = Printed()
        for (training, validation, name) in [(oneHot, data, "training"), (data, oneHot, "validation")] {
            let error = await #expect(throws: ShapeError.self) {
                try await trainer.fit(training, validation: validation, output: printed.output())
            }
            #expect(error?.description.hasPrefix("\(name) data: sparse_categorical_crossentropy: ") == true)
            #expect(error?.description.contains("[batch, 2]") == true)
        }
        #expect(printed.all.isEmpty)
        #expect(try await weights(trainer) == before)
    }

    @Test func floatTargets() async throws {
        let inputs = try TensorValue(shape: [3, 2], [1, 2, 3, 4, 5, 6])
        let model = try Sequential(input: [2]) { Dense(units: 2) }
        func error(_ loss: any Loss, _ targets: [Float]) async throws -> TrainingError? {
            let trainer = try model.compile(optimizer: .sgd(), loss: loss, device: .reference)
            let examples = try Examples(inputs: inputs, targets: TensorValue(shape: [3, 2], targets))
            return await #expect(throws: TrainingError.self) {
                try await trainer.fit(examples, verbosity: .silent)
            }
        }
        let notFinite = try await error(.meanSquaredError, [0, 0, 0, .infinity, 0, 0])
        #expect(
            notFinite == .targetOutOfRange(.infinity, example: 1, expected: "finite numbers", in: .training))
        let notANumber = try await error(.categoricalCrossentropy(), [0, 1, 1, 0, .nan, 1])
        #expect(
            notANumber?.description.hasPrefix("example 2 of the training data has the target nan") == true)
        let tooLarge = try await error(.binaryCrossentropy(), [0, 2, 1, 0, 1, 1])
        #expect(tooLarge == .targetOutOfRange(2, example: 0, expected: "in 0...1", in: .training))
    }

    @Test func ignoredClassesAreNoLabelsOutOfRange() async throws {
        let inputs = try TensorValue(shape: [3, 2], [1, 2, 3, 4, 5, 6])
        let trainer = try Sequential(input: [2]) { Dense(units: 2) }.compile(
            optimizer: .sgd(), loss: .sparseCategoricalCrossentropy(fromLogits: true, ignoreClass: 255),
            device: .reference)
        func fit(_ labels: [Int32]) async throws -> History {
            try await trainer.fit(
                Examples(inputs: inputs, targets: TensorValue(labels)), verbosity: .silent)
        }
        #expect(try await fit([0, 255, 1]).epochs[0].loss.isFinite)
        let error = await #expect(throws: TrainingError.self) { try await fit([0, 255, 2]) }
        #expect(error == .labelOutOfRange(2, example: 2, classes: 2, in: .training))
    }

    @Test func nothingToTrain() async throws {
        let model = try smallNetwork()
        for (_, parameter) in model.parameters { parameter.isTrainable = false }
        let trainer = try model.compile(
            optimizer: .adam(), loss: .sparseCategoricalCrossentropy(), device: .reference)
        let data = try bars(2)
        let error = await #expect(throws: TrainingError.self) {
            try await trainer.fit(data, verbosity: .silent)
        }
        #expect(error == .nothingToTrain)
        #expect(try await trainer.evaluate(data).loss.isFinite)
    }

    // MARK: Trainings that go wrong

    @Test func aLossThatIsNotFiniteRestoresTheLastEpoch() async throws {
        let data = try bars(10)
        let good = try smallTrainer()
        _ = try await good.fit(data, epochs: 2, batchSize: 3, verbosity: .silent)
        let expected = try await weights(good)

        // Epoch 3 has steps 8...11 of the run; the loss breaks at its third.
        let broken = try smallTrainer(on: HookedBackend { $0 == 10 ? .nan : nil })
        let error = await #expect(throws: TrainingError.self) {
            try await broken.fit(data, epochs: 5, batchSize: 3, verbosity: .silent)
        }
        guard case .lossNotFinite(let loss, epoch: 3, step: 3) = error else {
            Issue.record("\(error as Any)")
            return
        }
        #expect(loss.isNaN)
        #expect(try await weights(broken) == expected)
    }

    @Test func divergenceRestoresTheStart() async throws {
        let trainer = try smallTrainer(.sgd(learningRate: 1e38))
        let before = try await weights(trainer)
        let error = await #expect(throws: TrainingError.self) {
            try await trainer.fit(bars(8), epochs: 2, batchSize: 2, verbosity: .silent)
        }
        guard case .lossNotFinite(_, epoch: 1, _) = error else {
            Issue.record("\(error as Any)")
            return
        }
        #expect(try await weights(trainer) == before)
    }

    @Test func parametersThatAreNotFiniteAreNeverKept() async throws {
        let model = try Sequential(input: [1]) { Dense(units: 1, useBias: false) }
        let trainer = try model.compile(
            optimizer: .sgd(learningRate: 1e38), loss: .meanSquaredError, device: .reference)
        let before = try await weights(trainer)
        // One step per epoch: the loss is finite, the step is not.
        let examples = try Examples(
            inputs: TensorValue(shape: [1, 1], [1e4]), targets: TensorValue([-1e6 as Float]))
        let error = await #expect(throws: TrainingError.self) {
            try await trainer.fit(examples, epochs: 2, verbosity: .silent)
        }
        #expect(error == .variableNotFinite("dense/kernel", epoch: 1))
        #expect(try await weights(trainer) == before)
    }

    /// Convolutions, ReLU, pooling and dense layers pass NaN on, whatever weight it is in, so the first loss has it.
    @Test(arguments: Precision.allCases, [1, 3])
    func weightsThatAreNotANumberAreSeen(precision: Precision, channels: Int) async throws {
        let model = try Sequential(input: [12, 12, channels]) {
            Conv2D(filters: 16, kernelSize: 3, activation: .relu)
            MaxPooling2D(poolSize: 2)
            Conv2D(filters: 32, kernelSize: 3, activation: .relu)
            BatchNormalization()
            Activation(.relu)
            Flatten()
            Dense(units: 20, activation: .relu)
            Dense(units: 1)
        }
        let trainer = try model.compile(
            optimizer: .sgd(), loss: .meanSquaredError, device: Device(OneDNNBackend(precision: precision)))
        let images = (0..<8 * 144 * channels).map { Float($0 * 7919 % 1000) / 1000 }
        let examples = try Examples(
            inputs: TensorValue(shape: [8, 12, 12, channels], images),
            targets: TensorValue((0..<8).map { Float($0) }))
        for variable in trainer.trained.compactMap(\.variable) {
            let before = try await values(of: [variable])[0]
            var numbers = before.floats
            numbers[numbers.count / 2] = .nan
            try await variable.assign(TensorValue(shape: before.shape, numbers))
            let predictions = try await trainer.predict(inputs: examples.inputs[0])
            #expect(predictions.floats.allSatisfy { $0.isNaN }, "\(variable.name)")
            #expect(try await trainer.evaluate(examples).loss.isNaN, "\(variable.name)")
            let error = await #expect(throws: TrainingError.self) {
                try await trainer.fit(examples, epochs: 2, batchSize: 4, shuffle: false, verbosity: .silent)
            }
            guard case .lossNotFinite(let loss, epoch: 1, step: 1) = error, loss.isNaN else {
                Issue.record("\(variable.name): \(error as Any)")
                continue
            }
            try await variable.assign(before)
        }
        #expect(try await trainer.evaluate(examples).loss.isFinite)
    }

    // MARK: Interruption

    @Test func aStopKeepsWholeEpochsAndTheStepsTaken() async throws {
        let stop = StopSignal()
        let trainer = try smallTrainer(
            on: HookedBackend { step in
                if step == 5 { stop.request() }
                return nil
            })
        let printed = Printed()
        let history = try await trainer.fit(
            bars(10), epochs: 9, batchSize: 3, verbosity: .bar, output: printed.output(isTerminal: true),
            stop: stop)
        #expect(history.wasInterrupted)
        #expect(history.epochs.map(\.number) == [1])
        #expect(try await values(of: [trainer.optimizerState.iterations])[0].integers == [6])
        #expect(printed.text.hasSuffix("\n"))
    }

    @Test(arguments: [(3, [1], true), (7, [1, 2], false)])
    func aStopAtTheEndOfAnEpochKeepsIt(step: UInt64, epochs: [Int], wasInterrupted: Bool) async throws {
        let stop = StopSignal()
        let trainer = try smallTrainer(
            on: HookedBackend {
                if $0 == step { stop.request() }
                return nil
            })
        let history = try await trainer.fit(
            bars(10), epochs: 2, batchSize: 3, verbosity: .silent, stop: stop)
        #expect(history.epochs.map(\.number) == epochs)
        #expect(history.wasInterrupted == wasInterrupted)
    }
}
