import FoveaGraph
import FoveaLayers
import FoveaOneDNN
import FoveaRuntime
import Testing

@testable import FoveaModels

/// Outputs and gradients of residual networks against Keras in float64; Golden/make_summaries.py makes the file.
@Suite struct ArchitectureGoldenTests {
    struct Golden: Decodable {
        let numbers: [Record]
    }

    struct Record: Decodable {
        struct Gradient: Decodable {
            let path: String
            let norm: Double
            /// Index and gradient, the largest first.
            let samples: [[Double]]
        }

        let name: String
        let imageStream: UInt64
        let inputShape, outputShape: [Int]
        let parameters: Int
        let inference, training: [Double]
        let gradients: [Gradient]
    }

    @Test(arguments: ["cifar-resnet20", "bottleneck"])
    func strict(name: String) async throws {
        try await compare(name, on: OneDNNBackend(precision: .strict), tolerance: 1e-4)
    }

    @Test(arguments: ["cifar-resnet20", "bottleneck"])
    func float32(name: String) async throws {
        try await compare(name, on: OneDNNBackend(), tolerance: 1e-3)
    }

    private func compare(_ name: String, on backend: any Backend, tolerance: Double) async throws {
        let record = try #require(
            golden("architectures", as: Golden.self).numbers.first { $0.name == name })
        let input = Shape(Array(record.inputShape.dropFirst()))
        let model =
            name == "bottleneck"
            ? try Design(name: name, input: input, ending: .classes(5), seed: 0)
                .resNet(block: .bottleneck(.keras), counts: [2, 1, 2, 1], filters: 4)
            : try NamedNetwork.named(name).model(input: input)
        #expect(model.parameterCount == record.parameters)
        for (path, parameter) in model.parameters { try await setHashedValue(of: parameter, path) }

        let images = Tensor.input("images", input)
        let upstream = Tensor.input("upstream", try model.outputShape)
        let y = try model(images)
        let sources = try record.gradients.map { expected in
            try #require(model.parameters.first { $0.path == expected.path }).parameter.tensor
        }
        let gradients = try gradient(of: (y * upstream).sum(), withRespectTo: sources)
        let batch = record.inputShape[0]
        let x = try hashed(record.imageStream, Shape(record.inputShape))
        let weights = try hashed(0, Shape(record.outputShape))
        // Training changes moving averages, so it comes second.
        let (inference, training) = try await Compute.run {
            (
                try backend.compile(outputs: [y], mode: .inference, batch: batch).run(["images": x]),
                try backend.compile(outputs: [y] + gradients, mode: .training, batch: batch)
                    .run(["images": x, "upstream": weights])
            )
        }
        #expect(inference[0].shape == Shape(record.outputShape))
        #expect(difference(inference[0].floats, record.inference) < tolerance, "inference")
        #expect(difference(training[0].floats, record.training) < tolerance, "training")
        for (expected, found) in zip(record.gradients, training.dropFirst()) {
            let elements = found.doubles
            let norm = elements.reduce(0) { $0 + $1 * $1 }.squareRoot()
            #expect(abs(norm / expected.norm - 1) < tolerance, "\(expected.path)")
            let largest = abs(expected.samples[0][1])
            for sample in expected.samples {
                let error = abs(elements[Int(sample[0])] - sample[1]) / largest
                #expect(error < tolerance, "\(expected.path)[\(Int(sample[0]))]")
            }
        }
    }

    /// The value that the script gives a parameter.
    private func setHashedValue(of parameter: Parameter, _ path: String) async throws {
        let shape = try #require(parameter.variable?.shape)
        let stream = path.utf8.reduce(UInt32(0x811C_9DC5)) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
        let numbers = try hashed(UInt64(stream), shape).floats
        func scaled(_ scale: Double) -> [Float] {
            numbers.map { Float(Double($0) * Double(Float(scale))) }
        }
        let values =
            switch parameter.name {
            case "kernel":
                scaled((6 / Double(shape.dimensions.dropLast().reduce(1, *))).squareRoot())
            case "gamma": scaled(0.25).map { 0.75 + $0 }
            // From `value` in [-1, 1) to `unit` in [0, 1).
            case "moving_variance": numbers.map { 0.75 + ($0 + 1) / 2 }
            default: scaled(0.125)
            }
        try await set(parameter, values)
    }
}
