import FoveaGraph

/// Which positions of the kernel give an output.
///
/// A kernel of `k` samples over a signal of `n` samples touches it in `n + k - 1` positions.
public enum ConvolutionMode: String, Hashable, Sendable, CaseIterable {
    /// All of them: `n + k - 1` outputs.
    case full
    /// The `n` in the middle, so that the output is as long as the signal, even where the kernel is longer.
    ///
    /// An even kernel has no middle sample. The outputs taken are then those of the functions named in `convolve1D`
    /// and `convolve2D`.
    case same
    /// Those where the kernel lies inside the signal: `n - k + 1` outputs.
    case valid
}

/// Whether the kernel is flipped.
public enum ConvolutionMethod: String, Hashable, Sendable, CaseIterable {
    /// `y[i] = Σⱼ x[i - j] · k[j]`: the kernel is flipped along each axis, as signal processing defines it. Signal and
    /// kernel may be exchanged.
    case convolution
    /// `y[i] = Σⱼ x[i + j] · k[j]`: the kernel as it is, as the layers of neural networks do it.
    case crossCorrelation
}

/// Where a kernel moves over a signal or image.
struct ConvolutionPath {
    let stride: Size2D
    /// Zeros added on each side before anything else.
    let padding: Size2D
    /// What the mode adds around that.
    let border: Padding2D
    let outputSize: Size2D

    /// The most elements that one image may have with everything added. Kernels may store 16 channels in place of one,
    /// so this is up to 4 GiB.
    private static let largestImage = 1 << 26
    /// The most elements of a kernel.
    static let largestKernel = 1 << 24

    /// - Parameters:
    ///   - takesLaterHalf: which of the two middle outputs of an even kernel is the first that `same` takes.
    ///   - name: the function that asks, and
    ///   - shapes: what it was given, for errors.
    init(
        image: Size2D, kernel: Size2D, mode: ConvolutionMode, stride: Size2D, padding: Size2D,
        takesLaterHalf: Bool, _ name: String, _ shapes: [Shape]
    ) throws(ShapeError) {
        guard image.isPositive else {
            throw ShapeError(
                name, "the signal or image is empty; it needs a fixed size of at least one element",
                shapes: shapes)
        }
        guard kernel.isPositive, kernel.height <= Self.largestKernel / kernel.width else {
            throw ShapeError(name, "the kernel must have from 1 to 2²⁴ elements", shapes: shapes)
        }
        guard stride.isPositive else {
            throw ShapeError(
                name, "the stride must be positive, not \(stride); 1 takes every output", shapes: shapes)
        }
        guard min(padding.height, padding.width) >= 0,
            max(padding.height, padding.width, image.height, image.width) <= Self.largestImage
        else {
            throw ShapeError(
                name,
                "the padding must not be negative, and no extent above 2²⁶; the padding is \(padding)",
                shapes: shapes)
        }
        let rows = mode.border(window: kernel.height, takesLaterHalf: takesLaterHalf)
        let columns = mode.border(window: kernel.width, takesLaterHalf: takesLaterHalf)
        border = Padding2D(
            top: rows.before, bottom: rows.after, left: columns.before, right: columns.after)
        self.padding = padding

        let padded = Size2D(image.height + 2 * padding.height, image.width + 2 * padding.width)
        let extended = Size2D(
            padded.height + rows.before + rows.after, padded.width + columns.before + columns.after)
        guard extended.height <= Self.largestImage / extended.width else {
            throw ShapeError(
                name,
                "\(extended) elements with everything added are more than 2²⁶; use less padding, a smaller kernel "
                    + "or work on parts", shapes: shapes)
        }
        guard kernel.height <= extended.height, kernel.width <= extended.width else {
            throw ShapeError(
                name,
                "mode .valid needs a kernel that fits inside; \(kernel) is larger than \(padded). Use .same or .full, "
                    + "add padding, or exchange signal and kernel", shapes: shapes)
        }
        // A longer stride takes the first output only, as this one does.
        self.stride = Size2D(min(stride.height, extended.height), min(stride.width, extended.width))
        outputSize = try SlidingWindow(kernel, strides: self.stride, padding: border)
            .outputSize(of: padded, name, shapes)
    }
}

extension ConvolutionMode {
    /// What is added before and after a signal so that a window moved over it gives the mode's outputs.
    func border(window: Int, takesLaterHalf: Bool = false) -> (before: Int, after: Int) {
        switch self {
        case .full: return (window - 1, window - 1)
        case .valid: return (0, 0)
        case .same:
            let skipped = takesLaterHalf ? window / 2 : (window - 1) / 2
            return (window - 1 - skipped, skipped)
        }
    }
}
