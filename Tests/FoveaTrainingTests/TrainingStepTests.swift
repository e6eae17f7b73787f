import Foundation
import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaOneDNN
import FoveaRuntime
import Testing

@testable import FoveaTraining

/// What a step of `fit` is made of, beside loss and optimizer.
struct TrainingStepTests {
    private func linear(
        regularizer: Regularizer? = nil, activity: Regularizer? = nil, constraint: Constraint? = nil
    ) throws -> Sequential {
        try Sequential(input: [3], seed: 4) {
            Dense(
                units: 2, kernelRegularizer: regularizer, activityRegularizer: activity,
                kernelConstraint: constraint)
        }
    }

    private func regression(_ count: Int, weights: TensorValue? = nil) throws -> Examples {
        try Examples(
            inputs: numbers([count, 3], stream: 1), targets: numbers([count, 2], stream: 2), weights: weights)
    }

    /// The squared error of each example.
    private func errors(_ trainer: Trainer, _ data: Examples) async throws -> [Double] {
        let predictions = try await trainer.predict(inputs: data.inputs[0]).floats
        let squares = zip(predictions, data.targets[0].floats).map { p, t -> Double in
            let error = Double(p - t)
            return error * error
        }
        return (0..<data.count).map { i -> Double in (squares[2 * i] + squares[2 * i + 1]) / 2 }
    }

    // MARK: Weights

    @Test func sampleWeightsCountInLossAndMetricsEverywhere() async throws {
        let weights: [Float] = [0, 2, 0.5, 1, 3]
        let data = try regression(5, weights: TensorValue(weights))
        let trainer = try linear().compile(
            optimizer: .sgd(), loss: .meanSquaredError, metrics: [.meanSquaredError],
            device: .reference)
        let errors = try await errors(trainer, data)
        let sum = zip(errors, weights).map { $0 * Double($1) }.reduce(0, +)

        let result = try await trainer.evaluate(data, batchSize: 2)
        #expect(abs(result.loss - sum / 5) < 1e-6)
        #expect(abs((result.metrics["mean_squared_error"] ?? 0) - sum / 6.5) < 1e-6)
        let history = try await trainer.fit(data, batchSize: 5, validation: data, verbosity: .silent)
        #expect(abs(history.epochs[0].loss - sum / 5) < 1e-6)
        #expect(try #require(history.epochs[0].validationLoss) < sum / 5)
        try await expectStepDownTheReportedLoss(trainer, data)
    }

    @Test func classWeightsCountInTraining() async throws {
        let labels: [Int32] = [0, 1, 2, 1, 2, 2, 0]
        let model = try Sequential(input: [3], seed: 2) { Dense(units: 3, activation: .softmax) }
        let trainer = try model.compile(
            optimizer: .sgd(), loss: .sparseCategoricalCrossentropy(), device: .reference)
        let samples: [Float] = [1, 2, 3, 0, 1, 0.5, 1]
        let data = try Examples(
            inputs: numbers([7, 3]), targets: TensorValue(labels), weights: TensorValue(samples))
        let predictions = try await trainer.predict(inputs: data.inputs[0]).floats
        let losses = labels.enumerated().map { -log(Double(predictions[3 * $0 + Int($1)])) }
        // Class 1 weighs 1.
        let classes = [0.5, 1, 4]
        let plain = zip(losses, samples).map { $0 * Double($1) }
        let expected = zip(plain, labels).map { $0 * classes[Int($1)] }.reduce(0, +) / 7

        let weights = try ClassWeights([0: 0.5, 2: 4])
        let history = try await trainer.fit(
            data, batchSize: 7, validation: data, classWeights: weights, verbosity: .silent)
        #expect(abs(history.epochs[0].loss - expected) < 1e-6)
        // Validation and evaluation count classes alike.
        let after = try await trainer.evaluate(data)
        #expect(abs(after.loss - (history.epochs[0].validationLoss ?? 0)) < 1e-6)
        #expect(after.loss < plain.reduce(0, +) / 7 * 1.05)
        try await expectStepDownTheReportedLoss(trainer, data, classWeights: weights)
    }

    @Test func classWeightsAreOfOneOutput() async throws {
        let trainer = try twoHeaded().compile(
            TrainingConfiguration(
                optimizer: .sgd(),
                outputs: [
                    "class": OutputTraining(loss: .sparseCategoricalCrossentropy()),
                    "size": OutputTraining(loss: .meanSquaredError),
                ]), device: .reference)
        let error = await #expect(throws: TrainingError.self) {
            try await trainer.fit(
                twoHeadedExamples(4), classWeights: ClassWeights([1, 2, 3]), verbosity: .silent)
        }
        #expect(error?.description.hasPrefix("classWeights is given") == true)
    }

    // MARK: Penalties and constraints

    @Test func penaltiesArePartOfLossAndGradient() async throws {
        let data = try regression(6)
        let model = try linear(regularizer: .l1l2(l1: 0.03, l2: 0.2), activity: .l2(0.01))
        let trainer = try model.compile(
            optimizer: .sgd(), loss: .meanSquaredError, metrics: [.meanSquaredError],
            device: .reference)
        // Away from 0, where the magnitude has a kink.
        let kernel = [0.4, -0.5, 0.3, 0.7, -0.2, 0.6]
        try await trainer.trained[0].variable?.assign(
            TensorValue(shape: [3, 2], kernel.map(Float.init)))
        let outputs = try await trainer.predict(inputs: data.inputs[0]).floats.map(Double.init)
        let error = try await errors(trainer, data).reduce(0, +) / 6
        let ofKernel = kernel.map { w -> Double in 0.03 * abs(w) + 0.2 * w * w }
        // That of outputs is a mean over the batch.
        let penalties = (ofKernel + outputs.map { y -> Double in 0.01 * y * y / 6 }).reduce(0, +)
        let result = try await trainer.evaluate(data)
        #expect(abs(result.loss - error - penalties) < 1e-5)
        #expect(abs((result.metrics["mean_squared_error"] ?? 0) - error) < 1e-6)
        let loss = try await expectStepDownTheReportedLoss(trainer, data)
        #expect(abs(loss - error - penalties) < 1e-5)
    }

    @Test func frozenParametersHaveNoPenalty() async throws {
        let model = try linear(regularizer: .l2(1))
        (model.layers[0] as? Dense)?.kernel.isTrainable = false
        let trainer = try model.compile(
            optimizer: .sgd(), loss: .meanSquaredError, device: .reference)
        let data = try regression(4)
        let error = try await errors(trainer, data).reduce(0, +) / 4
        #expect(abs(try await trainer.evaluate(data).loss - error) < 1e-6)
    }

    @Test(arguments: [ReferenceBackend(), OneDNNBackend()] as [any Backend])
    func constraintsHoldAfterEachStep(backend: any Backend) async throws {
        let data = try regression(9)
        for constraint in [Constraint.unitNorm(), .nonNegative, .maxNorm(0.5)] {
            let model = try linear(constraint: constraint)
            let kernel = try #require(model.parameters[0].parameter.variable)
            let trainer = try model.compile(
                optimizer: .adam(learningRate: 0.1), loss: .meanSquaredError, device: Device(backend))
            let steps = Collected<Int>()
            let look = LambdaCallback(stepEnds: { run in
                steps.append(run.step)
                let w = try kernel.value().floats
                let norms = (0..<2).map { unit -> Float in
                    let squares = (0..<3).map { i -> Float in w[2 * i + unit] * w[2 * i + unit] }
                    return squares.reduce(0, +).squareRoot()
                }
                switch constraint {
                case .unitNorm: #expect(norms.allSatisfy { abs($0 - 1) < 1e-5 })
                case .nonNegative: #expect(w.allSatisfy { $0 >= 0 })
                default: #expect(norms.allSatisfy { $0 <= 0.5 + 1e-5 })
                }
            })
            _ = try await trainer.fit(data, epochs: 4, batchSize: 4, callbacks: [look], verbosity: .silent)
            #expect(steps.all == Array(1...12))
        }
    }

    // MARK: Gradients

    @Test func accumulatedBatchesAreOneLargeBatch() async throws {
        let data = try regression(8)
        func trained(batchSize: Int, accumulation: Int) async throws -> ([TensorValue], Int32) {
            let trainer = try linear().compile(
                optimizer: .sgd(learningRate: 0.1, momentum: 0.9), loss: .meanSquaredError,
                accumulation: accumulation, device: .reference)
            _ = try await trainer.fit(
                data, epochs: 3, batchSize: batchSize, shuffle: false, verbosity: .silent)
            return (
                try await values(of: trainer.trained.compactMap(\.variable)),
                try await trainer.optimizerState.iterations.value().integers[0]
            )
        }
        let (whole, parts) = (
            try await trained(batchSize: 8, accumulation: 1), try await trained(batchSize: 2, accumulation: 4)
        )
        #expect(whole.1 == 3 && parts.1 == 3)
        for (a, b) in zip(parts.0, whole.0) { expectClose(a.floats, b.floats.map(Double.init), 1e-6) }
    }

    @Test func gradientsAreClipped() async throws {
        let data = try regression(5)
        func movement(_ clipping: GradientClipping?) async throws -> [Double] {
            let trainer = try linear().compile(
                optimizer: .sgd(learningRate: 1), loss: .meanSquaredError, clipping: clipping,
                device: .reference)
            let before = try await values(of: trainer.trained.compactMap(\.variable))
            _ = try await trainer.fit(data, batchSize: 5, verbosity: .silent)
            let after = try await values(of: trainer.trained.compactMap(\.variable))
            return zip(before, after).flatMap { zip($0.floats, $1.floats).map { Double($0 - $1) } }
        }
        let free = try await movement(nil)
        let norm = free.map { $0 * $0 }.reduce(0, +).squareRoot()
        #expect(norm > 0.2)
        expectClose(
            try await movement(.globalNorm(0.1)).map(Float.init), free.map { $0 * 0.1 / norm }, 1e-6)
        expectClose(
            try await movement(.value(0.05)).map(Float.init), free.map { min(max($0, -0.05), 0.05) }, 1e-6)
    }

    // MARK: Learning rate

    @Test func aScheduleSetsTheRateOfEachStep() async throws {
        let schedule = LearningRateSchedule.exponentialDecay(
            initialLearningRate: 0.5, decaySteps: 3, decayRate: 0.5)
        for accumulation in [1, 2] {
            let trainer = try linear().compile(
                optimizer: .sgd(learningRate: 99), loss: .meanSquaredError, schedule: schedule,
                accumulation: accumulation, device: .reference)
            let rates = Collected<Double>()
            let look = LambdaCallback(stepEnds: { rates.append($0.trainer.learningRate) })
            _ = try await trainer.fit(
                regression(10), epochs: 2, batchSize: 4, callbacks: [look], verbosity: .silent)
            #expect(rates.all == (0..<6).map { schedule(step: $0 / accumulation) })
        }
    }

    @Test func theRateOfAStepIsTheOneUsed() async throws {
        // Steps 0 and 1 stand still, step 2 moves.
        let trainer = try linear().compile(
            optimizer: .sgd(), loss: .meanSquaredError,
            schedule: .piecewiseConstant(boundaries: [1], values: [0, 0.1]), device: .reference)
        let kernel = try #require(trainer.trained[0].variable)
        let start = try await kernel.value()
        let moved = Collected<Bool>()
        let look = LambdaCallback(stepEnds: { _ in moved.append(try kernel.value() != start) })
        _ = try await trainer.fit(regression(6), batchSize: 2, callbacks: [look], verbosity: .silent)
        #expect(moved.all == [false, false, true])
    }

    // MARK: State of layers

    private func movingMean() throws -> (Sequential, MovingMean) {
        let layer = MovingMean()
        let model = try Sequential(input: [3], seed: 1) {
            layer
            Dense(units: 2)
        }
        return (model, layer)
    }

    @Test(arguments: [ReferenceBackend(), OneDNNBackend()] as [any Backend])
    func layersKeepStateOfTheirOwn(backend: any Backend) async throws {
        let (model, layer) = try movingMean()
        let mean = try #require(layer.mean.variable)
        let data = try regression(6)
        let trainer = try model.compile(optimizer: .sgd(), loss: .meanSquaredError, device: Device(backend))
        #expect(trainer.trained.count == 2)
        _ = try await trainer.evaluate(data)
        _ = try await trainer.predict(inputs: data.inputs[0])
        #expect(try await mean.value().floats == [0, 0, 0])

        _ = try await trainer.fit(
            data, batchSize: 3, validation: data, shuffle: false, verbosity: .silent)
        let x = data.inputs[0].floats.map(Double.init)
        let expected = (0..<3).map { feature -> Double in
            let column = (0..<6).map { row -> Double in x[3 * row + feature] }
            let means: [Double] = [column[..<3].reduce(0, +) / 3, column[3...].reduce(0, +) / 3]
            return 0.1875 * means[0] + 0.25 * means[1]
        }
        expectClose(try await mean.value().floats, expected, 1e-6)
        _ = try await trainer.evaluate(data)
        expectClose(try await mean.value().floats, expected, 1e-6)
        // Outputs in inference are of the mean that was kept.
        let kernel = try await values(of: trainer.trained.compactMap(\.variable)).map(\.floats)
        let outputs = try await trainer.predict(inputs: data.inputs[0]).floats
        let first = (0..<3).map { i -> Double in (x[i] - expected[i]) * Double(kernel[0][2 * i]) }
        #expect(abs(Double(outputs[0] - kernel[1][0]) - first.reduce(0, +)) < 1e-5)
    }

    @Test func stateOfLayersIsSetBackWithTheRest() async throws {
        let (model, layer) = try movingMean()
        let mean = try #require(layer.mean.variable)
        let data = try regression(6)
        let good = try movingMean()
        let goodTrainer = try good.0.compile(
            optimizer: .sgd(), loss: .meanSquaredError, device: .reference)
        _ = try await goodTrainer.fit(data, epochs: 2, batchSize: 3, verbosity: .silent)

        let trainer = try model.compile(
            optimizer: .sgd(), loss: .meanSquaredError, device: Device(HookedBackend { $0 == 5 ? .nan : nil })
        )
        await #expect(throws: TrainingError.self) {
            try await trainer.fit(data, epochs: 4, batchSize: 3, verbosity: .silent)
        }
        let expected = try #require(good.1.mean.variable)
        #expect(try await mean.value() == expected.value())
        #expect(try await mean.value().floats.contains { $0 != 0 })
    }

    @Test func aFrozenLayerKeepsItsState() async throws {
        let (model, layer) = try movingMean()
        layer.isTrainable = false
        let trainer = try model.compile(
            optimizer: .sgd(), loss: .meanSquaredError, device: .reference)
        _ = try await trainer.fit(regression(6), epochs: 2, verbosity: .silent)
        #expect(try await layer.mean.variable?.value().floats == [0, 0, 0])
    }
}
