import Foundation
import FoveaGraph

/// A wave under a Gaussian bell, which answers to stripes of one width and direction: the real part to a bright or dark
/// stripe in the middle, the imaginary part to an edge there.
public struct GaborKernel: Hashable, Sendable {
    /// `[height, width]`, both odd.
    public let real: TensorValue
    /// Of the same shape.
    public let imaginary: TensorValue
    /// Waves per pixel.
    public let frequency: Double
    /// The direction in which the wave runs, in radians; 0 is along the rows.
    public let theta: Double
    /// The bell's standard deviation along the wave, in pixels.
    public let sigmaX: Double
    /// The bell's standard deviation across the wave, in pixels.
    public let sigmaY: Double
}

/// A Gabor kernel: `g(x, y) = exp(-(u²/σx² + v²/σy²)/2 + i(2πfu + φ)) / (2πσxσy)`, where
/// `u = x cos θ + y sin θ` and `v = -x sin θ + y cos θ`.
///
/// Equal to scikit-image's `filters.gabor_kernel`, sizes included: the kernel reaches
/// `ceil(max(|n·σx cos θ|, |n·σy sin θ|, 1))` pixels to the left and right, and with sine and cosine exchanged up and
/// down. Daugman 1985, Uncertainty relation for resolution in space, spatial frequency, and orientation.
///
/// - Parameters:
///   - frequency: waves per pixel, `f`.
///   - theta: the direction in which the wave runs, `θ`, in radians; 0 is along the rows.
///   - bandwidth: the range of frequencies that the kernel answers to, in octaves: `b` in
///     `σ = sqrt(ln 2 / 2) / π · (2ᵇ + 1) / (2ᵇ - 1) / f`. Not used where both deviations are given.
///   - sigmaX: the standard deviation along the wave in pixels; from the bandwidth when nil.
///   - sigmaY: the standard deviation across the wave in pixels; from the bandwidth when nil.
///   - nStds: how many standard deviations the kernel reaches, `n`.
///   - offset: the wave's phase in the middle, `φ`, in radians.
/// - Throws: `ShapeError` for a number that is not finite, a frequency, bandwidth, deviation or `nStds` that is not
///   positive, and for deviations that make a kernel of more than 2²⁴ elements or of elements too large for a `Float`.
public func gaborKernel(
    frequency: Double, theta: Double = 0, bandwidth: Double = 1, sigmaX: Double? = nil, sigmaY: Double? = nil,
    nStds: Double = 3, offset: Double = 0
) throws(ShapeError) -> GaborKernel {
    let name = "gaborKernel"
    let prefactor = (log(2.0) / 2).squareRoot() / .pi * (exp2(bandwidth) + 1) / (exp2(bandwidth) - 1)
    let (sigmaX, sigmaY) = (sigmaX ?? prefactor / frequency, sigmaY ?? prefactor / frequency)
    let positive = [
        ("frequency", frequency), ("bandwidth", bandwidth), ("sigmaX", sigmaX), ("sigmaY", sigmaY),
        ("nStds", nStds),
    ]
    for (argument, value) in positive where !(value > 0 && value.isFinite) {
        throw ShapeError(
            name,
            "\(argument) must be positive and finite, not \(value); frequency 0.1 with bandwidth 1 is usual")
    }
    guard theta.isFinite, offset.isFinite else {
        throw ShapeError(name, "theta \(theta) and offset \(offset) must be finite numbers of radians")
    }

    let (cosine, sine) = (cos(theta), sin(theta))
    let width = max(abs(nStds * sigmaX * cosine), abs(nStds * sigmaY * sine), 1).rounded(.up)
    let height = max(abs(nStds * sigmaY * cosine), abs(nStds * sigmaX * sine), 1).rounded(.up)
    guard (2 * width + 1) * (2 * height + 1) <= Double(ConvolutionPath.largestKernel) else {
        throw ShapeError(
            name,
            "the kernel would have more than 2²⁴ elements; use a higher frequency or smaller deviations than "
                + "\(sigmaX) and \(sigmaY)")
    }
    let (columns, rows) = (Int(width), Int(height))
    var (real, imaginary): ([Float], [Float]) = ([], [])
    for y in -rows...rows {
        for x in -columns...columns {
            let along = Double(x) * cosine + Double(y) * sine
            let across = Double(y) * cosine - Double(x) * sine
            let (u, v) = (along / sigmaX, across / sigmaY)
            let amplitude = exp(-(u * u + v * v) / 2) / (2 * .pi * sigmaX * sigmaY)
            let phase = 2 * .pi * frequency * along + offset
            real.append(Float(amplitude * cos(phase)))
            imaginary.append(Float(amplitude * sin(phase)))
        }
    }
    guard real.allSatisfy(\.isFinite), imaginary.allSatisfy(\.isFinite) else {
        throw ShapeError(
            name,
            "the elements are too large for a Float; use larger deviations than \(sigmaX) and \(sigmaY), or a lower "
                + "frequency than \(frequency)")
    }
    let shape: Shape = [2 * rows + 1, 2 * columns + 1]
    return GaborKernel(
        real: try TensorValue(shape: shape, real), imaginary: try TensorValue(shape: shape, imaginary),
        frequency: frequency, theta: theta, sigmaX: sigmaX, sigmaY: sigmaY)
}

/// Gabor kernels for several widths and directions of stripes.
///
/// - Parameters:
///   - frequencies: waves per pixel.
///   - orientations: how many directions, `k·π / orientations` for `k` from 0.
///   - sigmas: standard deviations of the bell in pixels, the same along and across the wave.
///   - nStds: how many standard deviations a kernel reaches.
///   - offset: the wave's phase in the middle, in radians.
/// - Returns: one kernel for each combination; the frequency changes fastest, then the deviation, then the direction.
/// - Throws: `ShapeError` where `gaborKernel` does, and when there is no combination or more than 4,096.
public func gaborBank(
    frequencies: [Double], orientations: Int, sigmas: [Double], nStds: Double = 3, offset: Double = 0
) throws(ShapeError) -> [GaborKernel] {
    let largest = 4096
    guard (1...largest).contains(orientations), (1...largest).contains(frequencies.count),
        (1...largest).contains(sigmas.count), orientations * frequencies.count * sigmas.count <= largest
    else {
        throw ShapeError(
            "gaborBank",
            "\(frequencies.count) frequencies, \(orientations) orientations and \(sigmas.count) sigmas must make from 1 "
                + "to \(largest) kernels; 2, 4 and 2 are usual")
    }
    var bank: [GaborKernel] = []
    for direction in 0..<orientations {
        let theta = Double(direction) / Double(orientations) * .pi
        for sigma in sigmas {
            for frequency in frequencies {
                bank.append(
                    try gaborKernel(
                        frequency: frequency, theta: theta, sigmaX: sigma, sigmaY: sigma, nStds: nStds,
                        offset: offset))
            }
        }
    }
    return bank
}

/// How strongly each place of an image answers to each kernel of a bank: `sqrt((x * real)² + (x * imaginary)²)`, where
/// `*` is the convolution with mode `.same`.
///
/// The gradient is 0 where an answer is 0.
///
/// - Parameters:
///   - image: `[height, width]`, or several images `[batch, height, width]`, of float32.
///   - bank: the kernels.
///   - normalizesImage: whether each image is first brought to mean 0 and variance 1, so that brightness and contrast do
///     not matter. An image of one brightness then answers with almost 0.
///   - boundary: what the kernels see beyond the image.
/// - Returns: `[height, width, kernels]` or `[batch, height, width, kernels]`.
/// - Throws: `ShapeError` for an empty bank and for images of other shapes or element types.
public func filterBankResponse(
    _ image: Tensor, _ bank: [GaborKernel], normalizesImage: Bool = true, boundary: Boundary = .wrap
) throws(ShapeError) -> Tensor {
    let shape = image.shape
    guard (2...3).contains(shape.rank), image.dtype == .float32, !bank.isEmpty else {
        throw ShapeError(
            "filterBankResponse",
            "needs float32 images [height, width] or [batch, height, width], not \(image.dtype.rawValue), and at least "
                + "one kernel", shapes: [shape])
    }
    let input = normalizesImage ? try standardized(image) : image
    let responses = try bank.map { kernel throws(ShapeError) in
        let real = try convolve2D(input, .constant(kernel.real), mode: .same, boundary: boundary)
        let imaginary = try convolve2D(input, .constant(kernel.imaginary), mode: .same, boundary: boundary)
        let power = try real * real + imaginary * imaginary
        // The root's slope is infinite at 0 and would make NaN of the chain rule's product with 0.
        let zero = Tensor.filled(0, shape)
        let isZero = try power.equal(zero)
        let magnitude = try Tensor.select(isZero, .filled(1, shape), power).squareRoot()
        return try Tensor.select(isZero, zero, magnitude)
            .reshaped(to: Shape(shape.dimensions + [1]))
    }
    return try .concatenate(responses)
}

/// Each image with its mean subtracted, divided by its standard deviation.
private func standardized(_ image: Tensor) throws(ShapeError) -> Tensor {
    let mean = try image.mean(axes: [-2, -1], keepDims: true)
    let centred = try image - mean
    let variance = try (centred * centred).mean(axes: [-2, -1], keepDims: true)
    // Below a millionth of the mean, differences between pixels are rounding errors and are not made larger.
    let rounding = try mean * mean * 1e-12 + 1e-30
    return try centred / Tensor.maximum(variance, rounding).squareRoot()
}
