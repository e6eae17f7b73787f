import Foundation
import Fovea

extension Lesson2 {
    /// One dense layer with a softmax: a weight for each pixel and class, which can be looked at.
    func regression(_ digits: LessonData.Found) async throws {
        course.section("Softmax regression")
        let model = try Sequential(name: "softmax_regression", input: [28, 28, 1], seed: 1) {
            Flatten()
            Dense(units: digits.classNames.count, activation: .softmax)
        }
        let trainer = try model.compile(
            optimizer: .adam(), loss: .sparseCategoricalCrossentropy(), metrics: [.accuracy])
        try await trainer.fit(
            course.shortened(digits.train, to: 10_000), epochs: course.choose(full: 5, quick: 2), seed: 1)
        let evaluation = try await trainer.evaluate(digits.test)
        course.record(
            "test accuracy of softmax regression", evaluation.accuracy ?? 0, published: 0.9247,
            remark: digits.remark)

        if let kernel = try await model.parameters[0].parameter.variable?.value() {
            try course.show(weightImages(kernel, digits.classNames), "weights.png")
        }
    }

    /// What each class has learned of each pixel: red speaks for it, blue against it.
    private func weightImages(_ kernel: TensorValue, _ classNames: [String]) throws -> Figure {
        let rows = try kernel.array(of: [[Float]].self)
        let largest = Double(max(kernel.max(), -kernel.min()))
        let panels = classNames.indices.map { number in
            let weights = (0..<28).map { y in (0..<28).map { x in rows[y * 28 + x][number] } }
            var panel = Panel(
                title: classNames[number],
                [.image(weights, colorMap: .seismic, limits: -largest...largest)])
            panel.hasAxes = false
            return panel
        }
        return Figure(panels, columns: 5, size: (8, 3.6))
    }
}
