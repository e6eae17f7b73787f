import Fovea

/// Networks that made history, a first network of one's own, and one whose convolutions others have trained.
struct Lesson0: Lesson {
    static let number = 0
    static let title = "Networks that made history, and a first one of one's own"
    let course: Course

    func run() async throws {
        try history()
        try await clothes()
        try await transfer()
    }
}
