import FoveaGraph
import FoveaOneDNN
import FoveaRuntime
import Testing

@testable import FoveaTraining

/// Metrics over several batches against Keras.
struct MetricGoldenTests {
    private struct Input: Decodable {
        let name: String
        let shape: [Int]
        let values: [Double]

        func batch(_ range: Range<Int>) -> TensorValue {
            let count = values.count / shape[0]
            return TensorValue(
                shape: Shape([range.count] + shape.dropFirst()),
                dtype: name.contains("class_numbers") || name == "place_numbers" ? .int32 : .float32,
                doubles: Array(values[range.lowerBound * count..<range.upperBound * count]))
        }
    }

    private struct Record: Decodable {
        let metric: CodableMetric
        let targets, predictions: String
        let fromLogits: Bool
        let value, weighted: Double
    }

    private struct Records: Decodable {
        let batches: [Int]
        let weights: [Double]
        let inputs: [Input]
        let metrics: [Record]
    }

    @Test(arguments: [ReferenceBackend() as any Backend, OneDNNBackend()])
    func agreesWithKeras(backend: any Backend) async throws {
        let records = try golden("metrics", as: Records.self)
        let inputs = Dictionary(uniqueKeysWithValues: records.inputs.map { ($0.name, $0) })
        #expect(Set(records.metrics.map(\.metric.metric.name)).count > 40)
        for record in records.metrics {
            let metric = record.metric.metric
            let targets = try #require(inputs[record.targets])
            let predictions = try #require(inputs[record.predictions])
            var sums: [[Double]] = [[], []]
            var start = 0
            for size in records.batches {
                let range = start..<start + size
                start += size
                let (t, p) = (targets.batch(range), predictions.batch(range))
                let y = Tensor.input("y", Shape(Array(t.shape.dimensions.dropFirst())), t.dtype)
                let x = Tensor.input("x", Shape(Array(p.shape.dimensions.dropFirst())))
                let graphs = try [nil, Tensor.input("w", .scalar)].map {
                    try metric(
                        targets: y, predictions: x, fromLogits: record.fromLogits, sampleWeights: $0)
                }
                let weights = TensorValue(records.weights[range].map(Float.init))
                let results = try await outputs(
                    of: graphs, ["x": p, "y": t, "w": weights], batch: size, on: backend)
                for (index, result) in results.enumerated() {
                    let before = sums[index]
                    sums[index] = before.isEmpty ? result.doubles : zip(before, result.doubles).map(+)
                }
            }
            let what = "\(metric.name) of \(record.predictions), \(backend.name)"
            for (sums, expected) in zip(sums, [record.value, record.weighted]) {
                let value = metric.value(of: sums)
                #expect(
                    abs(value - expected) <= 1e-6 * max(1, abs(expected)), "\(what): \(value) \(expected)")
            }
        }
    }
}
