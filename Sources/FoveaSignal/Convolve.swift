import FoveaGraph

/// The convolution of one or several signals with a kernel.
///
/// `y[i] = Σⱼ x[s·i + o - j] · k[j]` for `.convolution`, and `y[i] = Σⱼ x[s·i - o + j] · k[j]` for
/// `.crossCorrelation`, where `x` is the padded signal, `s` the stride and `o` the offset that the mode sets.
///
/// The result is a tensor of the graph: it can be differentiated with respect to both operands, compiled with other
/// work, or computed at once with `Tensor.evaluated`:
///
/// ```swift
/// let signal = TensorValue([1.0, 2, 3, 4])
/// let smooth = try convolve1D(.constant(signal), .constant(Kernels.movingAverage(3)), mode: .same)
/// print(try await smooth.evaluated().floats)  // 1.0, 2.0, 3.0, 2.3333333
/// ```
///
/// Outputs are those of NumPy's `convolve` and `correlate` and of SciPy's `signal.convolve` and `signal.correlate`, with
/// one choice made where NumPy and SciPy differ: the two operands keep their roles, whichever is longer. Mode `.same`
/// has the signal's length (as in SciPy, where NumPy takes the longer operand's), and `.valid` refuses a kernel longer
/// than the signal. From a full result, `.same` takes `n` outputs beginning at `(k - 1) / 2`, rounded down.
///
/// - Parameters:
///   - signal: `[length]`, or several signals `[batch, length]`, of floating-point elements.
///   - kernel: `[length]`, of the same element type.
///   - mode: which outputs are kept.
///   - stride: every `stride`-th of these is computed, beginning with the first.
///   - padding: zeros put on each side of the signal first.
///   - method: whether the kernel is flipped.
///   - boundary: what the modes `.full` and `.same` see beyond the (padded) signal.
/// - Returns: `[outputs]` or `[batch, outputs]`, as many as `convolutionOutputSize` says.
/// - Throws: `ShapeError` for other shapes or element types, an empty operand, a stride that is not positive, negative
///   padding, a kernel that mode `.valid` has no place for, and sizes of more than 2²⁶ elements.
public func convolve1D(
    _ signal: Tensor, _ kernel: Tensor, mode: ConvolutionMode = .full, stride: Int = 1, padding: Int = 0,
    method: ConvolutionMethod = .convolution, boundary: Boundary = .constant(0)
) throws(ShapeError) -> Tensor {
    let (name, shape) = ("convolve1D", signal.shape)
    guard (1...2).contains(shape.rank), shape[shape.rank - 1] >= 0, kernel.shape.rank == 1 else {
        throw ShapeError(
            name, "needs a signal [length] or [batch, length] and a kernel [length]",
            shapes: [shape, kernel.shape])
    }
    let length = shape[shape.rank - 1]
    let path = try ConvolutionPath(
        image: Size2D(1, length), kernel: Size2D(1, kernel.shape[0]), mode: mode, stride: Size2D(1, stride),
        padding: Size2D(0, padding), takesLaterHalf: false, name, [shape, kernel.shape])
    let batch = shape.rank == 1 ? 1 : shape[0]
    let result = try convolved(
        signal.reshaped(to: [batch, 1, length, 1]), kernel.reshaped(to: [1, kernel.shape[0]]), path, method,
        boundary, name)
    return try result.reshaped(to: Shape(shape.dimensions.dropLast() + [path.outputSize.width]))
}

/// The convolution of one or several images with a kernel.
///
/// `y[i, j] = Σᵣ Σ_c x[s·i + o - r, t·j + p - c] · k[r, c]` for `.convolution`, with `+ r` and `+ c` in place of the
/// differences for `.crossCorrelation`, where `x` is the padded image, `s` and `t` are the strides and `o` and `p` the
/// offsets that the mode sets.
///
/// The result is a tensor of the graph: it can be differentiated with respect to both operands, compiled with other
/// work, or computed at once with `Tensor.evaluated`:
///
/// ```swift
/// let image = try TensorValue(rows: [[0, 0, 0], [0, 1, 0], [0, 0, 0]])
/// let edges = try convolve2D(.constant(image), .constant(Kernels.sobelVertical), mode: .same)
/// print(try await edges.evaluated().floats)  // 1, 0, -1, 2, 0, -2, 1, 0, -1: the kernel itself
/// ```
///
/// Outputs are those of SciPy's `signal.convolve2d` and `signal.correlate2d`, with the one exception of `convolve1D`: a
/// kernel larger than the image is never exchanged with it. From a full result, `.same` takes the outputs that begin at
/// `(k - 1) / 2` along each axis for `.convolution`, and at `k / 2` for `.crossCorrelation`, rounded down. The second
/// is also what the layers' padding `.same` does at stride 1.
///
/// - Parameters:
///   - image: `[height, width]`, several images `[batch, height, width]`, or images with channels
///     `[batch, height, width, channels]`, of which each channel is convolved by itself; floating-point elements.
///   - kernel: `[height, width]`, of the same element type.
///   - mode: which outputs are kept.
///   - stride: every `stride`-th of these is computed, beginning with the first; one number means both directions.
///   - padding: rows and columns of zeros put on each side of the image first.
///   - method: whether the kernel is flipped along both axes.
///   - boundary: what the modes `.full` and `.same` see beyond the (padded) image.
/// - Returns: the image's shape with other heights and widths, as `convolutionOutputSize` says.
/// - Throws: `ShapeError` for other shapes or element types, an empty operand, a stride that is not positive, negative
///   padding, a kernel that mode `.valid` has no place for, and images of more than 2²⁶ elements.
public func convolve2D(
    _ image: Tensor, _ kernel: Tensor, mode: ConvolutionMode = .full, stride: Size2D = 1, padding: Size2D = 0,
    method: ConvolutionMethod = .convolution, boundary: Boundary = .constant(0)
) throws(ShapeError) -> Tensor {
    let (name, shape) = ("convolve2D", image.shape)
    let fixed = shape.rank == 2 ? shape.dimensions[...] : shape.dimensions.dropFirst()
    guard (2...4).contains(shape.rank), fixed.allSatisfy({ $0 >= 0 }), kernel.shape.rank == 2 else {
        throw ShapeError(
            name,
            "needs images [height, width], [batch, height, width] or [batch, height, width, channels] and a kernel "
                + "[height, width]", shapes: [shape, kernel.shape])
    }
    let images: Shape =
        switch shape.rank {
        case 2: [1, shape[0], shape[1], 1]
        case 3: [shape[0], shape[1], shape[2], 1]
        default: shape
        }
    let path = try ConvolutionPath(
        image: images.imageSize, kernel: Size2D(kernel.shape[0], kernel.shape[1]), mode: mode, stride: stride,
        padding: padding, takesLaterHalf: method == .crossCorrelation, name, [shape, kernel.shape])
    let result = try convolved(image.reshaped(to: images), kernel, path, method, boundary, name)
    let size = [path.outputSize.height, path.outputSize.width]
    let sizes = Shape(
        shape.rank == 2 ? size : [shape[0]] + size + shape.dimensions.dropFirst(3))
    return try result.reshaped(to: sizes)
}

/// Images `[batch, height, width, channels]` convolved with a kernel `[height, width]`, channel by channel.
private func convolved(
    _ images: Tensor, _ kernel: Tensor, _ path: ConvolutionPath, _ method: ConvolutionMethod,
    _ boundary: Boundary, _ name: String
) throws(ShapeError) -> Tensor {
    guard images.dtype.isFloatingPoint, images.dtype == kernel.dtype else {
        throw ShapeError(
            name,
            "needs two operands of one floating-point element type, not \(images.dtype.rawValue) and "
                + "\(kernel.dtype.rawValue); cast them first", shapes: [images.shape, kernel.shape])
    }
    let zeros = Padding2D(
        top: path.padding.height, bottom: path.padding.height, left: path.padding.width,
        right: path.padding.width)
    var extended = try Boundary.constant(0).extending(images, by: zeros)
    // Zeros that the convolution itself adds are never stored.
    let hasZeros = boundary == .constant(0)
    if !hasZeros { extended = try boundary.extending(extended, by: path.border) }

    let channels = images.shape.channels
    let oriented = method == .convolution ? try kernel.flipped() : kernel
    let filters = try oriented.reshaped(to: [kernel.shape[0], kernel.shape[1], 1, 1])
        .broadcast(to: [kernel.shape[0], kernel.shape[1], 1, channels])
    let rule = Convolution(
        strides: path.stride, padding: hasZeros ? path.border : .none, groups: channels)
    return try Tensor(.convolution(rule), [extended, filters])
}

extension Tensor {
    /// The elements in opposite order along every axis.
    fileprivate func flipped() throws(ShapeError) -> Tensor {
        let count = shape.elementCount
        if count == 1 { return self }
        let order = TensorValue((0..<Int32(count)).reversed().map { $0 })
        let flat = try reshaped(to: [count])
        return try Tensor(.gather(Gather(axis: 0)), [flat, .constant(order)]).reshaped(to: shape)
    }
}
