import Foundation
import Fovea

extension Lesson3 {
    /// A Gabor kernel, and how a street-number answers to others: what the lesson's sliders choose, all at once.
    func gaborKernels(on streetNumber: TensorValue) async throws {
        course.section("Gabor kernels")
        let kernel = try gaborKernel(frequency: 0.1, theta: .pi / 4, sigmaX: 3, sigmaY: 3)
        try course.show(Figure.gaborKernel(kernel), "gabor-kernel.png")

        let bank = try gaborBank(frequencies: [0.1, 0.2, 0.4], orientations: 4, sigmas: [1, 3])
        let image = Tensor.constant(streetNumber)
        var responses: [TensorValue] = []
        for kernel in bank {
            responses.append(try await filterBankResponse(image, [kernel]).evaluated())
        }
        let titles = bank.map {
            String(format: "%.0f°, f %.1f, σ %.0f", $0.theta * 180 / .pi, $0.frequency, $0.sigmaX)
        }
        try course.show(Figure.images(responses, titles: titles, columns: 6), "gabor-responses.png")
    }

    /// How a boot, a shirt and a dress answer to a bank of eight.
    func filterBank() async throws {
        course.section("A filter bank over Fashion-MNIST")
        let found = try await course.data.greyImages(.fashionMNIST)
        let labels = try found.train.labels
        let images = try [9, 6, 3].compactMap { label in
            try labels.firstIndex(of: label).map { index in
                let image = try found.train[index].inputs[0]
                return (found.classNames[label], try image.reshaped(to: [image.shape[0], image.shape[1]]))
            }
        }
        // The directions 0 and π/4: the first eight of sixteen.
        let bank = try gaborBank(frequencies: [0.1, 0.4], orientations: 4, sigmas: [1, 3]).prefix(8)
        try course.show(await Figure.filterBank(images: images, kernels: Array(bank)), "filter-bank.png")
    }
}
