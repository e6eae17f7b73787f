import Foundation
import FoveaGraph
import FoveaPictures
import FoveaSaving
import Testing

@testable import FoveaVisualization

/// The picture of Chollet's lesson on heat maps, of two African elephants, if the variable says where it is; and published weights, if
/// this machine has them.
private let elephants = ProcessInfo.processInfo.environment["FOVEA_ELEPHANTS"]
private let hasWeights = PublishedWeights.all.contains { weights in
    weights.network == .efficientNetLite0 && PretrainedLibrary().path(of: weights) != nil
}

@Suite struct ElephantTests {
    @Test(.enabled(if: elephants != nil && hasWeights)) func theHeatLiesOnTheElephants() async throws {
        let saved = try await SavedModel(.efficientNetLite0, weights: .pretrained)
        let picture = try Picture.decode(contentsOf: elephants ?? "")
        let attribution = try await Explainer(saved.model).explain(picture)
        #expect(saved.classNames[attribution.classIndex] == "African elephant")
        #expect(attribution.probability > 0.5)
        #expect(attribution.layer == "top_activation")
        // Drawn by hand around the mother and the calf, in parts of the picture's sides.
        let side = Double(attribution.map.shape[0])
        func pixels(_ from: Double, _ to: Double) -> Range<Int> { Int(from * side)..<Int(to * side) }
        let boxes = [
            PixelRegion(rows: pixels(0.13, 0.64), columns: pixels(0.45, 1)),
            PixelRegion(rows: pixels(0.36, 0.67), columns: pixels(0.16, 0.56)),
        ]
        let share = attribution.heatShare(in: boxes)
        #expect(share >= 0.8, "\(share)")
        let (row, column) = attribution.peak
        #expect(boxes.contains { $0.contains(row: row, column: column) })
    }
}
