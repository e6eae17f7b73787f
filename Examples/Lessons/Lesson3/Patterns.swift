import Foundation
import Fovea

extension Lesson3 {
    /// What filters of VGG-16 look for: images that they answer to most, found by the lesson's gradient ascent and by a better one.
    func patterns(of base: any ModelProtocol) async throws {
        course.section("Patterns that filters look for")
        let (size, count) = course.choose(full: (Size2D(128), 64), quick: (Size2D(48), 8))
        var lesson = GradientAscent.chollet
        var better = GradientAscent.robust
        (lesson.steps, better.steps) = course.choose(full: (40, better.steps), quick: (8, 24))
        for block in 1...4 {
            let layer = "block\(block)_conv1"
            let maximizer = try ActivationMaximizer(base, layer: layer, size: size)
            for (name, ascent) in [("lesson", lesson), ("better", better)] {
                let patterns = try await maximizer.maximize(Array(0..<count), by: ascent)
                try course.show(
                    Figure.images(patterns.pictures(deviation: 0.2), columns: 8, title: layer),
                    "patterns-block\(block)-\(name).png")
            }
        }
    }
}
