import Fovea

/// What pooling does, the best model of a training kept, and what a convolution sees of one image.
struct Lesson1: Lesson {
    static let number = 1
    static let title = "Pooling, one convolution, and what it sees"
    let course: Course

    func run() async throws {
        try poolingByHand()
        let (model, found) = try await singleConvolution()
        try await oneImage(model, found)
    }
}
