import FoveaGraph
import FoveaTraining
import Testing

struct MetricTests {
    private func totals(
        _ metric: Metric, _ targets: TensorValue, _ predictions: TensorValue, fromLogits: Bool = false
    ) async throws -> [Float] {
        let y = Tensor.input("y", Shape(Array(targets.shape.dimensions.dropFirst())), targets.dtype)
        let x = Tensor.input("x", Shape(Array(predictions.shape.dimensions.dropFirst())))
        let sums = try metric(targets: y, predictions: x, fromLogits: fromLogits)
        return try await outputs(
            of: [sums], ["x": predictions, "y": targets], batch: predictions.shape[0])[0].floats
    }

    @Test(arguments: [Metric.accuracy, .sparseCategoricalAccuracy])
    func sparse(_ metric: Metric) async throws {
        let x = try TensorValue(shape: [3, 3], [0.1, 0.7, 0.2, 0.5, 0.5, 0, 0, 0.1, 0.9])
        #expect(try await totals(metric, TensorValue([1, 1, 2] as [Int32]), x) == [2, 3])
        let column = try TensorValue(shape: [3, 1], storage: .int32([1, 0, 0]))
        #expect(try await totals(metric, column, x) == [2, 3])
    }

    @Test(arguments: [Metric.accuracy, .categoricalAccuracy])
    func categorical(_ metric: Metric) async throws {
        let x = try TensorValue(shape: [2, 3], [0.1, 0.7, 0.2, 0.6, 0.4, 0])
        #expect(try await totals(metric, TensorValue(shape: [2, 3], [0, 1, 0, 0, 0.4, 0.6]), x) == [1, 2])
    }

    @Test(arguments: [Metric.accuracy, .binaryAccuracy()])
    func binary(_ metric: Metric) async throws {
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

    @Test func wrongShapesAreErrors() {
        let x = Tensor.input("x", [3])
        #expect(throws: ShapeError.self) {
            try Metric.categoricalAccuracy(targets: .input("y", [4]), predictions: x)
        }
        #expect(throws: ShapeError.self) {
            try Metric.sparseCategoricalAccuracy(targets: .input("y", [3], .int32), predictions: x)
        }
    }
}
