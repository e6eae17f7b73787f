import Fovea

/// The discrete convolution of a list with a turned kernel, as it is defined: `y[i] = Σ x[i · s - k + …] · w[k]`.
///
/// - Parameters:
///   - x: the list, with `padding` zeros put before and behind it.
///   - w: the kernel.
func convolution(_ x: [Float], _ w: [Float], padding: Int, stride: Int) -> [Float] {
    let zeros = [Float](repeating: 0, count: padding)
    let padded = zeros + x + zeros
    let turned = Array(w.reversed())
    return Swift.stride(from: 0, through: padded.count - turned.count, by: stride).map { start in
        zip(padded[start...], turned).reduce(0) { $0 + $1.0 * $1.1 }
    }
}

/// The same in two dimensions, row by row.
func convolution(_ x: [[Float]], _ w: [[Float]], padding: Int, stride: Int) -> [[Float]] {
    let turned = w.reversed().map { Array($0.reversed()) }
    let width = x[0].count + 2 * padding
    let zeros = [Float](repeating: 0, count: padding)
    let blank = [[Float]](repeating: [Float](repeating: 0, count: width), count: padding)
    let padded = blank + x.map { zeros + $0 + zeros } + blank
    let rows = Swift.stride(from: 0, through: padded.count - turned.count, by: stride)
    let columns = Swift.stride(from: 0, through: width - turned[0].count, by: stride)
    return rows.map { top in
        columns.map { left in
            zip(padded[top...], turned).reduce(0) { sum, rows in
                sum + zip(rows.0[left...], rows.1).reduce(0) { $0 + $1.0 * $1.1 }
            }
        }
    }
}

extension Lesson4 {
    /// Both, and what the library computes: the numbers of NumPy's `convolve` and SciPy's `convolve2d` with `mode="same"`.
    func convolutionsByHand() async throws {
        course.section("Convolutions by hand")
        let x: [Float] = [1, 3, 2, 4, 5, 6, 1, 3]
        let w: [Float] = [1, 0, 3, 1, 2]
        let sums = convolution(x, w, padding: 2, stride: 1)
        let computed = try await convolve1D(
            .constant(TensorValue(x)), .constant(TensorValue(w)), mode: .same
        ).evaluated()
        print("   by hand:", sums, "\n   convolve1D:", computed)

        let image: [[Float]] = [[1, 3, 2, 4], [5, 6, 1, 3], [1, 2, 0, 2], [3, 4, 3, 2]]
        let kernel: [[Float]] = [[1, 0, 3], [1, 2, 1], [0, 1, 1]]
        let rows = convolution(image, kernel, padding: 1, stride: 1)
        let (pixels, weights) = (try TensorValue(image), try TensorValue(kernel))
        let response = try await convolve2D(.constant(pixels), .constant(weights), mode: .same).evaluated()
        print("   by hand:", rows, "\n   convolve2D:", response)
        // What NumPy and SciPy print for these.
        let numpy: [Float] = [5, 14, 16, 26, 24, 34, 19, 22]
        let scipy: [[Float]] = [[11, 25, 32, 13], [19, 25, 24, 13], [13, 28, 25, 17], [11, 17, 14, 9]]
        course.record(
            "right sums of a 1-D convolution", matches(numpy, sums, computed.floats), published: 8,
            isShortened: false)
        course.record(
            "right sums of a 2-D convolution",
            matches(scipy.flatMap(\.self), rows.flatMap(\.self), response.floats), published: 16,
            isShortened: false)
        let steps = try ConvolutionSteps(image: pixels, kernel: weights, mode: .same)
        try course.show(steps.plot(step: 5, image: pixels), "step.png")
    }

    /// In how many places three lists are equal.
    private func matches(_ a: [Float], _ b: [Float], _ c: [Float]) -> Double {
        Double(zip(a, zip(b, c)).filter { $0 == $1.0 && $0 == $1.1 }.count)
    }
}
