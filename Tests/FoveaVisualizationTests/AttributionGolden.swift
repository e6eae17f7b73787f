import Foundation
import FoveaGraph
import FoveaLayers
import FoveaRuntime
import Testing

@testable import FoveaVisualization

/// What TensorFlow computed, made by `make_attributions.py`.
struct AttributionGolden: Decodable {
    let `class`: Int
    let weights: [String: [[Float]]]
    let images, logits, probabilities, conv2: [Float]
    let gradCam, gradCamOfProbability, gradCamOfNorm2, gradCamPlusPlus, scoreCam: [Float]
    let gradient, gradientOfProbability, guided, integrated, occlusion, enlarged: [Float]
    let ascentFilters: [Int]
    let ascentStart, ascent: [Float]
    let table, pca, pcaComponents, pcaVariances: [Float]

    static let file: Result<AttributionGolden, any Error> = Result { try load() }

    private static func load() throws -> AttributionGolden {
        let url = try #require(
            Bundle.module.url(forResource: "attributions", withExtension: "json", subdirectory: "Golden"))
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(AttributionGolden.self, from: Data(contentsOf: url))
    }

    /// Two images `[2, 10, 12, 3]`.
    var batch: TensorValue { get throws { try TensorValue(shape: [2, 10, 12, 3], images) } }

    /// The network of the script.
    func model() async throws -> Sequential {
        let model = try Sequential(name: "golden", input: [10, 12, 3]) {
            Conv2D(filters: 4, kernelSize: 3, padding: .same, activation: .relu, name: "conv1")
            MaxPooling2D(name: "pool1")
            Conv2D(filters: 6, kernelSize: 3, padding: .same, activation: .relu, name: "conv2")
            BatchNormalization(name: "norm2")
            GlobalAveragePooling2D(name: "pooling")
            Dense(units: 5, activation: .softmax, name: "classes")
        }
        for (name, layer) in model.namedLayers {
            for (parameter, numbers) in zip(layer.ownParameters, weights[name] ?? []) {
                let variable = try #require(parameter.variable)
                try await variable.assign(TensorValue(shape: variable.shape, numbers))
            }
        }
        return model
    }
}

/// Whether numbers are within `tolerance` of others, relative to the greatest magnitude of these.
func expectNear(
    _ actual: [Float], _ expected: [Float], _ what: String, tolerance: Float = 1e-4,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    guard actual.count == expected.count else {
        Issue.record(
            "\(what): \(actual.count) numbers, not \(expected.count)", sourceLocation: sourceLocation)
        return
    }
    let scale = expected.reduce(0) { max($0, abs($1)) }
    let worst = zip(actual, expected).reduce(0) { max($0, $1.0.isNaN ? .infinity : abs($1.0 - $1.1)) }
    #expect(scale > 0, "\(what): nothing to compare with", sourceLocation: sourceLocation)
    #expect(
        worst <= tolerance * scale, "\(what): off by \(worst) of \(scale)", sourceLocation: sourceLocation)
}

/// Numbers in 0…1 that differ from place to place.
func picture(_ shape: Shape, stream: UInt32 = 0) throws -> TensorValue {
    var generator = PhiloxGenerator(seed: 5, stream: stream, step: 0)
    return try TensorValue(
        shape: shape, (0..<shape.elementCount).map { _ in Float(generator.uniform()) })
}

/// Gives every bias a number of its own, so that nothing is symmetric.
func disturbBiases(of model: any ModelProtocol) async throws {
    for (index, entry) in model.parameters.enumerated() where entry.parameter.name == "bias" {
        let variable = try #require(entry.parameter.variable)
        var generator = PhiloxGenerator(seed: 9, stream: UInt32(index), step: 0)
        try await variable.assign(
            TensorValue(
                shape: variable.shape,
                (0..<variable.shape.elementCount).map { _ in Float(generator.uniform() - 0.3) }))
    }
}
