import FoveaGraph
import FoveaLayers
import FoveaModels
import Testing

/// Comparison with numbers that Keras computed in float64; Golden/make_layers.py makes the files.
@Suite struct GoldenTests {
    struct Layers: Decodable {
        let inputs: [Float]
        let activations: [ActivationCase]
        let conv2d: [ConvolutionCase]
        let maxPooling2D: [PoolingCase]
        let averagePooling2D: [PoolingCase]
        let initializers: [InitializerCase]
    }

    struct ActivationCase: Decodable {
        let name: String
        let settings: [String: ConfigurationValue]
        let shape: [Int]
        let output: [Double]
        let gradient: [Double]
    }

    struct ConvolutionCase: Decodable {
        let inputShape: [Int]
        let filters: Int
        let kernelSize: [Int]
        let strides: [Int]
        let padding: String
        let dilationRate: [Int]
        let groups: Int
        let useBias: Bool
        let outputShape: [Int]
        let output: [Double]
        let inputGradient: [Double]
        let kernelGradient: [Double]
        let biasGradient: [Double]?
    }

    struct PoolingCase: Decodable {
        let inputShape: [Int]
        let poolSize: [Int]
        let strides: [Int]
        let padding: String
        let outputShape: [Int]
        let output: [Double]
        let inputGradient: [Double]
    }

    struct InitializerCase: Decodable {
        let name: String
        let shape: [Int]
        let deviation: Double
        let limit: Double
    }

    struct Summaries: Decodable {
        struct Network: Decodable {
            let name: String
            let parameters: Int
            let summary: [String]
        }
        let networks: [Network]
    }

    private let tolerance = 2e-6

    @Test func activations() async throws {
        let layers = try golden("layers", as: Layers.self)
        var compared = Set<ActivationFunction>()
        for record in layers.activations {
            // Slopes and approximations other than the function's own are not offered.
            let settings = record.settings
            guard settings["approximate"] != .bool(true), settings["alpha"] ?? .integer(1) == .integer(1),
                settings["negative_slope"] ?? .number(0.2) == .number(0.2)
            else { continue }
            let function = try #require(ActivationFunction(rawValue: record.name))
            compared.insert(function)
            let shape = Shape(record.shape)
            let x = Tensor.argument("x", shape)
            let y = try function(x)
            let loss = try (y * .constant(hashed(0, shape))).sum()
            let slope = try gradient(of: loss, withRespectTo: [x])[0]
            let feeds = ["x": try TensorValue(shape: shape, layers.inputs)]
            #expect(
                difference(try await evaluate(y, feeds: feeds, batch: 1).floats, record.output) < tolerance,
                "\(function)")
            #expect(
                difference(try await evaluate(slope, feeds: feeds, batch: 1).floats, record.gradient)
                    < tolerance,
                "gradient of \(function)")
        }
        // The others are in OtherGoldenTests.
        #expect(compared.count >= 10)
    }

    @Test func convolutions() async throws {
        let records = try golden("layers", as: Layers.self).conv2d
        #expect(records.count >= 10)
        for record in records {
            let layer = Conv2D(
                filters: record.filters, kernelSize: size(record.kernelSize), strides: size(record.strides),
                padding: try #require(Padding(rawValue: record.padding)),
                dilationRate: size(record.dilationRate),
                groups: record.groups, useBias: record.useBias)
            let expected =
                [record.inputGradient, record.kernelGradient] + (record.biasGradient.map { [$0] } ?? [])
            try await compare(
                layer, input: record.inputShape, output: record.outputShape, record.output,
                gradients: expected,
                "\(record.kernelSize) on \(record.inputShape), \(record.padding)")
        }
    }

    @Test func poolings() async throws {
        let layers = try golden("layers", as: Layers.self)
        for (isMax, records) in [(true, layers.maxPooling2D), (false, layers.averagePooling2D)] {
            #expect(records.count >= 5)
            for record in records {
                let (pool, strides) = (size(record.poolSize), size(record.strides))
                let padding = try #require(Padding(rawValue: record.padding))
                let layer: any Layer =
                    isMax
                    ? MaxPooling2D(poolSize: pool, strides: strides, padding: padding)
                    : AveragePooling2D(poolSize: pool, strides: strides, padding: padding)
                try await compare(
                    layer, input: record.inputShape, output: record.outputShape, record.output,
                    gradients: [record.inputGradient],
                    "\(type(of: layer)) \(record.poolSize) on \(record.inputShape), \(record.padding)")
            }
        }
    }

    /// Output of a layer, and the gradients of its input and parameters for the loss Σ output · hashed(0).
    private func compare(
        _ layer: any Layer, input: [Int], output: [Int], _ expected: [Double], gradients: [[Double]],
        _ what: String
    ) async throws {
        let built = try model(layer, input: Shape(Array(input.dropFirst())))
        for (index, (_, parameter)) in built.parameters.enumerated() {
            let shape = try #require(parameter.variable?.shape)
            try await set(parameter, hashed(UInt64(2 + index), shape).floats)
        }
        let x = Tensor.input("x", try built.inputShape)
        let upstream = Tensor.input("upstream", try built.outputShape)
        let feeds = ["x": try hashed(1, Shape(input)), "upstream": try hashed(0, Shape(output))]
        let y = try built(x)
        let result = try await evaluate(y, feeds: feeds, batch: input[0])
        #expect(result.shape == Shape(output), "\(what)")
        #expect(difference(result.floats, expected) < tolerance, "\(what)")

        let loss = try (y * upstream).sum()
        let sources = [x] + (try built.parameters.map { try $0.parameter.tensor })
        #expect(sources.count == gradients.count)
        for (slope, expected) in zip(try gradient(of: loss, withRespectTo: sources), gradients) {
            let values = try await evaluate(slope, feeds: feeds, batch: input[0]).floats
            #expect(difference(values, expected) < tolerance, "gradient, \(what)")
        }
    }

    @Test func initializers() throws {
        let kinds: [String: Initializer] = [
            "GlorotUniform": .glorotUniform, "GlorotNormal": .glorotNormal, "HeUniform": .heUniform,
            "HeNormal": .heNormal, "LecunUniform": .lecunUniform, "LecunNormal": .lecunNormal,
            "TruncatedNormal": .truncatedNormal(),
        ]
        for record in try golden("layers", as: Layers.self).initializers {
            let initializer = try #require(kinds[record.name])
            let values = try initializer.value(shape: Shape(record.shape), seed: 1, stream: 0).doubles
            let deviation = (values.reduce(0) { $0 + $1 * $1 } / Double(values.count)).squareRoot()
            #expect(abs(deviation / record.deviation - 1) < 0.02, "\(record.name)")
            let largest = values.map(abs).max() ?? 0
            #expect(largest <= record.limit * 1.000001 && largest > 0.98 * record.limit, "\(record.name)")
        }
    }

    @Test func summaries() throws {
        let networks = try golden("summaries", as: Summaries.self).networks
        #expect(networks.map(\.name) == NamedNetwork.measured.map(\.rawValue))
        for record in networks {
            let network = try NamedNetwork.named(record.name)
            // Keras's example of it takes rows of pixels; ours takes images and flattens them.
            let model: any ModelProtocol =
                network == .softmaxRegression
                ? try Sequential(name: "softmax_regression", input: [784]) {
                    Dense(units: 10, activation: .softmax)
                }
                : try network.model()
            let lines = model.summary().split(separator: "\n").map(String.init)
            #expect(lines == record.summary, "\(record.name)")
        }
    }

    private func size(_ extents: [Int]) -> Size2D { Size2D(extents[0], extents[1]) }
}
