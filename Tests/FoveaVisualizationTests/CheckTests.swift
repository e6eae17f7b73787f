import Foundation
import FoveaGraph
import FoveaLayers
import FoveaOneDNN
import FoveaRuntime
import Testing

@testable import FoveaVisualization

/// Deletion, insertion, pointing and randomization, on maps and models of which the answer is known.
@Suite struct CheckTests {
    /// The logit of class 1 is the sum over the upper left quarter, that of class 0 is none.
    private func quarterModel() async throws -> Sequential {
        let model = try Sequential(name: "quarter", input: [6, 6, 1]) {
            Flatten()
            Dense(units: 2, activation: .softmax, name: "sum")
        }
        let kernel = (0..<36).flatMap { pixel -> [Float] in
            [0, pixel / 6 < 3 && pixel % 6 < 3 ? 1 : 0]
        }
        let layer = try #require(model.layer(named: "sum") as? Dense)
        try await layer.kernel.variable?.assign(TensorValue(shape: [36, 2], kernel))
        return model
    }

    private func map(_ value: (_ row: Int, _ column: Int) -> Float) throws -> TensorValue {
        try TensorValue(shape: [6, 6], (0..<36).map { value($0 / 6, $0 % 6) })
    }

    @Test func curvesFollowTheOrderOfTheMap() async throws {
        let explainer = try await Explainer(quarterModel())
        let image = TensorValue(repeating: 1, shape: [1, 6, 6, 1])
        let right = try map { $0 < 3 && $1 < 3 ? 1 : 0 }
        let wrong = try map { $0 < 3 && $1 < 3 ? 0 : 1 }
        func probability(_ count: Int) -> Double { 1 / (1 + exp(-Double(count))) }
        let deletion = try await explainer.curve(
            .deletion, ranking: right, of: [image], class: 1, steps: 4, replacement: .constant(0))
        #expect(deletion.fractions == [0, 0.25, 0.5, 0.75, 1])
        for (found, count) in zip(deletion.probabilities, [9, 0, 0, 0, 0]) {
            #expect(abs(found - probability(count)) < 1e-5)
        }
        let expected = (probability(9) + 7 * 0.5) / 8
        #expect(abs(deletion.area - expected) < 1e-5)
        let late = try await explainer.curve(
            .deletion, ranking: wrong, of: [image], class: 1, steps: 4, replacement: .constant(0))
        for (found, count) in zip(late.probabilities, [9, 9, 9, 9, 0]) {
            #expect(abs(found - probability(count)) < 1e-5)
        }
        let insertion = try await explainer.curve(
            .insertion, ranking: right, of: [image], class: 1, steps: 36, replacement: .constant(0),
            batchSize: 5)
        for (place, found) in insertion.probabilities.enumerated() {
            #expect(abs(found - probability(min(place, 9))) < 1e-5)
        }
        // The mean of a picture of one colour takes nothing away.
        let same = try await explainer.curve(.deletion, ranking: right, of: [image], class: 1, steps: 3)
        #expect(same.probabilities.allSatisfy { abs($0 - probability(9)) < 1e-5 })
    }

    @Test func blurKeepsTheSumAndWidensAPoint() {
        var elements = [Float](repeating: 0, count: 21 * 25)
        elements[10 * 25 + 12] = 1
        let blurred = HeatMap(height: 21, width: 25, elements).blurred(deviation: 2)
        #expect(abs(blurred.elements.reduce(0, +) - 1) < 1e-4)
        let (centre, beside) = (blurred.elements[10 * 25 + 12], blurred.elements[10 * 25 + 14])
        // exp(-½) at one deviation.
        #expect(abs(beside / centre - 0.60653) < 1e-3)
        #expect(abs(blurred.elements[8 * 25 + 12] - beside) < 1e-7)
    }

    @Test func curvesNeedMapsThatFit() async throws {
        let explainer = try await Explainer(quarterModel())
        let image = TensorValue(repeating: 1, shape: [1, 6, 6, 1])
        func fails(
            _ map: TensorValue, _ images: TensorValue, class classIndex: Int = 1, steps: Int = 3,
            _ replacement: PixelReplacement = .mean
        ) async {
            await #expect(throws: InsightError.self) {
                try await explainer.curve(
                    .deletion, ranking: map, of: [images], class: classIndex, steps: steps,
                    replacement: replacement)
            }
        }
        let map = TensorValue(repeating: 1, shape: [6, 6])
        await fails(TensorValue(repeating: 1, shape: [6, 5]), image)
        await fails(TensorValue(repeating: .nan, shape: [6, 6]), image)
        await fails(map, TensorValue(repeating: 1, shape: [2, 6, 6, 1]))
        await fails(map, image, class: 2)
        await fails(map, image, steps: 0)
        await fails(map, image, .constant(.nan))
        await fails(map, image, .blurred(deviation: 0))
    }

    @Test func pointingCountsPeaksOnObjects() async throws {
        let explainer = try await Explainer(quarterModel())
        var pixels = [Float](repeating: 0.1, count: 36)
        pixels[2 * 6 + 1] = 1
        let image = try TensorValue(shape: [1, 6, 6, 1], pixels)
        let attribution = try await explainer.explain(
            [image], method: .integratedGradients(steps: 4), class: 1)[0]
        #expect(attribution.peak == (2, 1))
        var game = PointingGame()
        #expect(game.accuracy.isNaN)
        game.add(attribution, objects: [PixelRegion(rows: 2..<3, columns: 1..<2)])
        game.add(attribution, objects: [PixelRegion(rows: 0..<6, columns: 2..<6)])
        game.add(
            attribution,
            objects: [PixelRegion(rows: 5..<6, columns: 5..<6), PixelRegion(rows: 0..<3, columns: 0..<3)])
        #expect(game.hits == 2 && game.misses == 1)
        var near = PointingGame(tolerance: 1)
        near.add(attribution, objects: [PixelRegion(rows: 0..<6, columns: 2..<6)])
        near.add(attribution, objects: [PixelRegion(rows: 0..<6, columns: 3..<6)])
        #expect(near.accuracy == 0.5)
        #expect(attribution.heatShare(in: [PixelRegion(rows: 0..<3, columns: 0..<3)]) == 1)
        #expect(attribution.heatShare(in: [PixelRegion(rows: 3..<6, columns: 0..<3)]) == 0)
    }

    @Test func mapsOfRandomModelsDifferAndTheModelStays() async throws {
        let model = try nestedModel()
        try await disturbBiases(of: model)
        let explainer = try Explainer(model)
        let image = try picture([1, 8, 8, 2])
        let before = try await model.predict(image)
        for method in [AttributionMethod.gradCAM, .gradient, .integratedGradients(steps: 5)] {
            let test = try await explainer.randomizationTest(
                [image], method: method, class: 1, stages: 3, seed: 8)
            #expect(
                test.stages.map(\.layers) == [
                    ["head"], ["base/block/second"], ["base/block/first", "base/conv"],
                ])
            #expect(test.stages.allSatisfy { (-1...1).contains($0.correlation) })
            let last = try #require(test.stages.last)
            #expect(last.attribution.values != test.original.values)
            #expect(last.attribution.score != test.original.score)
            #expect(abs(last.correlation) < 0.9)
        }
        #expect(try await model.predict(image) == before)
        let again = try await explainer.explain([image], class: 1)[0]
        #expect(try await explainer.randomizationTest([image], class: 1, stages: 1).original.map == again.map)
        await #expect(throws: InsightError.self) {
            try await explainer.randomizationTest([image], stages: 0)
        }
    }

    @Test func rankCorrelations() {
        #expect(rankCorrelation([1, 2, 3], [10, 20, 90]) == 1)
        #expect(rankCorrelation([1, 2, 3], [3, 0, -3]) == -1)
        #expect(rankCorrelation([1, 1, 1], [3, 0, -3]) == 0)
        // By hand: ranks 0, 1.5, 1.5, 3 and 0, 1, 2, 3.
        #expect(abs(rankCorrelation([1, 2, 2, 3], [1, 2, 3, 4]) - 0.9486833) < 1e-6)
    }
}
