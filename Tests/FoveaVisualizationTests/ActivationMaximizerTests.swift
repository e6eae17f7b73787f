import FoveaGraph
import FoveaLayers
import FoveaOneDNN
import FoveaRuntime
import Synchronization
import Testing

@testable import FoveaVisualization

@Suite struct ActivationMaximizerTests {
    private func model(_ shape: Shape = [12, 10, 3]) async throws -> Sequential {
        let model = try Sequential(name: "small", input: shape, seed: 6) {
            Conv2D(filters: 4, kernelSize: 3, activation: .relu, name: "first")
            MaxPooling2D()
            Conv2D(filters: 5, kernelSize: 3, name: "second")
            Flatten()
            Dense(units: 3, activation: .softmax, name: "classes")
        }
        try await disturbBiases(of: model)
        return model
    }

    @Test(arguments: [GradientAscent.chollet, .robust])
    func activationsGrow(ascent: GradientAscent) async throws {
        var ascent = ascent
        ascent.steps = 30
        ascent.jitter = min(ascent.jitter, 1)
        for layer in ["second", nil] {
            let maximizer = try await ActivationMaximizer(model(), layer: layer)
            #expect(maximizer.unitCount == (layer == nil ? 3 : 5))
            let units = Array(0..<maximizer.unitCount)
            var none = ascent
            none.steps = 1
            let before = try await maximizer.maximize(units, by: none)
            let after = try await maximizer.maximize(units, by: ascent)
            #expect(after.images.shape == [units.count, 12, 10, 3])
            for (old, new) in zip(before.activations, after.activations) { #expect(new > old) }
            #expect(try after.pictures.map(\.size) == units.map { _ in Size2D(12, 10) })
            if ascent.parameterization != .pixels {
                #expect(after.images.min() >= 0 && after.images.max() <= 1)
            }
        }
    }

    @Test func batchesGiveWhatEachGivesByItself() async throws {
        let maximizer = try await ActivationMaximizer(model(), layer: "second")
        let start = try picture([3, 12, 10, 3])
        let ascent = GradientAscent(steps: 6, totalVariation: 0.1)
        let together = try await maximizer.maximize([4, 0, 2], by: ascent, start: start)
        let alone = try await maximizer.maximize([4, 0, 2], by: ascent, start: start, batchSize: 1)
        let pairs = try await maximizer.maximize([4, 0, 2], by: ascent, start: start, batchSize: 2)
        expectNear(alone.images.floats, together.images.floats, "alone")
        expectNear(pairs.images.floats, together.images.floats, "pairs")
        let other = try await maximizer.maximize([1, 0, 2], by: ascent, start: start)
        #expect(other.images[0] != together.images[0])
    }

    @Test func layersTakeImagesOfOtherSizesThanTheModel() async throws {
        let maximizer = try await ActivationMaximizer(model(), layer: "second", size: [20, 31])
        let result = try await maximizer.maximize([3], by: GradientAscent(steps: 2))
        #expect(result.images.shape == [1, 20, 31, 3])
        // Classes come out of a dense layer, which takes the model's size only.
        await #expect(throws: ShapeError.self) { try await ActivationMaximizer(model(), size: 20) }
    }

    @Test func layersInsideModelsAndSequences() async throws {
        let nested = try ActivationMaximizer(nestedModel(), layer: "base/block")
        #expect(try await nested.maximize([1], by: GradientAscent(steps: 2)).images.shape == [1, 8, 8, 2])
        let sequences = try Sequential(input: [16, 2]) {
            Conv1D(filters: 3, kernelSize: 3, name: "conv")
            Flatten()
            Dense(units: 2)
        }
        for layer in ["conv", nil] {
            var ascent = GradientAscent.robust
            ascent.steps = 3
            let result = try await ActivationMaximizer(sequences, layer: layer).maximize([0], by: ascent)
            #expect(result.images.shape == [1, 1, 16, 2])
        }
    }

    /// Channels that are picked before they are computed are those picked afterwards.
    @Test func pickedChannelsAreThoseOfTheWhole() async throws {
        let images = LayerOutput.input("images", [8, 8, 2])
        let chosen = TensorValue([4, 0, 4, Int32(2)])
        for activation in ActivationFunction.allCases {
            for isNormalized in [false, true] {
                let layer = Conv2D(filters: 5, kernelSize: 3, activation: activation)(images)
                let model = try Model(
                    inputs: [images], outputs: [isNormalized ? BatchNormalization()(layer) : layer])
                try await disturbBiases(of: model)
                let x = Tensor.argument("x", [2, 8, 8, 2])
                let all = try model(x)
                let channels = Tensor.constant(chosen)
                let outputs = [try all.picking(channels: channels), try all.gathered(at: channels, axis: -1)]
                let values = try await Compute.run {
                    try PartialStep(outputs: outputs).run(
                        StepRunner(device: .reference), ["x": picture([2, 8, 8, 2])])
                }
                #expect(values[0].shape == [2, 6, 6, 4])
                expectNear(values[0].floats, values[1].floats, "\(activation)", tolerance: 1e-6)
            }
        }
    }

    @Test func othersThanThePickedChannelsAreNotComputed() throws {
        let layer = Conv2D(filters: 500, kernelSize: 3, activation: .relu)
        let model = try Sequential(input: [8, 8, 2]) { layer }
        let picked = try model(Tensor.argument("x", [2, 8, 8, 2])).picking(
            channels: .constant(TensorValue([7, Int32(3)])))
        let widths = topologicalOrder(of: [picked]).compactMap { tensor -> Int? in
            if case .convolution = tensor.operation { tensor.shape.channels } else { nil }
        }
        #expect(widths == [2])
    }

    @Test func seedsRepeat() async throws {
        let maximizer = try await ActivationMaximizer(model(), layer: "second")
        var ascent = GradientAscent.robust
        ascent.steps = 4
        let first = try await maximizer.maximize([0, 1], by: ascent, seed: 3)
        #expect(try await maximizer.maximize([0, 1], by: ascent, seed: 3).images == first.images)
        #expect(try await maximizer.maximize([0, 1], by: ascent, seed: 4).images != first.images)
    }

    /// What jitter and zoom show beyond the border is image, too, not the border's pixels again.
    @Test func imagesHaveSurroundings() throws {
        let ascent = GradientAscent.robust
        #expect(ascent.margin(of: 64) == 8 + 2)
        #expect(ascent.margin(of: 1) == 0)
        var generator = PhiloxGenerator(seed: 1, stream: 2, step: 0)
        let made = try ImageParameterization(
            count: 2, size: [12, 1], margin: [9, 0], channels: 3, decay: 1, using: &generator)
        #expect(made.images.shape == [2, 12, 1, 3])
        #expect(made.surroundings.shape == [2, 30, 1, 3])
        #expect(
            try made.surroundings.shaken(jitter: 8, zoom: 0.05, to: [12, 1]).shape == [2, 12, 1, 3])
    }

    @Test func whatDoesNotExistIsNamed() async throws {
        let model = try await model()
        #expect(throws: InsightError.self) { try ActivationMaximizer(model, layer: "secnd") }
        #expect(throws: InsightError.self) { try ActivationMaximizer(model, layer: "second", size: 0) }
        let maximizer = try ActivationMaximizer(model, layer: "second")
        for units in [[5], [-1], []] {
            await #expect(throws: InsightError.self) { try await maximizer.maximize(units) }
        }
        var broken: [GradientAscent] = []
        for change in [
            { (ascent: inout GradientAscent) in ascent.steps = 0 }, { $0.jitter = -1 }, { $0.zoom = .nan },
            { $0.totalVariation = -1 }, { $0.rule = .normalized(stepSize: 0) },
            { $0.rule = .adam(learningRate: .infinity) }, { $0.parameterization = .frequencies(decay: -1) },
        ] as [(inout GradientAscent) -> Void] {
            var ascent = GradientAscent.robust
            change(&ascent)
            broken.append(ascent)
        }
        for ascent in broken {
            await #expect(throws: InsightError.self) { try await maximizer.maximize([0], by: ascent) }
        }
        await #expect(throws: InsightError.self) {
            try await maximizer.maximize([0], by: .chollet, start: picture([1, 12, 10, 1]))
        }
        await #expect(throws: InsightError.self) {
            try await maximizer.maximize([0], by: .robust, start: picture([1, 12, 10, 3]))
        }
    }

    @Test func imagesOfFrequenciesAreTheCosineTransform() async throws {
        var generator = PhiloxGenerator(seed: 1, stream: 2, step: 0)
        let made = try ImageParameterization(
            count: 1, size: [3, 4], channels: 1, decay: 0, using: &generator)
        var spectrum = [Float](repeating: 0, count: 12)
        spectrum[1 * 4 + 2] = 8
        let variable = made.variable
        try await variable.assign(TensorValue(shape: [1, 1, 3, 4], spectrum))
        let images = try await Compute.run {
            try PartialStep(outputs: [made.images]).run(StepRunner(device: .reference), [:])[0]
        }
        let expected = (0..<12).map { place -> Float in
            let (row, column) = (Float(place / 4), Float(place % 4))
            let y = (2.0 as Float / 3).squareRoot() * cosine(.pi * (row + 0.5) / 3)
            let x = (2.0 as Float / 4).squareRoot() * cosine(.pi * 2 * (column + 0.5) / 4)
            return 1 / (1 + exponential(-8 / 4 * x * y))
        }
        expectNear(images.floats, expected, "image", tolerance: 1e-5)
    }

    /// A filter that answers to nothing has a gradient before its ReLU only.
    @Test func silentFiltersAreWokenBeforeTheirReLU() async throws {
        let model = try Sequential(input: [8, 8, 1], seed: 5) {
            Conv2D(
                filters: 2, kernelSize: 3, activation: .relu, biasInitializer: .constant(-100), name: "silent"
            )
        }
        func last(_ steps: Int, beforeReLU: Bool) async throws -> [Float] {
            try await ActivationMaximizer(model, layer: "silent", beforeReLU: beforeReLU).maximize(
                [0, 1], by: GradientAscent(steps: steps)
            ).activations
        }
        #expect(try await last(5, beforeReLU: false) == [0, 0])
        let (first, second) = (try await last(1, beforeReLU: true), try await last(20, beforeReLU: true))
        #expect(zip(first, second).allSatisfy { $0 < -50 && $1 > $0 })
    }

    @Test func progressGoesToOne() async throws {
        let parts = Mutex<[Double]>([])
        let maximizer = try await ActivationMaximizer(model(), layer: "second")
        _ = try await maximizer.maximize([0, 1, 2], by: GradientAscent(steps: 2), batchSize: 2) { part in
            parts.withLock { $0.append(part) }
        }
        let seen = parts.withLock { $0 }
        #expect(seen.count == 4 && seen == seen.sorted() && seen.last == 1)
    }
}
