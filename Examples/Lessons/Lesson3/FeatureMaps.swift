import Foundation
import Fovea

extension Lesson3 {
    /// What the first eight layers make of a picture: all their channels.
    func featureMaps(of model: Sequential, _ pets: Pets) async throws {
        course.section("Feature maps")
        let picture = try pets.test.images(0..<1)[0]
        try course.show(Figure.images([picture], columns: 1), "seen.png")
        let layers = Array(model.layerPaths.prefix(8))
        let pixels = TensorValue(picture)
        let batch = try pixels.reshaped(to: Shape([1] + pixels.shape.dimensions))
        let maps = try await model.featureMaps(of: layers, for: [batch])
        for layer in layers {
            guard let map = maps[layer] else { continue }
            for figure in try Figure.featureMaps(map, title: layer) {
                try course.show(figure, "maps-\(layer).png")
            }
        }
    }
}
