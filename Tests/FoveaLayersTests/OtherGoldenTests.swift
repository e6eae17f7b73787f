import Foundation
import FoveaGraph
import FoveaOneDNN
import FoveaRuntime
import Testing

@testable import FoveaLayers

/// Comparison with numbers that Keras and PyTorch computed in float64; Golden/make_other_layers.py makes the file.
@Suite struct OtherGoldenTests {
    struct Golden: Decodable {
        let inputs: [Float]
        let activations: [Activation]
        let layers: [Layer]
        let batchNormalization: [BatchNormalization]
        let normalization: [Normalization]
        let regularizers: [Regularizer]
        let constraints: [Constraint]
    }

    struct Activation: Decodable {
        let name: String
        let shape: [Int]
        let output: [Double]
        let gradients: [[Double]]
    }

    struct Layer: Decodable {
        let name: String
        let settings: Configuration
        let inputShapes: [[Int]]
        let parameterShapes: [[Int]]
        let outputShape: [Int]
        let output: [Double]
        let gradients: [[Double]]
    }

    struct BatchNormalization: Decodable {
        struct Run: Decodable {
            let output: [Double]
            let gradients: [[Double]]
        }
        let shape: [Int]
        let axis: Int
        let momentum: Double
        let epsilon: Double
        let center: Bool
        let scale: Bool
        let training: Run
        let inference: Run
        let movingMean: [Double]
        let movingVariance: [Double]
    }

    struct Normalization: Decodable {
        let shape: [Int]
        let axis: Int
        let output: [Double]
        let mean: [Double]
        let variance: [Double]
    }

    struct Regularizer: Decodable {
        let shape: [Int]
        let l1: Double
        let l2: Double
        let penalty: Double
        let activityLoss: Double
    }

    struct Constraint: Decodable {
        let className: String
        let config: Configuration
        let shape: [Int]
        let output: [Double]
    }

    private static let backends: [any Backend] = [ReferenceBackend(), OneDNNBackend()]
    private let tolerance = 1e-5

    private func read<T: Decodable>(_ type: T.Type, _ name: String) throws -> T {
        let url = try #require(
            Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Golden"))
        let decoder = JSONDecoder()
        // Keys of settings stay as they are.
        decoder.keyDecodingStrategy = .custom { path in
            let key = path[path.count - 1]
            let isSetting = path.dropLast().contains { ["settings", "config"].contains($0.stringValue) }
            return isSetting ? key : CamelCase(key.stringValue)
        }
        return try decoder.decode(type, from: Data(contentsOf: url))
    }

    private struct CamelCase: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(_ key: String) {
            let words = key.split(separator: "_")
            stringValue = words.dropFirst().reduce("\(words.first ?? "")") { $0 + $1.capitalized }
        }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// `value(stream, i) · 2` of the script.
    private func doubled(_ stream: UInt64, _ shape: Shape) throws -> TensorValue {
        try TensorValue(shape: shape, hashed(stream, shape).floats.map { $0 * 2 })
    }

    /// Compares what a backend computes with what is expected.
    private func compare(
        _ outputs: [Tensor], _ feeds: [String: TensorValue], batch: Int, mode: Mode = .inference,
        with expected: [[Double]], _ what: String
    ) async throws {
        #expect(outputs.count == expected.count, "\(what)")
        for backend in Self.backends {
            let values = try await Compute.run {
                let executable = try backend.compile(outputs: outputs, mode: mode, batch: batch)
                return try executable.run(feeds.filter { executable.inputs[$0.key] != nil })
            }
            for (index, (value, expected)) in zip(values, expected).enumerated() {
                let found = difference(value.floats, expected)
                #expect(found < tolerance, "\(what), number \(index) on \(backend.name)")
            }
        }
    }

    /// The output and the gradients of Σ output · upstream.
    private func withGradients(_ y: Tensor, of sources: [Tensor]) throws -> [Tensor] {
        let upstream = Tensor(source: .source(.input(name: "upstream")), y.node.type)
        return [y] + (try gradient(of: (y * upstream).sum(), withRespectTo: sources))
    }

    /// Those that layers.json has are in GoldenTests.
    @Test func activations() async throws {
        struct Names: Decodable {
            struct Record: Decodable { let name: String }
            let activations: [Record]
        }
        let golden = try read(Golden.self, "other_layers")
        for record in golden.activations {
            let function = try #require(ActivationFunction(rawValue: record.name))
            let shape = Shape(record.shape)
            let x = Tensor.argument("x", shape)
            let outputs = try withGradients(function(x), of: [x])
            let feeds = ["x": try TensorValue(shape: shape, golden.inputs), "upstream": try hashed(0, shape)]
            try await compare(
                outputs, feeds, batch: 1, with: [record.output] + record.gradients, record.name)
        }
        let compared =
            golden.activations.map(\.name) + (try read(Names.self, "layers").activations.map(\.name))
        #expect(Set(compared) == Set(ActivationFunction.allCases.map(\.rawValue)))
    }

    @Test func layers() async throws {
        let records = try read(Golden.self, "other_layers").layers
        #expect(records.count >= 30)
        for record in records {
            let what = "\(record.name) \(record.settings) of \(record.inputShapes)"
            let layer = try make(record.name, record.settings)
            let inputs = record.inputShapes.enumerated().map { index, shape in
                LayerOutput.input("x\(index)", Shape(Array(shape.dropFirst())))
            }
            let model = try Model(inputs: inputs, outputs: [layer(inputs)])
            let batch = record.inputShapes[0][0]
            var feeds = ["upstream": try hashed(0, Shape(record.outputShape))]
            for (index, shape) in record.inputShapes.enumerated() {
                feeds["x\(index)"] = try doubled(UInt64(1 + index), Shape(shape))
            }
            #expect(
                model.parameters.map { $0.parameter.variable?.shape }
                    == record.parameterShapes.map { Shape($0) }, "\(what)")
            for (index, (_, parameter)) in model.parameters.enumerated() {
                let shape = Shape(record.parameterShapes[index])
                try await set(parameter, hashed(UInt64(11 + index), shape).floats)
            }
            let tensors = model.modelInputs.map { Tensor.input($0.name, $0.shape) }
            let y = try model(tensors)
            #expect(y.shape.bound(batch: batch) == Shape(record.outputShape), "\(what)")
            let sources = tensors + (try model.parameters.map { try $0.parameter.tensor })
            try await compare(
                withGradients(y, of: sources), feeds, batch: batch, with: [record.output] + record.gradients,
                what)
        }
    }

    private func make(_ name: String, _ settings: Configuration) throws -> any FoveaLayers.Layer {
        // What a record does not say is as unless said.
        let defaults: Configuration =
            switch name {
            case "LayerNormalization": LayerNormalization().configuration
            case "GroupNormalization": GroupNormalization().configuration
            case "PReLU": PReLU().configuration
            case "ReLU": ReLU().configuration
            default: [:]
            }
        let envelope: Configuration = [
            "class_name": .string(name),
            "config": .object(defaults.merging(settings) { $1 }.with(["name": .null])),
        ]
        return try makeLayer(.object(envelope), layerTypes: builtInLayers)
    }

    @Test func batchNormalizations() async throws {
        let records = try read(Golden.self, "other_layers").batchNormalization
        #expect(records.count == 4)
        for record in records {
            let shape = Shape(record.shape)
            for backend in Self.backends {
                let layer = FoveaLayers.BatchNormalization(
                    axis: record.axis, momentum: record.momentum, epsilon: record.epsilon,
                    center: record.center, scale: record.scale)
                let built = try model(layer, input: Shape(Array(record.shape.dropFirst())))
                let learned = built.trainableParameters.map(\.parameter)
                #expect(learned.count == (record.center ? 1 : 0) + (record.scale ? 1 : 0))
                for (parameter, stream) in [(layer.gamma, 11), (layer.beta, 12)] {
                    guard let extents = parameter?.variable?.shape else { continue }
                    try await set(parameter, hashed(UInt64(stream), extents).floats)
                }
                let x = Tensor.input("x", try built.inputShape)
                let outputs = try withGradients(built(x), of: [x] + learned.map { try $0.tensor })
                let (training, inference, moving) = try await Compute.run {
                    let step = try backend.compile(outputs: outputs, mode: .training, batch: shape[0])
                    let upstream = try hashed(0, shape)
                    var results: [TensorValue] = []
                    for stream in 1...3 {
                        results = try step.run([
                            "x": doubled(UInt64(stream), shape), "upstream": upstream,
                        ])
                    }
                    let infer = try backend.compile(outputs: outputs, mode: .inference, batch: shape[0])
                    let inference = try infer.run(["x": doubled(3, shape), "upstream": upstream])
                    let moving = try [layer.movingMean, layer.movingVariance].map {
                        try $0.variable?.value().floats ?? []
                    }
                    return (results.map(\.floats), inference.map(\.floats), moving)
                }
                let all = training + inference + moving
                let expected =
                    [record.training.output] + record.training.gradients + [record.inference.output]
                    + record.inference.gradients + [record.movingMean, record.movingVariance]
                #expect(all.count == expected.count)
                for (index, (values, expected)) in zip(all, expected).enumerated() {
                    let found = difference(values, expected)
                    #expect(found < tolerance, "\(record.shape), number \(index) on \(backend.name)")
                }
            }
        }
    }

    @Test func normalizations() async throws {
        let records = try read(Golden.self, "other_layers").normalization
        #expect(records.count == 3)
        for record in records {
            let data = try doubled(1, Shape(record.shape))
            let layer = try FoveaLayers.Normalization(adaptedTo: data, axis: record.axis)
            #expect(zip(layer.mean, record.mean).allSatisfy { abs($0 - $1) < 1e-8 })
            #expect(zip(layer.variance, record.variance).allSatisfy { abs($0 - $1) < 1e-8 })
            let built = try model(layer, input: Shape(Array(record.shape.dropFirst())))
            let x = Tensor.input("x", try built.inputShape)
            try await compare(
                [built(x)], ["x": data], batch: record.shape[0], with: [record.output], "\(record.shape)")
        }
    }

    @Test func regularizers() async throws {
        let records = try read(Golden.self, "other_layers").regularizers
        #expect(records.count == 3)
        for record in records {
            let shape = Shape(record.shape)
            let example = Shape(Array(record.shape.dropFirst()))
            let regularizer = FoveaLayers.Regularizer.l1l2(l1: record.l1, l2: record.l2)
            let x = Tensor.input("x", example)
            let layer = try model(ActivityRegularization(l1: record.l1, l2: record.l2), input: example)
            // An output of its own has the same penalty.
            let dense = try model(
                Dense(
                    units: shape.channels, useBias: false, kernelInitializer: .ones,
                    activityRegularizer: regularizer), input: example)
            try await set(
                dense.parameters[0].parameter,
                (0..<shape.channels * shape.channels).map { $0 % (shape.channels + 1) == 0 ? 1 : 0 })
            let outputs =
                [try regularizer(x)] + addedLosses(of: [try layer(x)]) + addedLosses(of: [try dense(x)])
            try await compare(
                outputs, ["x": hashed(1, shape)], batch: shape[0],
                with: [[record.penalty], [record.activityLoss], [record.activityLoss]], "\(regularizer)")
        }
    }

    @Test func constraints() async throws {
        let records = try read(Golden.self, "other_layers").constraints
        #expect(records.count == 5)
        for record in records {
            var reader = ConfigurationReader(
                [
                    "rule": ["class_name": .string(record.className), "config": .object(record.config)]
                ], owner: "test", layerTypes: [])
            let constraint = try #require(try reader.constraint("rule"))
            let w = Tensor.argument("w", Shape(record.shape))
            try await compare(
                [constraint(w)], ["w": doubled(1, w.shape)], batch: 1, with: [record.output], "\(constraint)")
        }
    }
}
