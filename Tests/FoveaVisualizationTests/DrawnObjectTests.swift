import Foundation
import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaOneDNN
import FoveaSaving
import FoveaTraining
import Testing

@testable import FoveaVisualization

/// A network that has learned what objects are, of which is known where they are.
@Suite struct DrawnObjectTests {
    /// The same on every CPU: where maps are largest hangs on how a CPU has rounded while the network was trained.
    private static let weights = Bundle.module.url(
        forResource: "Golden/objects", withExtension: "safetensors")

    private static func network() throws -> Sequential {
        try Sequential(
            name: "objects", input: [DrawnObjects.side, DrawnObjects.side, 1], seed: 3
        ) {
            Conv2D(filters: 8, kernelSize: 3, padding: .same, activation: .relu)
            MaxPooling2D()
            Conv2D(filters: 16, kernelSize: 3, padding: .same, activation: .relu)
            Conv2D(filters: 24, kernelSize: 3, padding: .same, activation: .relu, name: "last")
            GlobalAveragePooling2D()
            Dense(units: 3, activation: .softmax)
        }
    }

    private static func trained() async throws -> Sequential {
        let model = try network()
        try await model.loadWeights(from: #require(weights))
        return model
    }

    private static func trainer(of model: Sequential) throws -> Trainer {
        try model.compile(
            optimizer: .adam(learningRate: 0.005), loss: .sparseCategoricalCrossentropy(),
            metrics: [.accuracy])
    }

    /// How the weights came about.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["FOVEA_WRITE_GOLDEN"] != nil))
    func writeWeights() async throws {
        let model = try Self.network()
        try await Self.trainer(of: model).fit(
            DrawnObjects(count: 900, stream: 1).examples, epochs: 15, batchSize: 30, verbosity: .silent)
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        try await model.saveWeights(to: folder.appendingPathComponent("Golden/objects.safetensors"))
    }

    private static let tested: Result<DrawnObjects, any Error> = Result {
        try DrawnObjects(count: 90, stream: 3)
    }

    @Test func theNetworkHasLearned() async throws {
        let result = try await Self.trainer(of: Self.trained()).evaluate(
            DrawnObjects(count: 150, stream: 2).examples)
        #expect(result.metrics["accuracy"] ?? 0 >= 0.97)
    }

    @Test(arguments: AttributionMethod.all)
    func mapsPointAtObjects(method: AttributionMethod) async throws {
        let explainer = try await Explainer(Self.trained())
        let drawn = try Self.tested.get()
        var game = PointingGame(tolerance: 1)
        let attributions = try await explainer.explain(drawn.examples.inputs, method: method)
        for (attribution, region) in zip(attributions, drawn.regions) {
            game.add(attribution, objects: [region])
        }
        #expect(game.accuracy >= 0.9, "\(method.name): \(game.accuracy)")
    }

    @Test(arguments: AttributionMethod.all)
    func mapsRankPixelsBetterThanChance(method: AttributionMethod) async throws {
        let explainer = try await Explainer(Self.trained())
        let drawn = try Self.tested.get()
        var generator = PhiloxGenerator(seed: 1, stream: 4, step: 0)
        var (gained, fell) = (0.0, 0.0)
        let attributions = try await explainer.explain([drawn.examples.inputs[0][0..<6]], method: method)
        for attribution in attributions {
            let random = TensorValue(
                unchecked: attribution.map.shape,
                .float32(attribution.map.floats.map { _ in Float(generator.uniform()) }))
            func area(_ kind: PerturbationCurve.Kind, _ map: TensorValue) async throws -> Double {
                try await explainer.curve(
                    kind, ranking: map, of: attribution.inputs, class: attribution.classIndex, steps: 16
                ).area
            }
            fell += try await area(.deletion, random) - area(.deletion, attribution.map)
            gained += try await area(.insertion, attribution.map) - area(.insertion, random)
        }
        let count = Double(attributions.count)
        #expect(fell / count > 0.02, "\(method.name): deletion \(fell / count)")
        #expect(gained / count > 0.02, "\(method.name): insertion \(gained / count)")
    }

    @Test(arguments: AttributionMethod.all)
    func mapsDependOnWhatWasLearned(method: AttributionMethod) async throws {
        let explainer = try await Explainer(Self.trained())
        let drawn = try Self.tested.get()
        let test = try await explainer.randomizationTest(
            [drawn.examples.inputs[0][0..<1]], method: method, stages: 2, seed: 5)
        let last = try #require(test.stages.last)
        #expect(last.attribution.map != test.original.map)
        #expect(last.correlation < 0.8, "\(method.name): \(last.correlation)")
    }
}
