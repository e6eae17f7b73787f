import Fovea

extension Lesson1 {
    /// One test image: what the network says of it, and what its convolution makes of it.
    func oneImage(_ model: any ModelProtocol, _ found: LessonData.Found) async throws {
        let number = min(666, found.test.count - 1)
        course.section("Test image \(number)")
        let images = found.test.inputs[0][number..<number + 1]
        let label = try found.test[number].label
        let probabilities = try await model.predict(images)[0]
        let answer = Int(try probabilities.argMax().floats[0])
        print("   probabilities: \(probabilities)")
        print("   it is of class \(found.classNames[label]), taken for \(found.classNames[answer])")

        var picture = Panel(title: found.classNames[label], [.image(images[0])])
        picture.hasAxes = false
        var answers = Panel(xLabel: "probability", [.bars(probabilities, isHorizontal: true)])
        answers.xLimits = 0...1
        answers.yIsInverted = true
        answers.yTicks = .names(found.classNames)
        try course.show(Figure([picture, answers], columns: 2), "prediction.png")

        let maps = try await model.featureMaps(of: ["conv2d", "max_pooling2d"], for: [images])
        for (layer, map) in maps.sorted(by: { $0.key < $1.key }) {
            for figure in try Figure.featureMaps(map, perRow: 8, title: layer) {
                try course.show(figure, "\(layer).png")
            }
        }
    }
}
