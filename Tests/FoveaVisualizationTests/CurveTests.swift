import Foundation
import FoveaGraph
import FoveaTraining
import Testing

@testable import FoveaVisualization

@Suite struct CurveTests {
    private struct Golden: Decodable {
        let labels: [Bool]
        let scores, falsePositiveRates, truePositiveRates, thresholds, precisions, recalls: [Double]
        let area, averagePrecision, meanArea: Double
        let calibrated, frequencies, probabilities: [Double]
        let classes: [Int]
        let rows: [[Float]]
    }

    private func golden() throws -> Golden {
        let file = try #require(Bundle.module.url(forResource: "Golden/curves", withExtension: "json"))
        return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: file))
    }

    private func areClose(_ a: [Double], _ b: [Double], _ tolerance: Double = 1e-12) -> Bool {
        a.count == b.count && zip(a, b).allSatisfy { ($0 - $1).magnitude <= tolerance }
    }

    @Test func rocAndPrecisionRecallAreScikitLearns() throws {
        let golden = try golden()
        let roc = try ROCCurve(labels: golden.labels, scores: golden.scores)
        #expect(areClose(roc.falsePositiveRates, golden.falsePositiveRates))
        #expect(areClose(roc.truePositiveRates, golden.truePositiveRates))
        #expect(roc.thresholds == [.infinity] + golden.thresholds)
        #expect((roc.area - golden.area).magnitude < 1e-12)
        let curve = try PrecisionRecallCurve(labels: golden.labels, scores: golden.scores)
        #expect(areClose(curve.precisions, golden.precisions))
        #expect(areClose(curve.recalls, golden.recalls))
        #expect((curve.averagePrecision - golden.averagePrecision).magnitude < 1e-12)
    }

    @Test func calibrationIsScikitLearns() throws {
        let golden = try golden()
        let curve = try CalibrationCurve(outcomes: golden.labels, probabilities: golden.calibrated)
        #expect(areClose(curve.frequencies, golden.frequencies))
        #expect(areClose(curve.probabilities, golden.probabilities))
        #expect(curve.counts.reduce(0, +) == golden.labels.count)
        let perfect = try CalibrationCurve(outcomes: [true, false], probabilities: [1, 0])
        #expect(perfect.expectedError == 0)
        let wrong = try CalibrationCurve(
            outcomes: [false, true, true, true], probabilities: [0.9, 0.9, 0.1, 0.3])
        #expect((wrong.expectedError - (2 * 0.4 + 0.9 + 0.7) / 4).magnitude < 1e-12)
    }

    @Test func classesHaveCurvesEach() throws {
        let golden = try golden()
        let scores = try TensorValue(golden.rows)
        let curves = try ClassCurves(labels: golden.classes, scores: scores)
        #expect(curves.classes == [0, 1, 2])
        #expect((curves.meanArea - golden.meanArea).magnitude < 1e-12)
        #expect(try !curves.plot().encoded(as: .svg).isEmpty)
        // One output is the score of the second class.
        let binary = try ClassCurves(
            labels: [0, 1, 1, 0], scores: try TensorValue([[0.1], [0.9], [0.4], [0.5]]),
            classNames: ["no", "yes"])
        #expect(binary.classNames == ["yes"] && binary.roc[0].area == 0.75)
    }

    @Test func curvesNeedExamplesOfTwoClasses() throws {
        func kind(_ body: () throws -> Void) -> VisualizationError.Kind? {
            do { try body() } catch { return (error as? VisualizationError)?.kind }
            return nil
        }
        #expect(kind { _ = try ROCCurve(labels: [true, true], scores: [0.1, 0.2]) } == .noData)
        #expect(kind { _ = try ROCCurve(labels: [], scores: []) } == .noData)
        #expect(kind { _ = try ROCCurve(labels: [true], scores: [0.1, 0.2]) } == .wrongShape)
        #expect(kind { _ = try ROCCurve(labels: [true, false], scores: [0.1, .nan]) } == .invalidArgument)
        #expect(kind { _ = try PrecisionRecallCurve(labels: [false], scores: [1]) } == .noData)
        #expect(kind { _ = try CalibrationCurve(outcomes: [], probabilities: []) } == .noData)
        #expect(kind { _ = try CalibrationCurve(outcomes: [true], probabilities: [1.5]) } == .invalidArgument)
        #expect(
            kind { _ = try CalibrationCurve(outcomes: [true], probabilities: [.nan]) } == .invalidArgument)
        let two = try TensorValue([[0.5, 0.5], [0.4, 0.6]])
        #expect(kind { _ = try ClassCurves(labels: [1, 1], scores: two) } == .noData)
        #expect(kind { _ = try ClassCurves(labels: [1, 2], scores: two) } == .invalidArgument)
        #expect(kind { _ = try ClassCurves(labels: [1], scores: two) } == .wrongShape)
    }

    @Test func aMatrixOfOneClassOnlyIsDrawn() throws {
        let matrix = try ConfusionMatrix(
            labels: [1, 1], predictions: TensorValue([[0.2, 0.8], [0.9, 0.1]]), classes: 2,
            classNames: ["<b>cat</b> & co", "dog\nof two lines"])
        for theme in Figure.Theme.allCases {
            #expect(try !matrix.plot(theme: theme).encoded(as: .png).isEmpty)
            #expect(try !matrix.plot(showsShares: true, theme: theme).encoded(as: .svg).isEmpty)
            #expect(try !matrix.plotClasses(theme: theme).encoded(as: .png).isEmpty)
        }
    }
}
