import Foundation
import Fovea

/// Convolutions by hand, what layers are made of, and a network for digits with a training loop written out.
struct Lesson4: Lesson {
    static let number = 4
    static let title = "Convolutions by hand, and a training loop of one's own"
    let course: Course

    func run() async throws {
        try await convolutionsByHand()
        try readingPictures()
        try await penalty()
        try await losses()
        try await digits()
    }
}
