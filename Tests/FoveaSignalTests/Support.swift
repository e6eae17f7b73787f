import FoveaGraph
import FoveaSignal

/// Numbers that a hash makes of their positions, as in the script that makes the golden file.
func hashed(_ stream: UInt64, _ shape: Shape) throws -> TensorValue {
    try TensorValue(
        shape: shape,
        (0..<UInt64(shape.elementCount)).map { index in
            var z = (stream << 32 + index) &+ 0x9E37_79B9_7F4A_7C15
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            z ^= z >> 31
            return Float(Double(z >> 40) / 0x1p24 * 2 - 1)
        })
}

/// `convolve1D` of values. Operands are inputs of the graph, so that kernels compute and nothing is folded.
func convolution1D(
    _ signal: TensorValue, _ kernel: TensorValue, mode: ConvolutionMode = .full, stride: Int = 1,
    padding: Int = 0, method: ConvolutionMethod = .convolution, boundary: Boundary = .constant(0)
) async throws -> TensorValue {
    try await convolve1D(
        .argument("x", signal.shape), .argument("k", kernel.shape), mode: mode, stride: stride,
        padding: padding, method: method, boundary: boundary
    ).evaluated(["x": signal, "k": kernel])
}

/// `convolve2D` of values.
func convolution2D(
    _ image: TensorValue, _ kernel: TensorValue, mode: ConvolutionMode = .full, stride: Size2D = 1,
    padding: Size2D = 0, method: ConvolutionMethod = .convolution, boundary: Boundary = .constant(0)
) async throws -> TensorValue {
    try await convolve2D(
        .argument("x", image.shape), .argument("k", kernel.shape), mode: mode, stride: stride,
        padding: padding, method: method, boundary: boundary
    ).evaluated(["x": image, "k": kernel])
}

/// The largest difference relative to the largest expected magnitude.
func difference(_ value: TensorValue, _ expected: [Double]) -> Double {
    let values = value.doubles
    guard values.count == expected.count else { return .infinity }
    let errors = zip(values, expected).map { abs($0 - $1) }
    // A NaN must not hide behind `max`.
    guard errors.allSatisfy(\.isFinite) else { return .infinity }
    let largest = expected.map(abs).max() ?? 0
    return (errors.max() ?? 0) / (largest > 0 ? largest : 1)
}
