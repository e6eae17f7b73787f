import Foundation
import Fovea

extension Lesson3 {
    /// Three kernels that answer to edges, step by step and as a whole, on a white square and on a street-number.
    func edges(in streetNumber: TensorValue) async throws {
        course.section("Edge kernels")
        let kernels = [
            ("horizontal", Kernels.sobelHorizontal), ("diagonal", Kernels.diagonalRising),
            ("edge detect", Kernels.edgeDetection),
        ]
        try course.show(Figure.kernels(kernels), "edge-kernels.png")

        let square = try TensorValue(
            (0..<10).map { row in
                (0..<10).map { column in (3..<7).contains(row) && (3..<7).contains(column) ? 1.0 : 0 }
            })
        for (name, kernel) in kernels {
            let file = "square-\(name.replacingOccurrences(of: " ", with: "-"))"
            let steps = try ConvolutionSteps(image: square, kernel: kernel, mode: .same)
            try course.show(steps.plot(step: 33, image: square), "\(file).png")
            let frames = course.choose(full: 100, quick: 10)
            try steps.animation(of: square, frames: frames).write(to: course.file("\(file).gif"))
            print("   animation: \(course.file("\(file).gif"))")
        }
        let steps = try ConvolutionSteps(image: streetNumber, kernel: Kernels.sobelHorizontal, mode: .same)
        try course.show(steps.plot(step: 16 * 32 + 10, image: streetNumber), "number-step.png")

        var panels: [Panel] = []
        for (title, image) in [("white square", square), ("street-number", streetNumber)] {
            panels.append(Panel(title: title, [.image(image, colorMap: .gray)]))
            for (name, kernel) in kernels {
                // Beyond the border the image goes on as its mirror image, so that the border is no edge.
                let response = try await convolve2D(
                    .constant(image), .constant(kernel), mode: .same, boundary: .reflect
                ).evaluated()
                let largest = Double(max(response.max(), -response.min()))
                panels.append(
                    Panel(title: name, [.image(response, colorMap: .seismic, limits: -largest...largest)]))
            }
        }
        for index in panels.indices { panels[index].hasAxes = false }
        try course.show(Figure(panels, columns: 4, size: (8, 4.6)), "edges.png")
    }
}
