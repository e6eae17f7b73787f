import FoveaGraph

// One axis at a time: what `SlidingWindow` and `Padding2D` say of both, with the modes of signal processing.

/// The number of outputs of a convolution along one axis: `floor((n + 2p + m - d·(k - 1) - 1) / s) + 1`.
///
/// `m`, the samples that the mode adds, is 0 for `.valid`, `d·(k - 1)` for `.same` and twice that for `.full`. With no
/// padding and no dilation these are `floor((n - k) / s) + 1`, `ceil(n / s)` and `ceil((n + k - 1) / s)` outputs.
///
/// - Parameters:
///   - input: the extent `n` of the signal or image, in samples or pixels.
///   - kernel: the extent `k` of the kernel.
///   - stride: the distance `s` between neighbouring outputs.
///   - padding: what is added on each side, `p`.
///   - dilation: the distance `d` between neighbouring samples under the kernel.
///   - mode: which outputs are kept.
/// - Throws: `ShapeError` when a number is not positive (padding: negative), is above 2³¹, or no output is left.
public func convolutionOutputSize(
    input: Int, kernel: Int, stride: Int = 1, padding: Int = 0, dilation: Int = 1,
    mode: ConvolutionMode = .valid
) throws(ShapeError) -> Int {
    let name = "convolutionOutputSize"
    try check(
        name, positive: [("input", input), ("kernel", kernel), ("stride", stride), ("dilation", dilation)],
        notNegative: [("padding", padding)])
    let border = mode.border(window: dilation * (kernel - 1) + 1)
    let window = SlidingWindow(
        Size2D(1, kernel), strides: Size2D(1, stride), dilations: Size2D(1, dilation),
        padding: Padding2D(left: padding + border.before, right: padding + border.after))
    return try window.outputSize(of: Size2D(1, input), name, []).width
}

/// The number of outputs of a transposed convolution along one axis:
/// `(n - 1)·s - 2p + d·(k - 1) + a + 1`, the size of input from which a convolution with the same numbers makes `n`.
///
/// - Parameters:
///   - input: the extent `n` of the input.
///   - kernel: the extent `k` of the kernel.
///   - stride: the distance `s` between the outputs of neighbouring inputs.
///   - padding: what is cut off on each side, `p`.
///   - outputPadding: what is added at the end, `a`, to choose between the sizes that the convolution maps to `n`; less
///     than the stride.
///   - dilation: the distance `d` between neighbouring samples under the kernel.
/// - Throws: `ShapeError` when a number is not positive (padding: negative), is above 2³¹, the output padding is not
///   below the stride, or no output is left.
public func transposedConvolutionOutputSize(
    input: Int, kernel: Int, stride: Int = 1, padding: Int = 0, outputPadding: Int = 0, dilation: Int = 1
) throws(ShapeError) -> Int {
    let name = "transposedConvolutionOutputSize"
    try check(
        name, positive: [("input", input), ("kernel", kernel), ("stride", stride), ("dilation", dilation)],
        notNegative: [("padding", padding), ("outputPadding", outputPadding)])
    guard outputPadding < stride else {
        throw ShapeError(
            name, "outputPadding \(outputPadding) must be less than the stride \(stride)")
    }
    let size = (input - 1) * stride - 2 * padding + dilation * (kernel - 1) + outputPadding + 1
    guard size > 0 else {
        throw ShapeError(
            name,
            "padding \(padding) leaves no output of input \(input), kernel \(kernel) and stride \(stride); use less "
                + "padding")
    }
    return size
}

/// The number of outputs of a pooling along one axis: that of a convolution whose kernel is the window.
///
/// - Parameters:
///   - input: the extent of the image.
///   - window: the extent of the window.
///   - stride: the distance between neighbouring windows; the window's extent when nil, so that windows do not overlap.
///   - padding: what is added on each side.
///   - mode: which outputs are kept.
/// - Throws: `ShapeError` when a number is not positive (padding: negative), is above 2³¹, or no output is left.
public func poolingOutputSize(
    input: Int, window: Int, stride: Int? = nil, padding: Int = 0, mode: ConvolutionMode = .valid
) throws(ShapeError) -> Int {
    try convolutionOutputSize(
        input: input, kernel: window, stride: stride ?? window, padding: padding, mode: mode)
}

/// What the layers' padding `.same` adds along one axis, so that `ceil(input / stride)` outputs result:
/// `max(0, (ceil(n / s) - 1)·s + d·(k - 1) + 1 - n)` in total, the odd one after.
///
/// - Parameters:
///   - input: the extent `n` of the image.
///   - kernel: the extent `k` of the kernel.
///   - stride: the distance `s` between neighbouring outputs.
///   - dilation: the distance `d` between neighbouring pixels under the kernel.
/// - Throws: `ShapeError` when a number is not positive or is above 2³¹.
public func samePadding(
    input: Int, kernel: Int, stride: Int = 1, dilation: Int = 1
) throws(ShapeError) -> (before: Int, after: Int) {
    try check(
        "samePadding",
        positive: [("input", input), ("kernel", kernel), ("stride", stride), ("dilation", dilation)],
        notNegative: [])
    let padding = Padding2D.same(
        input: Size2D(1, input), window: Size2D(1, kernel), strides: Size2D(1, stride),
        dilations: Size2D(1, dilation))
    return (padding.left, padding.right)
}

private func check(
    _ name: String, positive: [(String, Int)], notNegative: [(String, Int)]
) throws(ShapeError) {
    // Small enough that the sum of two products does not overflow.
    let limit = 1 << 31
    for (argument, size) in positive where !(1..<limit).contains(size) {
        throw ShapeError(name, "\(argument) must be at least 1 and below 2³¹, not \(size)")
    }
    for (argument, size) in notNegative where !(0..<limit).contains(size) {
        throw ShapeError(name, "\(argument) must not be negative and be below 2³¹, not \(size)")
    }
}
