import Foundation
import FoveaGraph
import FoveaSignal

extension Figure {
    /// A Gabor kernel: its real and imaginary part and its magnitude.
    ///
    /// - Throws: nothing that can be seen before it is written.
    public static func gaborKernel(_ kernel: GaborKernel) throws -> Figure {
        let magnitude = TensorValue(
            shape: kernel.real.shape, dtype: .float32,
            doubles: zip(kernel.real.floats, kernel.imaginary.floats).map {
                Double(($0 * $0 + $1 * $1).squareRoot())
            })
        let limits = WindowFigure.balancedLimits(of: magnitude)
        return Figure(
            [
                kernelPanel("real", kernel.real, limits), kernelPanel("imaginary", kernel.imaginary, limits),
                kernelPanel("magnitude", magnitude, limits),
            ], columns: 3, title: kernel.shortText)
    }

    /// How images answer to Gabor kernels: a row for each kernel, first the kernel, then each image's response, the brightest place
    /// of a row being white; above them the images. As scikit-image's example of a filter bank shows it.
    ///
    /// - Parameters:
    ///   - images: grey, `[height, width]`, each with its name.
    ///   - kernels: such as a `gaborBank`.
    /// - Throws: `VisualizationError` when there are no images or kernels; `ShapeError` for images of another shape; what
    ///   computing throws.
    public static func filterBank(
        images: [(name: String, values: TensorValue)], kernels: [GaborKernel]
    ) async throws -> Figure {
        guard !images.isEmpty, !kernels.isEmpty else {
            throw VisualizationError(.noData, "a filter bank is shown with at least one image and one kernel")
        }
        var responses: [[TensorValue]] = []
        for image in images {
            let all = try await filterBankResponse(.constant(image.values.asFloats()), kernels).evaluated()
            responses.append(try kernels.indices.map { try all.channel($0) })
        }
        var panels = [Panel(title: "", [])]
        panels[0].hasAxes = false
        for image in images {
            var panel = Panel(title: image.name, [.image(image.values, colorMap: .gray)])
            panel.hasAxes = false
            panels.append(panel)
        }
        for (index, kernel) in kernels.enumerated() {
            var panel = Panel(title: kernel.shortText, [.image(kernel.real, colorMap: .gray)])
            panel.hasAxes = false
            panels.append(panel)
            let brightest = responses.map { Double($0[index].max()) }.filter(\.isFinite).max() ?? 0
            for response in responses {
                var panel = Panel(
                    [.image(response[index], colorMap: .gray, limits: 0...(brightest > 0 ? brightest : 1))])
                panel.hasAxes = false
                panels.append(panel)
            }
        }
        let columns = images.count + 1
        return Figure(
            panels, columns: columns,
            size: (2.1 * Double(columns), 1.8 * Double(kernels.count + 1)))
    }
}

extension GaborKernel {
    /// Its direction in degrees, frequency and deviation.
    fileprivate var shortText: String {
        let sigma =
            sigmaX == sigmaY
            ? String(format: "σ %.3g", sigmaX) : String(format: "σ %.3g × %.3g", sigmaX, sigmaY)
        return String(format: "θ %.0f°, f %.3g, ", theta * 180 / .pi, frequency) + sigma
    }
}

extension TensorValue {
    fileprivate func asFloats() -> TensorValue {
        dtype == .float32
            ? self : TensorValue(shape: shape, dtype: .float32, doubles: floats.map(Double.init))
    }

    /// One channel of `[height, width, channels]`.
    fileprivate func channel(_ index: Int) throws -> TensorValue {
        let (elements, channels) = (floats, shape[2])
        return try TensorValue(
            shape: [shape[0], shape[1]],
            stride(from: index, to: elements.count, by: channels).map { elements[$0] })
    }
}
