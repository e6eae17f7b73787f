import Foundation
import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaTraining
import Testing

struct ClassificationReportTests {
    private let logits: [[Float]] = [[2, 0, 1], [0, 3, 3], [1, 1, 5], [-4, 0, 0.5]]
    private let labels = [0, 2, 2, 0]

    private func tensor(_ rows: [[Float]]) throws -> TensorValue {
        try TensorValue(shape: Shape([rows.count, rows.first?.count ?? 0]), rows.flatMap { $0 })
    }

    private var probabilities: [[Float]] {
        logits.map { row in
            let powers = row.map { exp($0) }
            return powers.map { $0 / powers.reduce(0, +) }
        }
    }

    /// Of every form of targets, and of probabilities as of logits.
    @Test func equalForEveryForm() throws {
        let oneHot = try tensor(labels.map { label in (0..<3).map { $0 == label ? 1 : 0 } })
        let numbers = labels.map(Int32.init)
        let forms: [TensorValue] = [
            TensorValue(numbers), TensorValue(labels.map(UInt8.init)), oneHot,
            try TensorValue(shape: [4, 1], storage: .int32(numbers)),
        ]
        for targets in forms {
            for fromLogits in [true, false] {
                let report = try ClassificationReport(
                    targets: targets, predictions: tensor(fromLogits ? logits : probabilities),
                    fromLogits: fromLogits, classNames: ["a", "b", "c"])
                #expect(report.confusion.counts == [[1, 0, 1], [0, 0, 0], [0, 1, 1]])
                #expect(report.confusion.support == [2, 0, 2])
                #expect(report.answers.map(\.index) == [0, 1, 2, 3])
                // The second row ties: the first of the largest is predicted.
                #expect(report.answers.map(\.predicted) == [0, 1, 2, 2])
                for (answer, (row, label)) in zip(report.answers, zip(probabilities, labels)) {
                    #expect(abs(answer.loss + log(Double(row[label]))) < 1e-5)
                    #expect(abs(answer.probability - Double(row[answer.predicted])) < 1e-6)
                }
                #expect(report.worst(2).map(\.index) == [3, 1])
                #expect(report.worst(9).count == 4 && report.worst(-1).isEmpty)
            }
        }
    }

    @Test func oneOutput() throws {
        let outputs = try tensor([[0.75], [0.5], [0.25], [1]])
        for targets in [
            TensorValue([1, 1, 1, 0] as [Float]), TensorValue([1, 1, 1, 0] as [Int32]),
            try TensorValue(shape: [4, 1], [1, 0.9, 1, 0.1]),
        ] {
            let report = try ClassificationReport(targets: targets, predictions: outputs)
            #expect(report.confusion.counts == [[0, 1], [2, 1]])
            #expect(abs(report.answers[2].loss + log(0.25)) < 1e-9)
            // A probability of 0 is taken for 1e-7, as losses do.
            #expect(report.worst(1)[0].index == 3)
            #expect(abs(report.worst(1)[0].loss + log(1e-7)) < 1e-9)
            let ofLogits = try ClassificationReport(
                targets: targets, predictions: outputs, fromLogits: true)
            #expect(ofLogits.confusion.counts == [[0, 1], [0, 3]])
            #expect(abs(ofLogits.answers[0].loss - log(1 + exp(-0.75))) < 1e-9)
        }
    }

    /// NaN is no answer, infinite logits are certain, and an ignored class counts nowhere.
    @Test func oddNumbers() throws {
        let report = try ClassificationReport(
            targets: TensorValue([0, 1, 1, -1, 0] as [Int32]),
            predictions: tensor([
                [.infinity, 0], [.nan, 0], [.infinity, 0], [1, 0], [-.infinity, -.infinity],
            ]), fromLogits: true, ignoredClass: -1, indices: [10, 20, 30, 40, 50])
        #expect(report.unansweredCount == 1)
        #expect(report.answers.map(\.index) == [10, 30, 50])
        #expect(report.answers.map(\.loss) == [0, .infinity, log(2)])
        #expect(report.confusion.counts == [[2, 0], [1, 0]])
        #expect("\(report)".hasSuffix("not counted are 1 examples for which the model's outputs are NaN"))
        let decoded = try JSONDecoder().decode(
            ClassificationReport.self,
            from: JSONEncoder().encode(
                ClassificationReport(
                    targets: TensorValue(labels.map(Int32.init)), predictions: tensor(logits),
                    fromLogits: true)))
        #expect(decoded.answers.count == 4)
    }

    @Test func wrongInput() throws {
        func expectError(
            _ targets: TensorValue, _ predictions: TensorValue, _ part: String, _ names: [String] = []
        ) {
            let error = #expect(throws: TrainingError.self) {
                try ClassificationReport(targets: targets, predictions: predictions, classNames: names)
            }
            #expect("\(error.map { "\($0)" } ?? "")".contains(part), "\(String(describing: error))")
        }
        let outputs = try tensor([[0, 1], [1, 0]])
        expectError(TensorValue([0, 2] as [Int32]), outputs, "label 2")
        expectError(TensorValue([0, -1] as [Int32]), outputs, "label -1")
        expectError(TensorValue([0, 1] as [Float]), outputs, "integers")
        expectError(TensorValue([0] as [Int32]), outputs, "class numbers [2]")
        expectError(TensorValue([0, 1] as [Int32]), TensorValue([0, 1] as [Float]), "[count, classes]")
        expectError(TensorValue([0, 1] as [Int32]), outputs, "class names", ["a"])
    }

    // MARK: Of models

    private func numbers(_ shape: Shape) throws -> TensorValue {
        try TensorValue(shape: shape, (0..<shape.elementCount).map { Float($0 * 37 % 101) / 50 - 1 })
    }

    private func model(units: Int, _ activation: ActivationFunction) throws -> Sequential {
        try Sequential(input: [3], seed: 4) { Dense(units: units, activation: activation) }
    }

    private func examples(_ count: Int) throws -> Examples {
        try Examples(
            inputs: numbers([count, 3]),
            targets: TensorValue((0..<count).map { Int32($0 * 5 % 3) }))
    }

    /// Trainer and predictor agree with the metrics and with each other, whatever the batch size.
    @Test(arguments: [true, false]) func ofAModel(fromLogits: Bool) async throws {
        let model = try model(units: 3, fromLogits ? .linear : .softmax)
        let trainer = try model.compile(
            optimizer: .sgd(), loss: .sparseCategoricalCrossentropy(fromLogits: fromLogits),
            metrics: [.accuracy], device: .reference)
        let examples = try examples(11)
        let evaluation = try await trainer.evaluate(examples, batchSize: 11)
        let whole = try await trainer.report(
            on: Dataset(examples), classNames: ["a", "b", "c"], batchSize: 11)
        #expect(whole.evaluation == evaluation)
        let numbers = [evaluation.accuracy ?? 0, evaluation.loss].map { String(format: "%.4f", $0) }
        #expect("\(evaluation)" == "accuracy: \(numbers[0]) - loss: \(numbers[1])")
        #expect(abs(whole.report.confusion.accuracy - (evaluation.accuracy ?? 0)) < 1e-9)
        let mean = whole.report.answers.reduce(0) { $0 + $1.loss } / 11
        #expect(abs(mean - evaluation.loss) < 1e-5)
        let inParts = try await trainer.report(on: Dataset(examples), batchSize: 4, loaderThreads: 0)
        #expect(inParts.report.answers.map(\.predicted) == whole.report.answers.map(\.predicted))
        let predictor = try Predictor(model, classNames: ["a", "b", "c"], device: .reference)
        let predicted = try await predictor.report(on: Dataset(examples), batchSize: 4)
        #expect(predicted.confusion == whole.report.confusion)
        #expect(zip(predicted.answers, whole.report.answers).allSatisfy { abs($0.loss - $1.loss) < 1e-5 })
    }

    private struct Damaged: Error {}

    /// Numbers stay those of the data set where examples are left out.
    @Test func leftOutExamples() async throws {
        let model = try model(units: 3, .softmax)
        let trainer = try model.compile(
            optimizer: .sgd(), loss: .sparseCategoricalCrossentropy(), device: .reference)
        let all = try examples(9)
        let damaged = try Dataset<Example>(count: 9) { index, _ in
            guard ![0, 3, 4, 5].contains(index) else { throw Damaged() }
            return try Dataset<Example>(all).element(at: index)
        }
        let failed = FailedElements()
        let report = try await trainer.report(on: damaged, batchSize: 3, onError: .skip(failed)).report
        #expect(report.answers.map(\.index) == [1, 2, 6, 7, 8])
        #expect(report.answers.map(\.label) == [1, 2, 6, 7, 8].map { $0 * 5 % 3 })
        #expect(failed.batchCount == 1)
        let predictor = try Predictor(model, device: .reference)
        #expect(try await predictor.report(on: damaged, batchSize: 3, onError: .skip(failed)) == report)
        await #expect(throws: Damaged.self) { try await trainer.report(on: damaged) }
        let none = try Dataset<Example>(count: 2) { _, _ in throw Damaged() }
        await #expect(throws: TrainingError.self) {
            try await trainer.report(on: none, onError: .skip(failed))
        }
        await #expect(throws: TrainingError.self) { try await trainer.report(on: damaged.take(0)) }
        await #expect(throws: TrainingError.self) { try await trainer.report(on: damaged.repeated()) }
    }

    @Test func onlyOneOutputOfClasses() async throws {
        let model = try Sequential(input: [2, 2, 3]) {
            Conv2D(filters: 3, kernelSize: 1, activation: .softmax)
        }
        let trainer = try model.compile(
            optimizer: .sgd(), loss: .sparseCategoricalCrossentropy(), device: .reference)
        let examples = try Examples(
            inputs: numbers([2, 2, 2, 3]),
            targets: TensorValue(shape: [2, 2, 2], dtype: .int32, doubles: [0, 1, 2, 0, 1, 2, 0, 1]))
        let error = await #expect(throws: TrainingError.self) {
            try await trainer.report(on: Dataset(examples))
        }
        #expect("\(error.map { "\($0)" } ?? "")".contains("[classes]"))
    }
}
