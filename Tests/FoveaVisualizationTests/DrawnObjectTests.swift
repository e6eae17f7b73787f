import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaOneDNN
import FoveaTraining
import Testing

@testable import FoveaVisualization

/// A network that has learned what objects are, of which is known where they are.
@Suite struct DrawnObjectTests {
    private static let trained: Task<(model: Sequential, accuracy: Double), any Error> = Task {
        try await train()
    }

    private static func train() async throws -> (model: Sequential, accuracy: Double) {
        let model = try Sequential(
            name: "objects", input: [DrawnObjects.side, DrawnObjects.side, 1], seed: 3
        ) {
            Conv2D(filters: 8, kernelSize: 3, padding: .same, activation: .relu)
            MaxPooling2D()
            Conv2D(filters: 16, kernelSize: 3, padding: .same, activation: .relu)
            Conv2D(filters: 24, kernelSize: 3, padding: .same, activation: .relu, name: "last")
            GlobalAveragePooling2D()
            Dense(units: 3, activation: .softmax)
        }
        let trainer = try model.compile(
            optimizer: .adam(learningRate: 0.005), loss: .sparseCategoricalCrossentropy(),
            metrics: [.accuracy])
        try await trainer.fit(
            DrawnObjects(count: 900, stream: 1).examples, epochs: 15, batchSize: 30, verbosity: .silent)
        let result = try await trainer.evaluate(DrawnObjects(count: 150, stream: 2).examples)
        return (model, result.metrics["accuracy"] ?? 0)
    }

    private static let tested: Result<DrawnObjects, any Error> = Result {
        try DrawnObjects(count: 45, stream: 3)
    }

    @Test func theNetworkHasLearned() async throws {
        #expect(try await Self.trained.value.accuracy >= 0.97)
    }

    @Test(arguments: AttributionMethod.all)
    func mapsPointAtObjects(method: AttributionMethod) async throws {
        let explainer = try await Explainer(Self.trained.value.model)
        let drawn = try Self.tested.get()
        var game = PointingGame(tolerance: 1)
        let attributions = try await explainer.explain(drawn.examples.inputs, method: method)
        for (attribution, region) in zip(attributions, drawn.regions) {
            game.add(attribution, objects: [region])
        }
        // Plain gradients are noisy: which pixel has the largest depends on how the CPU has rounded in training.
        let least = method == .gradient ? 0.8 : 0.9
        #expect(game.accuracy >= least, "\(method.name): \(game.accuracy)")
    }

    @Test(arguments: AttributionMethod.all)
    func mapsRankPixelsBetterThanChance(method: AttributionMethod) async throws {
        let explainer = try await Explainer(Self.trained.value.model)
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
        let explainer = try await Explainer(Self.trained.value.model)
        let drawn = try Self.tested.get()
        let test = try await explainer.randomizationTest(
            [drawn.examples.inputs[0][0..<1]], method: method, stages: 2, seed: 5)
        let last = try #require(test.stages.last)
        #expect(last.attribution.map != test.original.map)
        #expect(last.correlation < 0.8, "\(method.name): \(last.correlation)")
    }
}
