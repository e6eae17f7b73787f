import FoveaGraph
import FoveaLayers
import FoveaOneDNN
import FoveaRuntime
import FoveaTraining
import Testing

/// Derivatives where two pieces of a function meet, compared with those of Keras; Golden/make_kinks.py makes the file.
@Suite struct KinkTests {
    private struct Golden: Decodable {
        let points: [Float]
        let activations: [Activation]
        let layers: [Layer]
        let losses: [Loss]
    }

    private struct Activation: Decodable {
        let name: String
        let slopes: [Double]
    }

    private struct Layer: Decodable {
        let className: String
        let settings: [String: Double]
        let shape: [Int]
        let inputs: [[Float]]
        let slopes: [[Double]]
    }

    private struct Loss: Decodable {
        let name: String
        let targets: [Float]
        let predictions: [Float]
        let slopes: [Double]
    }

    private static let backends: [any Backend] = [ReferenceBackend(), OneDNNBackend()]

    /// The derivatives of the sum of `y`, which is made of the inputs, on each backend.
    private func expectSlopes(
        _ expected: [[Double]], of inputs: [TensorValue], _ what: String,
        _ make: ([Tensor]) throws -> Tensor
    ) async throws {
        let arguments = inputs.enumerated().map { Tensor.argument("x\($0)", $1.shape) }
        let slopes = try gradient(of: make(arguments).sum(), withRespectTo: arguments)
        let feeds = Dictionary(uniqueKeysWithValues: inputs.enumerated().map { ("x\($0)", $1) })
        for backend in Self.backends {
            let results = try await Compute.run {
                let executable = try backend.compile(outputs: slopes, mode: .training, batch: 1)
                return try executable.run(feeds.filter { executable.inputs[$0.key] != nil })
            }
            for (result, expected) in zip(results, expected) {
                for (place, slope) in result.floats.enumerated() {
                    let isClose = abs(Double(slope) - expected[place]) < 1e-6 * max(1, abs(expected[place]))
                    #expect(isClose, "\(what) on \(backend.name), \(place): \(slope), not \(expected[place])")
                }
            }
        }
    }

    @Test func activations() async throws {
        let file = try golden("kinks", as: Golden.self)
        let points = TensorValue(file.points)
        let isZero = file.points.map { $0 == 0 }
        #expect(file.activations.count >= 19)
        for record in file.activations {
            let function = try #require(ActivationFunction(rawValue: record.name))
            var slopes = record.slopes
            if function == .celu {
                // Keras counts both pieces.
                #expect(zip(slopes, isZero).allSatisfy { ($0 == 2) == $1 })
                slopes = zip(slopes, isZero).map { $1 ? 1 : $0 }
            }
            try await expectSlopes([slopes], of: [points], record.name) { try function($0[0]) }
        }
    }

    @Test func layers() async throws {
        let file = try golden("kinks", as: Golden.self)
        #expect(file.layers.count >= 17)
        for record in file.layers {
            let settings = record.settings
            let layer: any FoveaLayers.Layer =
                switch record.className {
                case "ReLU":
                    ReLU(
                        maxValue: settings["max_value"], negativeSlope: settings["negative_slope"] ?? 0,
                        threshold: settings["threshold"] ?? 0)
                case "LeakyReLU": LeakyReLU(negativeSlope: settings["negative_slope"] ?? 0)
                case "PReLU": PReLU(alphaInitializer: .constant(0.25))
                case "ELU": ELU(alpha: settings["alpha"] ?? 0)
                case "Maximum": Maximum()
                case "Minimum": Minimum()
                case "GlobalMaxPooling2D": GlobalMaxPooling2D()
                default: MaxPooling2D(poolSize: 2, strides: 1)
                }
            let shape = Shape(record.shape)
            let inputs = try record.inputs.map { try TensorValue(shape: shape, $0) }
            var scope = BuildScope(seed: 0)
            try layer.build(inputs: inputs.map(\.shape), in: &scope)
            try await expectSlopes(record.slopes, of: inputs, "\(record.className) \(settings)") {
                try layer.outputs(for: $0)[0]
            }
        }
    }

    @Test func losses() async throws {
        let file = try golden("kinks", as: Golden.self)
        #expect(file.losses.count == 6)
        for record in file.losses {
            if record.name == "l1" {
                try await expectSlopes([record.slopes], of: [TensorValue(record.predictions)], "l1") {
                    try Regularizer.l1(1)($0[0])
                }
                continue
            }
            let shape: Shape = [record.predictions.count / 2, 2]
            let targets = Tensor.constant(try TensorValue(shape: shape, record.targets))
            let loss: any FoveaTraining.Loss =
                switch record.name {
                case "mean_absolute_error": .meanAbsoluteError
                case "huber": .huber()
                case "hinge": .hinge
                case "squared_hinge": .squaredHinge
                default: .categoricalHinge
                }
            try await expectSlopes(
                [record.slopes], of: [TensorValue(shape: shape, record.predictions)], record.name
            ) { try loss(targets: targets, predictions: $0[0]) }
        }
    }
}
