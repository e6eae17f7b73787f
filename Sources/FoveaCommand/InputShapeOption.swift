import ArgumentParser
import Fovea

/// The size of what a model takes, where its file leaves it open.
struct InputShapeOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The shape of one input, such as 150x150x3, for models that take any.",
            valueName: "shape"))
    var inputShape: String?

    /// - Throws: `ValidationError` for what is no shape.
    func shape() throws -> Shape? {
        guard let inputShape else { return nil }
        let parts = inputShape.split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
        let extents = parts.compactMap { $0 }
        guard extents.count == parts.count, extents.allSatisfy({ (1...1 << 24).contains($0) }) else {
            throw ValidationError(
                "--input-shape takes extents with an x between, height, width and channels of images: 150x150x3, not "
                    + inputShape)
        }
        return Shape(extents)
    }
}
