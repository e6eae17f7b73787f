import Foundation
import FoveaGraph
import FoveaLayers
import FoveaOneDNN
import FoveaTraining
import Testing

@testable import FoveaVisualization

func cosine(_ x: Float) -> Float { cos(x) }
func exponential(_ x: Float) -> Float { exp(x) }

@Suite struct EmbeddingTests {
    /// Groups of points around corners of a cube of 6 dimensions.
    private func groups(_ count: Int, each: Int) throws -> TensorValue {
        var generator = PhiloxGenerator(seed: 2, stream: 1, step: 0)
        let elements = (0..<(count * each)).flatMap { row in
            (0..<6).map { column -> Float in
                let corner: Float = (row % count) >> (column % 3) & 1 == 1 ? 6 : 0
                return corner + Float(generator.standardNormal())
            }
        }
        return try TensorValue(shape: [count * each, 6], elements)
    }

    @Test func neighboursOfGroupsStayTogether() async throws {
        let points = try await TSNE(perplexity: 8, iterations: 300).embed(groups(4, each: 15))
        #expect(points.shape == [60, 2])
        let y = points.floats
        var right = 0
        for i in 0..<60 {
            let nearest = (0..<60).filter { $0 != i }.min { a, b in
                distance(y, i, a) < distance(y, i, b)
            }
            if nearest.map({ $0 % 4 == i % 4 }) == true { right += 1 }
        }
        #expect(right >= 57)
        #expect(abs(points.mean()) < 1e-3)
        // The same numbers again.
        #expect(try await TSNE(perplexity: 8, iterations: 300).embed(groups(4, each: 15)) == points)
    }

    private func distance(_ y: [Float], _ i: Int, _ j: Int) -> Float {
        let (dx, dy) = (y[2 * i] - y[2 * j], y[2 * i + 1] - y[2 * j + 1])
        return dx * dx + dy * dy
    }

    @Test func equalExamplesAndOneFeature() async throws {
        let same = try await TSNE(perplexity: 2, iterations: 50).embed(
            TensorValue(repeating: 3, shape: [8, 5]))
        #expect(same.isFinite)
        let line = try await TSNE(perplexity: 2, iterations: 50).embed(
            TensorValue(shape: [10, 1], (0..<10).map { Float($0) }))
        #expect(line.isFinite && line.shape == [10, 2])
    }

    @Test func directionsOfALine() throws {
        // Points (t, 2t, 0): all variance lies along (1, 2, 0).
        let value = try TensorValue(
            shape: [5, 3], (0..<5).flatMap { [Float($0), 2 * Float($0), 0] })
        let components = try PrincipalComponents(of: value)
        let root = Float(5).squareRoot()
        expectNear(Array(components.components.floats.prefix(3)), [1 / root, 2 / root, 0], "direction")
        #expect(abs(components.variances[0] - 12.5) < 1e-6)
        #expect(abs(components.variances[1]) < 1e-6)
        #expect(abs(components.varianceShares[0] - 1) < 1e-9)
    }

    @Test func variancesAreThoseOfTheProjection() throws {
        let features = try groups(4, each: 12)
        let components = try PrincipalComponents(of: features, count: 6)
        let projected = try components.project(features).floats
        for index in 0..<6 {
            let column = stride(from: index, to: projected.count, by: 6).map { Double(projected[$0]) }
            let variance = column.reduce(0) { $0 + $1 * $1 } / Double(column.count - 1)
            #expect(abs(variance - components.variances[index]) < 1e-4 * components.variances[0])
        }
        #expect(components.variances == components.variances.sorted(by: >))
        #expect(abs(components.varianceShares.reduce(0, +) - 1) < 1e-6)
    }

    @Test func eigenvectorsOfASymmetricMatrix() {
        let (values, vectors) = symmetricEigenvectors([[2, 1], [1, 2]])
        #expect(abs(values[0] - 3) < 1e-12 && abs(values[1] - 1) < 1e-12)
        #expect(abs(abs(vectors[0][0]) - 0.5.squareRoot()) < 1e-12)
        #expect(abs(vectors[0][0] - vectors[0][1]) < 1e-12)
    }

    @Test func pointsHaveAColourForEachClass() throws {
        let points = try TensorValue(shape: [5, 2], [0, 0, 1, 1, 2, 0, .nan, 1, 3, 3])
        let figure = try Figure.embedding(
            points, labels: [0, 2, 0, 1, 2], classNames: ["a", "b", "<c>"], axes: ("x", "y"))
        // Of class b no point has a place.
        #expect(figure.panels[0].marks.map(\.content.label) == ["a", "<c>"])
        #expect(figure.panels[0].xLabel == "x")
        for theme in Figure.Theme.allCases {
            let labels = (0..<60).map { $0 % 30 }
            let many = try Figure.embedding(
                TensorValue(shape: [60, 2], (0..<120).map { Float($0 * 7 % 50) }), labels: labels,
                theme: theme)
            #expect(many.panels[0].marks.count == 30)
            #expect(Set(many.panels[0].marks.compactMap(\.content.color)).count == 30)
            #expect(try !many.encoded(as: .svg).isEmpty)
        }
        for (points, labels, names) in [
            (points, [0, 1], []), (points, [0, 0, 0, 0, 3], ["a", "b", "c"]), (points, [0, 0, 0, 0, -1], []),
            (TensorValue(repeating: .nan, shape: [1, 2]), [0], []),
            (TensorValue(repeating: 0, shape: [0, 2]), [], []),
        ] as [(TensorValue, [Int], [String])] {
            #expect(throws: VisualizationError.self) {
                try Figure.embedding(points, labels: labels, classNames: names)
            }
        }
    }

    /// What the classifier reads: of feature maps the means, and also where the classifier is inside another model.
    @Test func featuresAreWhatTheLastLayerReads() async throws {
        let images = LayerOutput.input("images", [6, 6, 1])
        let base = try Sequential(name: "base", input: [6, 6, 1], seed: 1) {
            Conv2D(filters: 4, kernelSize: 3, activation: .relu, name: "conv")
        }
        let head = try Sequential(name: "head", input: [4, 4, 4], seed: 2) {
            Flatten()
            Dense(units: 5, activation: .relu, name: "hidden")
            Dropout(rate: 0.5)
            Dense(units: 2, activation: .softmax)
        }
        let model = try Model(inputs: [images], outputs: [head(base(images))])
        let picture = TensorValue(repeating: 0.5, shape: [1, 6, 6, 1])
        let features = try await Predictor(model.featureExtractor()).outputs(for: [picture])[0]
        #expect(try await features == model.activations(of: ["head/hidden"], for: picture)["head/hidden"])
        let maps = try await Predictor(model.featureExtractor(upTo: "base")).outputs(for: [picture])[0]
        let own = try await model.activations(of: ["base"], for: picture)["base"]
        #expect(maps.shape == [1, 4])
        let means = (0..<4).map { channel in
            stride(from: channel, to: 64, by: 4).reduce(Float(0)) { $0 + (own?.floats[$1] ?? .nan) } / 16
        }
        #expect(zip(maps.floats, means).allSatisfy { abs($0 - $1) < 1e-5 })
        #expect(throws: ShapeError.self) { try model.featureExtractor(upTo: "bsae") }
        let plain = try Sequential(input: [3, 3, 1]) { Flatten() }
        #expect(throws: InsightError.self) { try plain.featureExtractor() }
    }

    @Test func featuresThatDoNotFitAreRefused() async throws {
        let rows = try groups(4, each: 5)
        for value in [
            TensorValue(1), TensorValue([1, 2]), TensorValue(repeating: .nan, shape: [9, 3]),
            TensorValue(repeating: 1, shape: [0, 3]), TensorValue(repeating: 1, shape: [1, 3]),
        ] {
            #expect(throws: InsightError.self) { try PrincipalComponents(of: value) }
            await #expect(throws: InsightError.self) { try await TSNE(perplexity: 2).embed(value) }
        }
        #expect(throws: InsightError.self) { try PrincipalComponents(of: rows, count: 7) }
        #expect(throws: InsightError.self) { try PrincipalComponents(of: rows, count: 0) }
        for tsne in [
            TSNE(perplexity: 7), TSNE(perplexity: .nan), TSNE(perplexity: 3, iterations: 0),
            TSNE(perplexity: 3, learningRate: -1),
        ] {
            await #expect(throws: InsightError.self) { try await tsne.embed(rows) }
        }
    }
}
