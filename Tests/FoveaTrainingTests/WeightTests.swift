import Foundation
import FoveaGraph
import FoveaTraining
import Testing

/// Sample weights and class weights. (`LossGoldenTests` compares the weighted mean with Keras.)
struct WeightTests {
    @Test func theSumIsDividedByTheNumberOfExamples() async throws {
        let (losses, weights) = (Tensor.input("l", .scalar), Tensor.input("w", .scalar))
        let results = try await outputs(
            of: [losses.weightedMean(weights), losses.weightedMean(nil)],
            ["l": TensorValue([1, 2, 4] as [Float]), "w": TensorValue([0, 3, 0.5] as [Float])], batch: 3)
        #expect(results.map(\.scalar) == [8 / 3, 7 / 3])
    }

    @Test func weightsThatDoNotFit() {
        let losses = Tensor.input("l", .scalar)
        for weights in [
            Tensor.input("w", [1]), .argument("w", [3]), .constant(2), .input("w", .scalar, .int32),
        ] {
            #expect(throws: ShapeError.self) { try losses.weightedMean(weights) }
        }
    }

    private func weights(
        _ classWeights: ClassWeights, _ targets: TensorValue, outputs count: Int
    ) async throws -> [Float] {
        let y = Tensor.input("y", Shape(Array(targets.shape.dimensions.dropFirst())), targets.dtype)
        let graph = try classWeights.weights(for: y, predictions: .input("x", [count]))
        let results = try await outputs(of: [graph], ["y": targets], batch: targets.shape[0])
        #expect(results[0].shape == [targets.shape[0]])
        return results[0].floats
    }

    @Test func everyFormOfTargets() async throws {
        let some = try ClassWeights([2: 0.25, 0: 3])
        let labels: [Int32] = [0, 1, 2, 2]
        #expect(try await weights(some, TensorValue(labels), outputs: 3) == [3, 1, 0.25, 0.25])
        let column = try TensorValue(shape: [4, 1], storage: .uint8([0, 1, 2, 2]))
        #expect(try await weights(some, column, outputs: 3) == [3, 1, 0.25, 0.25])
        let rows = try TensorValue(shape: [2, 3], [0, 0.4, 0.6, 1, 0, 0])
        #expect(try await weights(some, rows, outputs: 3) == [0.25, 3])
        let integers = try TensorValue(shape: [2, 3], storage: .int32([0, 0, 1, 1, 0, 0]))
        #expect(try await weights(some, integers, outputs: 3) == [0.25, 3])
        let binary = try ClassWeights([2, 5])
        #expect(try await weights(binary, TensorValue([0, 1, 0.75] as [Float]), outputs: 1) == [2, 5, 5])
        #expect(
            try await weights(binary, TensorValue(shape: [2, 1], [1, -1]), outputs: 1) == [5, 2])
    }

    @Test func weightsThatMakeUpForNumbers() throws {
        let labels = [2, 2, 0, 2, 5, 2, 2, 5]
        let weights = try ClassWeights(balancing: labels).weights
        let expected: [Int: Double] = [0: 8.0 / 3, 2: 8.0 / 15, 5: 8.0 / 6]
        #expect(weights == expected)
        #expect(try ClassWeights(balancing: []).weights.isEmpty)
        #expect(throws: TrainingError.self) { try ClassWeights(balancing: [0, -1]) }
    }

    @Test func weightsOutOfRange() {
        for weights in [[-1: 1.0], [0: -0.5], [0: .nan], [1: .infinity], [0: 1e300]] {
            #expect(throws: TrainingError.self) { try ClassWeights(weights) }
        }
        #expect(throws: TrainingError.self) {
            try ClassWeights([3: 2]).weights(for: .input("y", .scalar, .int32), predictions: .input("x", [3]))
        }
        #expect(throws: TrainingError.self) {
            try ClassWeights([2: 2]).weights(for: .input("y", .scalar), predictions: .input("x", [1]))
        }
    }

    @Test func severalPlacesHaveNoClassWeight() throws {
        let error = try #require(throws: ShapeError.self) {
            try ClassWeights([1: 2]).weights(for: .input("y", [4], .int32), predictions: .input("x", [4, 3]))
        }
        #expect(error.description.contains("sample weights"))
    }

    @Test func codableRoundTrip() throws {
        let weights = try ClassWeights([0: 0.5, 7: 2])
        #expect(try JSONDecoder().decode(ClassWeights.self, from: JSONEncoder().encode(weights)) == weights)
        #expect(throws: TrainingError.self) {
            try JSONDecoder().decode(ClassWeights.self, from: Data(#"{"0":-1}"#.utf8))
        }
    }
}
