import Foundation
import Fovea

extension Lesson4 {
    /// A picture from a file of any kind, as a tensor of pixels.
    func readingPictures() throws {
        course.section("Reading a picture")
        let path = try course.data.path("elephant.jpg") ?? drawnPicture()
        let picture = try Picture.decode(contentsOf: path)
        let pixels = TensorValue(picture)
        print("   \(path): shape \(pixels.shape), \(pixels.dtype), from \(pixels.min()) to \(pixels.max())")
        print("   its first 2×2 pixels:\n\(pixels[0..<2, 0..<2])")
        try course.show(
            Figure.images([picture, picture.grey()], titles: ["RGB", "grey"], columns: 2), "picture.png")
    }

    /// A picture file of our own.
    private func drawnPicture() throws -> String {
        let path = course.file("shape.png")
        let shape = try ShapesDataset.draw(trainCount: 1, testCount: 1, height: 96, width: 96).train[0]
        try shape.image.rgb().pngData().write(to: URL(fileURLWithPath: path))
        return path
    }

    /// An L2 penalty, `λ · Σ w²`, added to a loss by hand; layers have it as `kernelRegularizer: .l2(0.001)`.
    func penalty() async throws {
        course.section("An L2 penalty")
        let factor: Float = 0.001
        let loss = try await BinaryCrossentropy()(
            targets: .constant(TensorValue([[1]])), predictions: .constant(TensorValue([[0.9]]))
        ).mean().evaluated().scalar
        let model = try Sequential(input: [28, 28, 3], seed: 1) { Conv2D(filters: 5, kernelSize: 5) }
        var squares: Float = 0
        for (_, parameter) in model.trainableParameters {
            guard let values = try await parameter.variable?.value() else { continue }
            squares += values.floats.reduce(0) { $0 + $1 * $1 }
        }
        print("   of a convolution: loss \(loss), with the penalty \(loss + factor * squares)")
        // The lesson's weights were drawn at random too.
        course.record(
            "loss and penalty", Double(loss + factor * squares), published: 0.1127, isShortened: false,
            remark: "random weights")
    }

    /// Cross-entropies of probabilities and of logits, which are the same.
    func losses() async throws {
        course.section("Losses")
        let logit = try Tensor.constant(TensorValue([[0.8]]))
        let truth = try Tensor.constant(TensorValue([[1]]))
        let logits = try Tensor.constant(TensorValue([[1.5, 0.8, 2.1]]))
        let label = try Tensor.constant(TensorValue([2], .int32))
        let values = [
            (
                "binary, of probabilities",
                try BinaryCrossentropy()(targets: truth, predictions: logit.sigmoid()), 0.3711
            ),
            (
                "binary, of logits",
                try BinaryCrossentropy(fromLogits: true)(targets: truth, predictions: logit), 0.3711
            ),
            (
                "of classes, of probabilities",
                try SparseCategoricalCrossentropy()(targets: label, predictions: logits.softmax()), 0.5996
            ),
            (
                "of classes, of logits",
                try SparseCategoricalCrossentropy(fromLogits: true)(targets: label, predictions: logits),
                0.5996
            ),
        ]
        for (name, loss, published) in values {
            course.record(
                "cross-entropy \(name)", Double(try await loss.mean().evaluated().scalar),
                published: published, isShortened: false)
        }
    }
}
