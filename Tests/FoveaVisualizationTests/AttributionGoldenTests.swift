import FoveaGraph
import FoveaOneDNN
import FoveaRuntime
import Testing

@testable import FoveaVisualization

/// Attributions against TensorFlow's, on the same weights.
@Suite struct AttributionGoldenTests {
    /// Everything that a method gave for both images, one after the other.
    private func values(
        _ explainer: Explainer, _ golden: AttributionGolden, _ method: AttributionMethod,
        layer: String? = nil, batchSize: Int = 32
    ) async throws -> [Float] {
        let attributions = try await explainer.explain(
            [golden.batch], method: method, class: golden.class, layer: layer, batchSize: batchSize)
        #expect(attributions.allSatisfy { $0.classIndex == golden.class && $0.method == method })
        return attributions.flatMap(\.values.floats)
    }

    @Test(arguments: [Device.cpu, .reference])
    func logitsOfClasses(device: Device) async throws {
        let golden = try AttributionGolden.file.get()
        let explainer = try await Explainer(golden.model(), device: device)
        let g = golden
        func check(_ method: AttributionMethod, _ expected: [Float], layer: String? = nil) async throws {
            expectNear(try await values(explainer, g, method, layer: layer), expected, method.name)
        }
        try await check(.gradCAM, g.gradCam, layer: "conv2")
        try await check(.gradCAMPlusPlus, g.gradCamPlusPlus, layer: "conv2")
        try await check(.scoreCAM, g.scoreCam, layer: "conv2")
        try await check(.gradient, g.gradient)
        try await check(.guidedBackpropagation, g.guided)
        try await check(.integratedGradients(steps: 20), g.integrated)
        try await check(.occlusion(window: 4, stride: 2), g.occlusion)
        // What is looked at when nothing is said: the last convolution as it is normalized.
        try await check(.gradCAM, g.gradCamOfNorm2)
        let first = try await explainer.explain([g.batch], class: g.class)[0]
        #expect(first.layer == "norm2")
        #expect(abs(first.score - g.logits[g.class]) < 1e-4)
        #expect(abs(first.probability - g.probabilities[g.class]) < 1e-5)
    }

    @Test func probabilitiesOfClasses() async throws {
        let golden = try AttributionGolden.file.get()
        let explainer = try await Explainer(golden.model(), score: .probability)
        expectNear(
            try await values(explainer, golden, .gradCAM, layer: "conv2"), golden.gradCamOfProbability,
            "grad-cam")
        expectNear(try await values(explainer, golden, .gradient), golden.gradientOfProbability, "gradient")
    }

    @Test func smallBatchesGiveTheSame() async throws {
        let golden = try AttributionGolden.file.get()
        let explainer = try await Explainer(golden.model())
        for (method, expected) in [
            (.integratedGradients(steps: 20), golden.integrated), (.scoreCAM, golden.scoreCam),
            (.gradCAM, golden.gradCam), (.occlusion(window: 4, stride: 2), golden.occlusion),
        ] as [(AttributionMethod, [Float])] {
            let layer = method.usesLayer ? "conv2" : nil
            expectNear(
                try await values(explainer, golden, method, layer: layer, batchSize: 1), expected, method.name
            )
        }
    }

    @Test func mapsAreEnlargedAsTensorFlowDoes() async throws {
        let golden = try AttributionGolden.file.get()
        let attributions = try await Explainer(golden.model()).explain(
            [golden.batch], class: golden.class, layer: "conv2")
        for (index, attribution) in attributions.enumerated() {
            let enlarged = Array(golden.enlarged[(index * 120)..<((index + 1) * 120)])
            let greatest = try #require(enlarged.max())
            #expect(attribution.map.shape == [10, 12])
            expectNear(attribution.map.floats, enlarged.map { $0 / greatest }, "map")
            #expect(attribution.map.max() == 1)
        }
    }

    @Test func activationsOfALayer() async throws {
        let golden = try AttributionGolden.file.get()
        let activations = try await golden.model().activations(of: ["conv2", "classes"], for: golden.batch)
        expectNear(activations["conv2"]?.floats ?? [], golden.conv2, "conv2")
        expectNear(activations["classes"]?.floats ?? [], golden.probabilities, "classes")
        #expect(activations["conv2"]?.shape == [2, 5, 6, 6])
    }

    @Test(arguments: [Device.cpu, .reference])
    func gradientAscent(device: Device) async throws {
        let golden = try AttributionGolden.file.get()
        let maximizer = try await ActivationMaximizer(golden.model(), layer: "conv2", device: device)
        let start = try TensorValue(shape: [3, 10, 12, 3], golden.ascentStart)
        let result = try await maximizer.maximize(
            golden.ascentFilters, by: GradientAscent(steps: 10), start: start)
        let change = zip(result.images.floats, golden.ascentStart).map(-)
        expectNear(change, zip(golden.ascent, golden.ascentStart).map(-), "change")
        expectNear(result.images.floats, golden.ascent, "images")
    }

    @Test func principalComponents() throws {
        let golden = try AttributionGolden.file.get()
        let table = try TensorValue(shape: [12, 5], golden.table)
        let components = try PrincipalComponents(of: table)
        expectNear(components.variances.map(Float.init), golden.pcaVariances, "variances")
        // Signs are a convention.
        let width = 5
        let found = components.components.floats
        let projected = try components.project(table).floats
        for index in 0..<2 {
            let expected = Array(golden.pcaComponents[(index * width)..<((index + 1) * width)])
            let own = Array(found[(index * width)..<((index + 1) * width)])
            let sign: Float = zip(own, expected).reduce(0) { $0 + $1.0 * $1.1 } < 0 ? -1 : 1
            expectNear(own.map { $0 * sign }, expected, "component \(index)")
            func column(_ numbers: [Float]) -> [Float] {
                stride(from: index, to: numbers.count, by: 2).map { numbers[$0] }
            }
            expectNear(column(projected).map { $0 * sign }, column(golden.pca), "projection \(index)")
        }
    }
}
