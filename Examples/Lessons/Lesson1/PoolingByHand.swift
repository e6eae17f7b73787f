import Fovea

extension Lesson1 {
    /// Pooling of a small image, window by window.
    func poolingByHand() throws {
        course.section("Pooling by hand")
        let image = try TensorValue([[1, 1, 2, 4], [5, 6, 7, 8], [3, 2, 1, 0], [1, 2, 3, 4]])
        let pooling = try PoolingSteps(image: image, kind: .max, poolSize: 2, strides: 2)
        for step in pooling.steps {
            print("   from row \(step.top), column \(step.left): \(step.patch) → \(step.result)")
        }
        print("   the largest of each window:\n\(pooling.output)")
        let mean = try PoolingSteps(image: image, kind: .average, poolSize: 2, strides: 2)
        print("   the mean of each window:\n\(mean.output)")
        let published: [Float] = [6, 8, 3, 4]
        course.record(
            "right numbers of a max-pooling",
            Double(zip(pooling.output.floats, published).count { $0 == $1 }),
            published: 4, isShortened: false)
        try course.show(pooling.plot(step: 1, image: image), "pooling.png")
        try pooling.animation(of: image).write(to: course.file("pooling.gif"))
        print("   animation: \(course.file("pooling.gif"))")
    }
}
