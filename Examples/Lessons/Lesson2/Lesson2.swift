import Fovea

/// MNIST in three ways, from one layer to a loop over gradients, and how images come to a network.
struct Lesson2: Lesson {
    static let number = 2
    static let title = "From one layer to a training loop, and how images come to a network"
    let course: Course

    func run() async throws {
        let digits = try await course.data.greyImages(.mnist)
        try await regression(digits)
        try await convolutions(digits)
        try await gradientLoop(digits)
        try await pipeline()
    }
}
