import Foundation
import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaOneDNN
import FoveaRuntime
import Testing

@testable import FoveaTraining

/// Models with several inputs and outputs, and what is asked of each.
struct SeveralOutputsTests {
    private func trainer(
        classWeight: Double = 1, sizeWeight: Double = 0.25, on backend: any Backend = ReferenceBackend()
    ) throws -> Trainer {
        try twoHeaded().compile(
            TrainingConfiguration(
                optimizer: .sgd(),
                outputs: [
                    "size": OutputTraining(
                        loss: .meanSquaredError, weight: sizeWeight, metrics: [.rootMeanSquaredError]),
                    "class": OutputTraining(
                        loss: .sparseCategoricalCrossentropy(), weight: classWeight,
                        metrics: [.accuracy, .sparseTopKCategoricalAccuracy(k: 2)]),
                ]), device: Device(backend))
    }

    private func losses(_ predictions: [TensorValue], _ data: Examples) -> (class: [Double], size: [Double]) {
        let (classes, sizes) = (predictions[0].floats, predictions[1].floats)
        return (
            data.targets[0].integers.enumerated().map { i, label -> Double in
                -log(Double(classes[3 * i + Int(label)]))
            },
            zip(sizes, data.targets[1].floats).map { a, b -> Double in Double(a - b) * Double(a - b) }
        )
    }

    @Test(arguments: [ReferenceBackend(), OneDNNBackend(precision: .strict)] as [any Backend])
    func lossesAndMetricsOfEachOutputAreReported(backend: any Backend) async throws {
        let data = try twoHeadedExamples(11)
        let trainer = try trainer(classWeight: 2, on: backend)
        let result = try await trainer.evaluate(data, batchSize: 4)
        #expect(
            result.metrics.keys.sorted() == [
                "class_accuracy", "class_loss", "class_sparse_top_k_categorical_accuracy_k_2", "size_loss",
                "size_root_mean_squared_error",
            ])
        let predictions = try await trainer.predict(inputs: data.inputs, batchSize: 3)
        #expect(predictions.map(\.shape) == [[11, 3], [11, 1]])
        let expected = losses(predictions, data)
        let (classLoss, sizeLoss) = (
            expected.class.reduce(0, +) / 11, expected.size.reduce(0, +) / 11
        )
        #expect(abs((result.metrics["class_loss"] ?? 0) - classLoss) < 1e-5)
        #expect(abs((result.metrics["size_loss"] ?? 0) - sizeLoss) < 1e-5)
        #expect(abs((result.metrics["size_root_mean_squared_error"] ?? 0) - sizeLoss.squareRoot()) < 1e-5)
        #expect(abs(result.loss - (2 * classLoss + 0.25 * sizeLoss)) < 1e-5)
        let right = (0..<11).count { index in
            let row = predictions[0].floats[(3 * index)..<(3 * index + 3)]
            return row.max() == row[3 * index + Int(data.targets[0].integers[index])]
        }
        #expect(result.metrics["class_accuracy"] == Double(right) / 11)

        let history = try await trainer.fit(data, batchSize: 11, validation: data, verbosity: .silent)
        #expect(abs(history.epochs[0].loss - result.loss) < 1e-5)
        for (name, value) in result.metrics {
            #expect(abs((history.epochs[0][name] ?? 0) - value) < 1e-5, "\(name)")
        }
        #expect(Set(history.epochs[0].validationMetrics.keys) == Set(result.metrics.keys))
    }

    @Test func theStepGoesDownTheSumOfTheWeightedLosses() async throws {
        let loss = try await expectStepDownTheReportedLoss(
            trainer(classWeight: 1.5, sizeWeight: 0.5), twoHeadedExamples(7))
        let result = try await trainer(classWeight: 1.5, sizeWeight: 0.5).evaluate(twoHeadedExamples(7))
        #expect(abs(loss - result.loss) < 1e-5)
    }

    @Test func anOutputOfWeightZeroMovesNothingOfItsOwn() async throws {
        let trainer = try trainer(sizeWeight: 0)
        let size = try #require(
            trainer.model.parameters.first { $0.path == "size/kernel" }?.parameter.variable)
        let before = try await size.value()
        _ = try await trainer.fit(twoHeadedExamples(6), verbosity: .silent)
        #expect(try await size.value() == before)
    }

    @Test func outputsWithoutLossAreOnlyMeasuredAndOthersNeedNoTargets() async throws {
        let data = try twoHeadedExamples(8)
        let measured = try twoHeaded().compile(
            TrainingConfiguration(
                optimizer: .sgd(),
                outputs: [
                    "class": OutputTraining(loss: nil, metrics: [.accuracy]),
                    "size": OutputTraining(loss: .meanAbsoluteError),
                ]), device: .reference)
        let history = try await measured.fit(data, epochs: 2, batchSize: 8, verbosity: .silent)
        #expect(history.epochs[1].values.map(\.name) == ["class_accuracy", "loss"])

        let alone = try twoHeaded().compile(
            TrainingConfiguration(
                optimizer: .sgd(), outputs: ["size": OutputTraining(loss: .meanAbsoluteError)]),
            device: .reference)
        let sizes = try Examples(inputs: data.inputs, targets: [data.targets[1]])
        let same = try await alone.fit(sizes, epochs: 2, batchSize: 8, verbosity: .silent)
        #expect(same.epochs[1].values.map(\.name) == ["loss"])
        #expect(same.epochs.map(\.loss) == history.epochs.map(\.loss))
    }

    @Test func oneLossForAllOutputs() async throws {
        let input = LayerOutput.input("x", [2])
        let model = try Model(
            inputs: [input],
            outputs: [Dense(units: 1, name: "a")(input), Dense(units: 1, name: "b")(input)])
        let trainer = try model.compile(
            optimizer: .sgd(), loss: .meanSquaredError, device: .reference)
        let targets = try numbers([5, 1])
        let result = try await trainer.evaluate(
            Examples(inputs: [numbers([5, 2])], targets: [targets, targets]))
        let parts = try (#require(result.metrics["a_loss"]), #require(result.metrics["b_loss"]))
        #expect(parts.0 != parts.1 && abs(result.loss - parts.0 - parts.1) < 1e-5)
    }

    // MARK: Errors

    @Test func outputsThatDoNotExist() throws {
        func error(_ outputs: [String: OutputTraining]) -> TrainingError? {
            #expect(throws: TrainingError.self) {
                try twoHeaded().compile(TrainingConfiguration(optimizer: .sgd(), outputs: outputs))
            }
        }
        let loss = OutputTraining(loss: .meanSquaredError)
        #expect(error(["sise": loss]) == .unknownOutput("sise", known: ["class", "size"]))
        #expect(error(["sise": loss])?.description.contains("did you mean 'size'?") == true)
        #expect(error([:]) == .noLoss)
        #expect(error(["size": OutputTraining(loss: nil, metrics: [.accuracy])]) == .noLoss)
        for weight in [-1, .nan, .infinity] {
            let text = error(["size": OutputTraining(loss: .poisson, weight: weight)])?.description
            #expect(text?.contains("output 'size'") == true)
        }
    }

    /// `dense` twice gives `dense` and `dense_1`, and so is another layer called.
    @Test func outputsOfOneNameAreRefused() throws {
        let input = LayerOutput.input("x", [2])
        let (first, second) = (Dense(units: 1)(input), Dense(units: 1)(input))
        let model = try Model(inputs: [input], outputs: [first, second, first])
        let error = #expect(throws: TrainingError.self) {
            try model.compile(optimizer: .sgd(), loss: .meanSquaredError)
        }
        #expect(error?.description.contains("dense, dense_1, dense_1") == true)
    }

    @Test func countsThatDoNotFit() async throws {
        let data = try twoHeadedExamples(4)
        let trainer = try trainer()
        func error(_ examples: Examples) async -> TrainingError? {
            await #expect(throws: TrainingError.self) {
                try await trainer.fit(examples, verbosity: .silent)
            }
        }
        let inputs = await error(try Examples(inputs: [data.inputs[0]], targets: data.targets))
        #expect(
            inputs == .wrongCount("inputs", expected: ["left", "right"], received: 1, in: .training))
        #expect(inputs?.description.contains("left, right") == true)
        let targets = await error(try Examples(inputs: data.inputs, targets: [data.targets[0]]))
        #expect(
            targets == .wrongCount("targets", expected: ["class", "size"], received: 1, in: .training))
        let turned = await error(try Examples(inputs: data.inputs.reversed(), targets: data.targets))
        #expect(turned == .wrongInputShape(expected: [3], received: [2], in: .training))
        await #expect(throws: TrainingError.self) { try await trainer.predict(inputs: [data.inputs[0]]) }
        await #expect(throws: ShapeError.self) { try await trainer.predict(inputs: data.inputs[0]) }
    }

    @Test func whatDoesNotFitAnOutputIsNamed() async throws {
        let data = try twoHeadedExamples(4)
        func error(_ output: String, _ training: OutputTraining, _ targets: [TensorValue]) async throws
            -> String
        {
            var outputs = ["class": OutputTraining(loss: .sparseCategoricalCrossentropy())]
            outputs["size"] = OutputTraining(loss: .meanSquaredError)
            outputs[output] = training
            let trainer = try twoHeaded().compile(
                TrainingConfiguration(optimizer: .sgd(), outputs: outputs), device: .reference)
            let examples = try Examples(inputs: data.inputs, targets: targets)
            let error = await #expect(throws: ShapeError.self) {
                try await trainer.fit(examples, verbosity: .silent)
            }
            return "\(error as Any)"
        }
        // A metric that wants classes of an output that is one number.
        let metric = try await error(
            "size", OutputTraining(loss: .meanSquaredError, metrics: [.sparseCategoricalAccuracy]),
            data.targets)
        #expect(metric.contains("training data/output 'size': "), "\(metric)")
        #expect(metric.contains("sparse_categorical_accuracy") && metric.contains("1]"), "\(metric)")
        let loss = try await error(
            "class", OutputTraining(loss: .meanSquaredError), [numbers([4, 2]), data.targets[1]])
        #expect(loss.contains("training data/output 'class': "), "\(loss)")
        #expect(loss.contains("2]") && loss.contains("3]"), "\(loss)")
    }
}
