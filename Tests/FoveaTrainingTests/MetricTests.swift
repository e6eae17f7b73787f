import Foundation
import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaOneDNN
import FoveaRuntime
import Testing

@testable import FoveaTraining

/// Every metric with default settings.
let usualMetrics: [any Metric] =
    builtInMetrics.map { $0.init() } + builtInLosses.map { .loss($0.init()) }

struct MetricTests {
    private func totals(
        _ metric: any Metric, _ targets: TensorValue, _ predictions: TensorValue, fromLogits: Bool = false,
        on backend: any Backend = ReferenceBackend()
    ) async throws -> [Float] {
        let y = Tensor.input("y", Shape(Array(targets.shape.dimensions.dropFirst())), targets.dtype)
        let x = Tensor.input("x", Shape(Array(predictions.shape.dimensions.dropFirst())))
        let sums = try metric(targets: y, predictions: x, fromLogits: fromLogits)
        return try await outputs(
            of: [sums], ["x": predictions, "y": targets], batch: predictions.shape[0], on: backend)[0].floats
    }

    /// Not a right answer, nor a wrong one, nor an example fewer.
    @Test(arguments: usualMetrics) func aPredictionThatIsNaNMakesTheMetricNaN(_ metric: any Metric)
        async throws
    {
        let rows = try TensorValue(shape: [2, 5], [0, 1, 0, 0, 0, 0, 0, 0, 0, 1])
        let numbers: [Float] = [0.1, 0.6, 0.1, 0.1, 0.1, 0.2, 0.2, 0.3, 0.1, 0.2]
        for backend in [ReferenceBackend(), OneDNNBackend()] as [any Backend] {
            var fitting = 0
            for targets in [rows, TensorValue([1, 4] as [Int32])] {
                let x = try TensorValue(shape: [2, 5], numbers)
                guard let good = try? await totals(metric, targets, x, on: backend) else { continue }
                fitting += 1
                #expect(metric.value(of: good.map(Double.init)).isFinite)
                for place in numbers.indices {
                    var broken = numbers
                    broken[place] = .nan
                    for fromLogits in [false, true] {
                        let sums = try await totals(
                            metric, targets, TensorValue(shape: [2, 5], broken), fromLogits: fromLogits,
                            on: backend)
                        // As of several batches, one of them good.
                        let value = metric.value(of: zip(sums, good).map { Double($0) + Double($1) })
                        #expect(value.isNaN, "\(place), \(backend.name)")
                    }
                }
            }
            #expect(fitting > 0)
        }
    }

    /// Classes that a model rules out have the logit -∞.
    @Test func infiniteLogitsAreOrdinaryAnswers() async throws {
        let x = try TensorValue(shape: [2, 3], [-.infinity, 1, 0, .infinity, 0, -.infinity])
        let labels = TensorValue([1, 0] as [Int32])
        let metrics: [any Metric] = [
            .accuracy, .sparseTopKCategoricalAccuracy(k: 2), .recall(), .precision(),
        ]
        for metric in metrics {
            #expect(try await totals(metric, labels, x, fromLogits: true).allSatisfy { $0.isFinite })
        }
        #expect(try await totals(.accuracy, labels, x, fromLogits: true) == [2, 2])
    }

    @Test(arguments: [.accuracy, .sparseCategoricalAccuracy] as [any Metric])
    func sparse(_ metric: any Metric) async throws {
        let x = try TensorValue(shape: [3, 3], [0.1, 0.7, 0.2, 0.5, 0.5, 0, 0, 0.1, 0.9])
        #expect(try await totals(metric, TensorValue([1, 1, 2] as [Int32]), x) == [2, 3])
        let column = try TensorValue(shape: [3, 1], storage: .int32([1, 0, 0]))
        #expect(try await totals(metric, column, x) == [2, 3])
    }

    @Test(arguments: [.accuracy, .categoricalAccuracy] as [any Metric])
    func categorical(_ metric: any Metric) async throws {
        let x = try TensorValue(shape: [2, 3], [0.1, 0.7, 0.2, 0.6, 0.4, 0])
        #expect(try await totals(metric, TensorValue(shape: [2, 3], [0, 1, 0, 0, 0.4, 0.6]), x) == [1, 2])
    }

    @Test(arguments: [.accuracy, .binaryAccuracy()] as [any Metric])
    func binary(_ metric: any Metric) async throws {
        let x = try TensorValue(shape: [5, 1], [0.2, 0.5, 0.51, 0.9, 0.4])
        #expect(try await totals(metric, TensorValue([0, 0, 1, 0, 1] as [Int32]), x) == [3, 5])
        // As logits all of them are on the upper side.
        #expect(
            try await totals(metric, TensorValue([0, 0, 1, 0, 1] as [Float]), x, fromLogits: true) == [2, 5])
    }

    @Test func severalOutputsCountEach() async throws {
        let x = try TensorValue(shape: [2, 2], [0.2, 0.6, 0.7, 0.1])
        #expect(try await totals(.binaryAccuracy(), TensorValue(shape: [2, 2], [0, 1, 0, 1]), x) == [1, 2])
    }

    private func value(
        _ metric: any Metric, _ targets: TensorValue, _ predictions: TensorValue, fromLogits: Bool = false
    ) async throws -> Double {
        metric.value(
            of: try await totals(metric, targets, predictions, fromLogits: fromLogits).map(Double.init))
    }

    @Test func outputsThatTieForTheLastPlaceAreAllAmongTheLargest() async throws {
        let x = try TensorValue(
            shape: [4, 3], [0.5, 0.5, 0, 0.5, 0.5, 0.5, 1, 2, 0, 3, 2, 1])
        let labels = TensorValue([1, 2, 0, 2] as [Int32])
        #expect(try await totals(.sparseTopKCategoricalAccuracy(k: 1), labels, x) == [2, 4])
        #expect(try await totals(.sparseTopKCategoricalAccuracy(k: 2), labels, x) == [3, 4])
        #expect(try await totals(.sparseTopKCategoricalAccuracy(k: 3), labels, x) == [4, 4])
        let outside = TensorValue([3, -1, 3, 3] as [Int32])
        #expect(try await totals(.sparseTopKCategoricalAccuracy(k: 3), outside, x) == [0, 4])
    }

    @Test func thresholdsOfLogitsAreThoseOfTheirSigmoids() async throws {
        let x: [Float] = [-3, -1, 0.5, 1.2, 1.5, 4]
        let sigmoids = x.map { 1 / (1 + exp(-$0)) }
        let t = TensorValue([0, 1, 0, 1, 1, 0] as [Float])
        let metrics: [any Metric] = [
            .binaryAccuracy(threshold: 0.8), .precision(threshold: 0.8), .recall(threshold: 0.25),
            .f1Score(), .auc(), .binaryAccuracy(threshold: 0), .recall(threshold: 1),
        ]
        for metric in metrics {
            let logits = try await totals(
                metric, t, TensorValue(shape: [6, 1], x), fromLogits: true)
            #expect(
                try await totals(metric, t, TensorValue(shape: [6, 1], sigmoids)) == logits, "\(metric.name)")
        }
        let all = try await totals(
            .recall(threshold: 0), t, TensorValue(shape: [6, 1], x), fromLogits: true)
        #expect(all == [3, 6, 3])
    }

    @Test func classesWithoutExamplesCountAsZero() async throws {
        let x = try TensorValue(shape: [2, 3], [0.1, 0.7, 0.2, 0.6, 0.4, 0])
        let labels = TensorValue([1, 1] as [Int32])
        #expect(try await totals(.precision(), labels, x) == [0, 1, 0, 1, 1, 0, 0, 2, 0])
        #expect(try await value(.precision(), labels, x) == 1 / 3)
        #expect(abs(try await value(.recall(), labels, x) - 0.5 / 3) < 1e-12)
        #expect(abs(try await value(.f1Score(), labels, x) - 2.0 / 9) < 1e-12)
        #expect(try await value(.f1Score(average: .micro), labels, x) == 0.5)
    }

    @Test func nothingDividedByNothingIsZero() async throws {
        let x = try TensorValue(shape: [2, 1], [0.1, 0.2])
        let none = TensorValue([0, 0] as [Float])
        let metrics: [any Metric] = [.precision(), .recall(), .f1Score(), .auc(), .auc(curve: .pr)]
        for metric in metrics {
            #expect(try await value(metric, none, x) == 0, "\(metric.name)")
        }
        for metric in usualMetrics { #expect(metric.value(of: []) == 0, "\(metric.name)") }
    }

    @Test func areaOfPerfectAndReversedOrders() async throws {
        let x = try TensorValue(shape: [4, 1], [0, 0.2, 0.8, 1])
        let (good, bad) = (TensorValue([0, 0, 1, 1] as [Float]), TensorValue([1, 1, 0, 0] as [Float]))
        #expect(try await value(.auc(), good, x) == 1)
        #expect(try await value(.auc(curve: .pr), good, x) == 1)
        #expect(try await value(.auc(), bad, x) == 0)
    }

    @Test func aTrainerAddsTheSumsOfItsBatches() async throws {
        let model = try Sequential(input: [2], seed: 4) { Dense(units: 3, activation: .softmax) }
        let metrics: [any Metric] = [
            .accuracy, .precision(), .recall(), .f1Score(average: .micro),
            .sparseTopKCategoricalAccuracy(k: 2),
            .loss(.sparseCategoricalCrossentropy()),
        ]
        let trainer = try model.compile(
            optimizer: .sgd(), loss: .sparseCategoricalCrossentropy(), metrics: metrics)
        let inputs = try TensorValue(
            shape: [7, 2], [1, 0, 0, 1, -1, 0, 0, -1, 1, 1, -1, 1, 2, -1])
        let labels: [Int32] = [0, 1, 2, 0, 1, 2, 0]
        let result = try await trainer.evaluate(
            Examples(inputs: inputs, targets: TensorValue(labels)), batchSize: 3)
        #expect(Set(result.metrics.keys) == Set(metrics.map(\.name)))
        let matrix = try ConfusionMatrix(
            labels: labels.map(Int.init), predictions: try await trainer.predict(inputs: inputs), classes: 3)
        func isClose(_ name: String, _ expected: Double) -> Bool {
            abs((result.metrics[name] ?? .nan) - expected) < 1e-6
        }
        #expect(isClose("accuracy", matrix.accuracy) && isClose("f1_score_average_micro", matrix.accuracy))
        #expect(isClose("precision", matrix.precision.reduce(0, +) / 3))
        #expect(isClose("recall", matrix.recall.reduce(0, +) / 3))
        #expect(isClose("sparse_categorical_crossentropy", result.loss))
    }

    // MARK: Regions, regression

    @Test func classesThatAreNowhereDoNotCountInOverlaps() async throws {
        let x = try TensorValue(shape: [4, 3], [1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0])
        #expect(
            try await value(.meanIoU(), TensorValue([0, 0, 0, 1] as [Int32]), x) == (2 / 3.0 + 1 / 2.0) / 2)
        #expect(try await value(.iou(classes: [2]), TensorValue([0, 0, 0, 1] as [Int32]), x) == 0)
        // Places of an unknown or ignored class are no errors, whatever is predicted there.
        #expect(try await value(.meanIoU(), TensorValue([0, 0, 255, 1] as [Int32]), x) == 1)
        #expect(try await value(.meanIoU(ignoreClass: 2), TensorValue([0, 0, 2, 1] as [Int32]), x) == 1)
        #expect(
            try await value(.meanIoU(), TensorValue([0, 0, 2, 1] as [Int32]), x) == (1 + 1 / 2.0 + 0) / 3)
    }

    @Test func theFourCountsAddUp() async throws {
        let x = try TensorValue(shape: [3, 2], [0.9, 0.2, 0.6, 0.7, 0.1, 0.3])
        let t = try TensorValue(shape: [3, 2], [1, 0, 0, 1, 1, 1])
        let metrics: [any Metric] = [
            .truePositives(), .falsePositives(), .trueNegatives(), .falseNegatives(),
        ]
        var counts: [Double] = []
        for metric in metrics { counts.append(try await value(metric, t, x)) }
        #expect(counts == [2, 1, 1, 2])
        // Class numbers, and of each row the largest output.
        let labels = TensorValue([0, 0, 1] as [Int32])
        #expect(try await value(.truePositives(threshold: nil), labels, x) == 2)
        #expect(try await value(.falseNegatives(threshold: nil), labels, x) == 1)
    }

    @Test func explainedVariation() async throws {
        let t = try TensorValue(shape: [3, 2], [1, 5, 2, 5, 3, 5])
        #expect(try await value(.r2Score(), t, t) == 0.5)
        #expect(try await value(.r2Score(aggregation: .varianceWeightedAverage), t, t) == 1)
        let mean = try TensorValue(shape: [3, 2], [2, 5, 2, 5, 2, 5])
        #expect(try await value(.r2Score(), t, mean) == 0)
        let worse = try TensorValue(shape: [3, 1], [3, 2, 1])
        #expect(try await value(.r2Score(), TensorValue([1, 2, 3] as [Float]), worse) == -3)
    }

    // MARK: Errors

    @Test func wrongShapesAreErrors() {
        let x = Tensor.input("x", [3])
        #expect(throws: ShapeError.self) {
            try CategoricalAccuracyMetric()(targets: .input("y", [4]), predictions: x)
        }
        #expect(throws: ShapeError.self) {
            try SparseCategoricalAccuracyMetric()(targets: .input("y", [3], .int32), predictions: x)
        }
    }

    @Test(
        arguments: [
            (.topKCategoricalAccuracy(), [1], [1], .float32),
            (.topKCategoricalAccuracy(k: 4), [3], [3], .float32),
            (.sparseTopKCategoricalAccuracy(k: 1), [], [1], .int32),
            (.sparseTopKCategoricalAccuracy(k: 2), [], [3], .float32),
            (.categoricalAccuracy, [1], [1], .float32), (.sparseCategoricalAccuracy, [1], [1], .int32),
            (.auc(), [], [10], .int32), (.auc(), [2], [10], .float32), (.precision(), [4], [3], .float32),
            (.recall(), [], [3], .float32), (.f1Score(), [2, 2], [3], .float32),
            (.cosineSimilarity, [2], [3], .float32), (.rootMeanSquaredError, [2], [3], .float32),
            (.binaryAccuracy(), [2], [3], .float32), (.accuracy, [], [3], .float32),
            (.loss(.huber()), [4], [3], .float32), (.truePositives(), [4], [3], .float32),
            (.meanIoU(), [], [1], .int32), (.meanIoU(), [2], [3], .float32),
            (.binaryIoU(), [2], [3], .float32), (.r2Score(), [2], [3], .float32),
            (.fBetaScore(beta: 2), [4], [3], .float32), (.precisionAtRecall(0.5), [], [3], .int32),
        ] as [(any Metric, Shape, Shape, DType)])
    func aMetricThatDoesNotFitNamesItselfAndTheShapes(
        _ metric: any Metric, _ targets: Shape, _ predictions: Shape, _ dtype: DType
    ) throws {
        let y = Tensor.input("y", targets, dtype)
        let x = Tensor.input("x", predictions)
        let error = try #require(throws: ShapeError.self) { try metric(targets: y, predictions: x) }
        #expect(metric.name.hasPrefix(error.operation))
        #expect(error.shapes == [y.shape, x.shape])
    }

    @Test(
        arguments: [
            .binaryAccuracy(threshold: -0.1), .binaryAccuracy(threshold: .nan), .precision(threshold: 2),
            .recall(threshold: .infinity), .topKCategoricalAccuracy(k: 0),
            .sparseTopKCategoricalAccuracy(k: .min), .auc(thresholds: 1), .auc(thresholds: .max),
            .loss(.huber(delta: -1)), .truePositives(threshold: 2), .falseNegatives(threshold: .nan),
            .fBetaScore(beta: 0), .fBetaScore(beta: .infinity), .iou(classes: []), .iou(classes: [3]),
            .iou(classes: [-1]), .binaryIoU(classes: [2]), .binaryIoU(classes: []),
            .binaryIoU(threshold: -1), .precisionAtRecall(1.5), .recallAtPrecision(.nan),
            .sensitivityAtSpecificity(0.5, thresholds: 1), .specificityAtSensitivity(-1),
        ] as [any Metric])
    func settingsOutOfRange(_ metric: any Metric) {
        let isSparse = metric.name.hasPrefix("sparse")
        let y = Tensor.input("y", isSparse ? .scalar : [3], isSparse ? .int32 : .float32)
        #expect(throws: TrainingError.self) { try metric(targets: y, predictions: .input("x", [3])) }
    }

    @Test func weightsThatDoNotFit() {
        let (y, x) = (Tensor.input("y", [3]), Tensor.input("x", [3]))
        for weights in [Tensor.input("w", [3]), .input("w", .scalar, .int32), .constant(1)] {
            #expect(throws: ShapeError.self) {
                try AccuracyMetric()(targets: y, predictions: x, sampleWeights: weights)
            }
        }
    }

    // MARK: Names and files

    private static let others: [any Metric] = [
        .binaryAccuracy(threshold: 0.25), .topKCategoricalAccuracy(k: 3),
        .sparseTopKCategoricalAccuracy(k: 3),
        .precision(threshold: 0.5), .precision(average: .micro), .precision(threshold: 0.5, average: .micro),
        .recall(threshold: 0.5), .recall(average: .micro), .f1Score(threshold: 0.1),
        .f1Score(average: .micro),
        .auc(curve: .pr), .auc(thresholds: 20), .auc(curve: .pr, thresholds: 20),
        .loss(.binaryCrossentropy(fromLogits: true)), .loss(.binaryCrossentropy(labelSmoothing: 0.1)),
        .loss(.sparseCategoricalCrossentropy(fromLogits: true, labelSmoothing: 0.1)),
        .loss(.categoricalFocalCrossentropy(alpha: 1)), .loss(.categoricalFocalCrossentropy(gamma: 1)),
        .loss(.binaryFocalCrossentropy(applyClassBalancing: true)), .loss(.binaryFocalCrossentropy(alpha: 1)),
        .loss(.huber(delta: 2)), .truePositives(threshold: nil), .falsePositives(threshold: 0.25),
        .fBetaScore(beta: 2), .fBetaScore(beta: 0.5, threshold: 0.5), .iou(classes: [0]),
        .iou(classes: [0, 2]), .meanIoU(ignoreClass: 255), .binaryIoU(classes: [1]),
        .binaryIoU(threshold: 0.25), .r2Score(aggregation: .varianceWeightedAverage),
        .precisionAtRecall(0.75), .precisionAtRecall(0.5, thresholds: 20), .recallAtPrecision(0.75),
        .sensitivityAtSpecificity(0.9), .specificityAtSensitivity(0.9),
        .loss(.sparseCategoricalCrossentropy(ignoreClass: 255)), .loss(.tversky(alpha: 0.25)),
    ]

    @Test func differentMetricsHaveDifferentNames() {
        let all = usualMetrics + Self.others
        #expect(
            Set(all.map(\.name)).count == all.count && Set(all.map { CodableMetric($0) }).count == all.count)
        for metric in usualMetrics { #expect(metric.name == metric.kind && metric.hasDefaultSettings) }
        for metric in Self.others { #expect(!metric.hasDefaultSettings, "\(metric.name)") }
        #expect(
            PrecisionMetric(threshold: 0.7, average: .micro).name == "precision_threshold_0.7_average_micro")
    }
}
