import FoveaGraph
import FoveaOneDNN
import FoveaRuntime
import TestSupport
import Testing

@testable import FoveaTraining

/// Losses and gradients against Keras and PyTorch, and against finite differences.
struct LossGoldenTests {
    private struct Input: Decodable {
        let name: String
        let shape: [Int]
        let values: [Double]

        func value(_ dtype: DType) -> TensorValue {
            TensorValue(shape: Shape(shape), dtype: dtype, doubles: values)
        }
    }

    private struct Record: Decodable {
        let loss: CodableLoss
        let source, targets, predictions: String
        let values, gradient: [Double]
        let weightedMean: Double
    }

    private struct Records: Decodable {
        let weights: [String: [Double]]
        let inputs: [Input]
        let losses: [Record]
    }

    /// Relative to the largest number of each result.
    private let tolerance = 1e-5

    @Test(arguments: [ReferenceBackend() as any Backend, OneDNNBackend()])
    func agreesWithKerasAndPyTorch(backend: any Backend) async throws {
        let records = try golden("losses", as: Records.self)
        let inputs = Dictionary(uniqueKeysWithValues: records.inputs.map { ($0.name, $0) })
        #expect(Set(records.losses.map { type(of: $0.loss.loss).name }).count == builtInLosses.count)
        for record in records.losses {
            let isSparse = record.targets.contains("class_numbers")
            let targets = try #require(inputs[record.targets]).value(isSparse ? .int32 : .float32)
            let predictions = try #require(inputs[record.predictions]).value(.float32)
            let batch = predictions.shape[0]
            let weights = try #require(records.weights["\(batch)"])

            let y = Tensor.input("y", Shape(Array(targets.shape.dimensions.dropFirst())), targets.dtype)
            let x = Tensor.input("x", Shape(Array(predictions.shape.dimensions.dropFirst())))
            let values = try record.loss.loss(targets: y, predictions: x)
            let mean = try values.weightedMean(.input("w", .scalar))
            let results = try await outputs(
                of: [values, mean] + gradient(of: mean, withRespectTo: [x]),
                ["x": predictions, "y": targets, "w": TensorValue(weights.map(Float.init))], batch: batch,
                on: backend)
            let what = "\(record.loss.loss) of \(record.predictions), \(record.source), \(backend.name)"
            let expected = [record.values, [record.weightedMean], record.gradient]
            for (result, (expected, part)) in zip(
                results, zip(expected, ["values", "weighted mean", "gradient"]))
            {
                let shape = result.shape
                expectClose(
                    result, TensorValue(shape: shape, dtype: .float32, doubles: expected),
                    relativeTolerance: tolerance, "\(what): \(part)")
            }
            #expect(results[0].shape == [batch])
        }
    }

    // MARK: Finite differences

    private static func gradientCase(
        _ loss: any Loss, _ targets: CaseInput, _ predictions: CaseInput
    ) -> OperationCase {
        OperationCase("\(loss)", [targets.withoutGradient, predictions]) {
            [try loss(targets: $0[0], predictions: $0[1])]
        }
    }

    private static let cases: [OperationCase] = {
        let (rows, places): (Shape, Shape) = ([3, 5], [2, 3, 2, 4])
        let logits = CaseInput.batch(rows, .uniform(-3, 3))
        let probabilities = CaseInput.batch(rows, .uniform(0.1, 0.9))
        let labels = CaseInput.batch([3], .listed([4, 0, 2])).of(.int32)
        let bits = CaseInput.batch(rows, .integers(0...1))
        let between = CaseInput.batch(places, .betweenIntegers)
        let whole = CaseInput.batch(places, .integers(-3...3))
        return [
            gradientCase(
                .sparseCategoricalCrossentropy(fromLogits: true, labelSmoothing: 0.1), labels, logits),
            gradientCase(.sparseCategoricalCrossentropy(), labels, probabilities),
            gradientCase(.categoricalCrossentropy(labelSmoothing: 0.1), probabilities, probabilities),
            gradientCase(.binaryCrossentropy(fromLogits: true, labelSmoothing: 0.1), bits, logits),
            gradientCase(.binaryCrossentropy(), bits, probabilities),
            gradientCase(.negativeLogLikelihood, labels, logits),
            gradientCase(.categoricalFocalCrossentropy(fromLogits: true), bits, logits),
            gradientCase(.categoricalFocalCrossentropy(gamma: 0.5), bits, probabilities),
            gradientCase(
                .binaryFocalCrossentropy(applyClassBalancing: true, fromLogits: true, labelSmoothing: 0.1),
                bits,
                logits),
            gradientCase(.binaryFocalCrossentropy(gamma: 0.5), probabilities, probabilities),
            gradientCase(
                .sparseCategoricalCrossentropy(fromLogits: true, labelSmoothing: 0.1, ignoreClass: 0), labels,
                logits),
            gradientCase(.dice, bits, probabilities),
            gradientCase(.tversky(alpha: 0.3, beta: 0.9), probabilities, probabilities),
            gradientCase(
                .meanAbsolutePercentageError, .batch(rows, .uniform(4, 5)), .batch(rows, .uniform(1, 3))),
            gradientCase(
                .meanSquaredLogarithmicError, .batch(rows, .integers(0...4)), .batch(rows, .uniform(0.3, 4))),
            gradientCase(.klDivergence, probabilities, probabilities),
            gradientCase(.meanSquaredError, whole, between),
            gradientCase(.meanAbsoluteError, whole, between),
            gradientCase(.huber(delta: 2), whole, between),
            gradientCase(.logCosh, whole, between),
            gradientCase(.poisson, .batch(rows, .integers(0...4)), .batch(rows, .uniform(0.3, 4))),
            gradientCase(.cosineSimilarity, whole, between),
            gradientCase(.hinge, .batch(places, .integers(0...1)), between),
            gradientCase(.squaredHinge, .batch(places, .integers(0...1)), between),
            gradientCase(
                .categoricalHinge, .batch([3, 3], .listed([0, 1, 0, 0, 0, 1, 1, 0, 0])),
                .batch([3, 3], .listed([0.3, -1.2, 0.9, 2.1, -0.4, 0.65, 3.7, -0.6, 1.3]))),
        ]
    }()

    @Test(arguments: cases) func gradients(_ operationCase: OperationCase) async throws {
        try await Compute.run {
            try checkGradient(operationCase)
            try check(operationCase, on: OneDNNBackend(), relativeTolerance: 1e-5)
            try check(operationCase, on: OneDNNBackend(), batch: 7, relativeTolerance: 1e-5)
        }
    }
}
