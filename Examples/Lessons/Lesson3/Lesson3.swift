import Foundation
import Fovea

/// What convolutions answer to, from kernels made by hand to those of a network that others have trained.
struct Lesson3: Lesson {
    static let number = 3
    static let title = "Kernels made by hand, learned ones, and what a network sees"
    let course: Course

    func run() async throws {
        let streetNumber = try await streetNumber()
        try await edges(in: streetNumber)
        try await gaborKernels(on: streetNumber)
        try await filterBank()
        try await pooling()

        let pets = try Pets(course)
        let model = try await catsAndDogs(pets)
        try await featureMaps(of: model, pets)

        let vgg = try await course.data.vgg16(input: [pets.size.height, pets.size.width, 3])
        try await patterns(of: vgg.base)
        try await transfer(from: vgg.base, pets, remark: vgg.remark)
        try await heatMap(otherwise: model, pets)
        try await batchNormalization()
    }
}
