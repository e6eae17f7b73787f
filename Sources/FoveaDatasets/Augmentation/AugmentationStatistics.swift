import FoveaGraph

extension Augmentation {
    /// What standardization needs to know of the data.
    public struct Statistics: Hashable, Sendable {
        /// Of each channel, after rescaling.
        public let mean: [Float]
        /// The standard deviation of each channel, after rescaling.
        public let standardDeviation: [Float]
        /// The symmetric matrix that flattened images are multiplied with, in row-major order; empty without whitening.
        public let whitening: [Float]

        /// Tells statistics apart, in few letters.
        var digest: String {
            FoveaDatasets.digest((mean + standardDeviation + whitening).map(\.bitPattern))
        }
    }

    /// Looks at the data for what `featurewiseCenter`, `featurewiseStdNormalization` and `zcaWhitening` need; without
    /// these it need not be called.
    ///
    /// Mean and standard deviation are those of each channel over all images and pixels, after rescaling. Whitening
    /// multiplies the centred flattened image `x` with `U · diag(√n / (s + zcaEpsilon)) · Uᵀ`, where `n` is the
    /// number of images and `U · diag(s) · Vᵀ` the singular value decomposition of the matrix with these as columns.
    /// Directions in which the data do not vary are left out. Bell and Sejnowski 1997, "The 'independent components'
    /// of natural scenes are edge filters".
    ///
    /// - Parameter images: `[count, height, width, channels]`, uint8 or float32.
    /// - Throws: `DatasetError` for other shapes and types, for no images, for numbers that are not finite, and when
    ///   whitening would take longer than minutes, when both the number of images and that of numbers in one exceed 1,024,
    ///   or too much memory, when there are more than 4,096 numbers in an image.
    public mutating func fit(on images: TensorValue) throws(DatasetError) {
        let shape = images.shape
        guard shape.rank == 4, shape.elementCount > 0 else {
            throw DatasetError(
                .wrongShape,
                "statistics are of images [count, height, width, channels], at least one, not of \(shape)")
        }
        let factor = rescale ?? 1
        switch images.storage {
        case .uint8(let pixels): try fit(on: pixels, shape) { Double($0) * factor }
        case .float32(let pixels): try fit(on: pixels, shape) { Double($0) * factor }
        default:
            throw DatasetError(
                .wrongElementType,
                "images are uint8 or float32, not \(images.dtype.rawValue); cast them first")
        }
    }

    private mutating func fit<Element>(
        on pixels: [Element], _ shape: Shape, _ value: (Element) -> Double
    ) throws(DatasetError) {
        let channels = shape.channels
        let count = Double(pixels.count / channels)
        func means(_ body: (Element, Int) -> Double) -> [Double] {
            var sums = [Double](repeating: 0, count: channels)
            pixels.withUnsafeBufferPointer { pixels in
                for start in stride(from: 0, to: pixels.count, by: channels) {
                    for channel in 0..<channels { sums[channel] += body(pixels[start + channel], channel) }
                }
            }
            return sums.map { $0 / count }
        }
        let mean = means { pixel, _ in value(pixel) }
        let deviation = means { pixel, channel in
            let distance = value(pixel) - mean[channel]
            return distance * distance
        }.map { $0.squareRoot() }
        guard deviation.allSatisfy(\.isFinite) else {
            throw invalid("the images hold numbers that are not finite; statistics of them say nothing")
        }
        var whitening: [Float] = []
        if zcaWhitening {
            let rows = pixels.enumerated().map { value($0.element) - mean[$0.offset % channels] }
            whitening = try whiteningMatrix(rows, count: shape[0], epsilon: zcaEpsilon)
        }
        statistics = Statistics(
            mean: mean.map { Float($0) }, standardDeviation: deviation.map { Float($0) }, whitening: whitening
        )
    }

    /// Whether standardization changes images.
    public var standardizes: Bool {
        rescale != nil || samplewiseCenter || featurewiseCenter
    }

    /// The image rescaled, centred, divided and whitened as the options say, in Keras's order: by its own mean and
    /// deviation first, by those of the data then. 10⁻⁶ is added to deviations.
    ///
    /// - Throws: `DatasetError` when statistics of the data are needed and ``fit(on:)`` was not called, or was called
    ///   with images of another shape.
    public func standardized(_ image: FloatImage) throws(DatasetError) -> FloatImage {
        if !standardizes { return image }
        var pixels = image.pixels
        if let rescale {
            let factor = Float(rescale)
            for index in pixels.indices { pixels[index] *= factor }
        }
        if samplewiseCenter {
            let count = Double(pixels.count)
            let mean = pixels.reduce(0.0) { $0 + Double($1) } / count
            for index in pixels.indices { pixels[index] -= Float(mean) }
            if samplewiseStdNormalization {
                let variance = pixels.reduce(0.0) { $0 + Double($1) * Double($1) } / count
                let factor = Float(1 / (variance.squareRoot() + 1e-6))
                for index in pixels.indices { pixels[index] *= factor }
            }
        }
        if featurewiseCenter { try standardizeFeatures(&pixels, image) }
        return image.with(pixels)
    }

    private func standardizeFeatures(_ pixels: inout [Float], _ image: FloatImage) throws(DatasetError) {
        guard let statistics else {
            throw invalid(
                "standardizing by the statistics of the data needs these; call fit(on:) with training images first"
            )
        }
        let channels = image.channels
        guard statistics.mean.count == channels else {
            throw DatasetError(
                .wrongShape,
                "the statistics are of images with \(statistics.mean.count) channels, but this one has \(channels)"
            )
        }
        let factors = statistics.standardDeviation.map {
            featurewiseStdNormalization ? 1 / ($0 + 1e-6) : 1
        }
        for start in stride(from: 0, to: pixels.count, by: channels) {
            for channel in 0..<channels {
                pixels[start + channel] =
                    (pixels[start + channel] - statistics.mean[channel]) * factors[channel]
            }
        }
        guard zcaWhitening else { return }
        guard statistics.whitening.count == pixels.count * pixels.count else {
            throw DatasetError(
                .wrongShape,
                "the whitening matrix is for images of \(Int(Double(statistics.whitening.count).squareRoot())) numbers, "
                    + "but this one has \(pixels.count)")
        }
        let centered = pixels
        statistics.whitening.withUnsafeBufferPointer { matrix in
            for row in pixels.indices {
                var sum: Float = 0
                for column in centered.indices {
                    sum += matrix[row * centered.count + column] * centered[column]
                }
                pixels[row] = sum
            }
        }
    }
}
