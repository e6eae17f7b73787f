import Foundation
import FoveaGraph

/// Known kernels, as values to be given to `convolve1D` and `convolve2D` with `Tensor.constant`.
///
/// Signs hold for `.convolution`: a horizontal edge kernel answers positively where the image grows brighter downward, a
/// vertical one where it grows brighter to the right. `.crossCorrelation` turns the signs of those.
public enum Kernels {
    // MARK: Edges

    /// Horizontal edges, smoothed along the edge by 1, 2, 1: four times scikit-image's `sobel_h`. Shape `[3, 3]`.
    ///
    /// Sobel and Feldman 1968.
    public static let sobelHorizontal = square([1, 2, 1, 0, 0, 0, -1, -2, -1])
    /// Vertical edges: `sobelHorizontal` transposed, four times scikit-image's `sobel_v`. Shape `[3, 3]`.
    public static let sobelVertical = square([1, 0, -1, 2, 0, -2, 1, 0, -1])
    /// Horizontal edges, smoothed evenly: three times scikit-image's `prewitt_h`. Shape `[3, 3]`.
    ///
    /// Prewitt 1970, Object Enhancement and Extraction.
    public static let prewittHorizontal = square([1, 1, 1, 0, 0, 0, -1, -1, -1])
    /// Vertical edges: `prewittHorizontal` transposed, three times scikit-image's `prewitt_v`. Shape `[3, 3]`.
    public static let prewittVertical = square([1, 0, -1, 1, 0, -1, 1, 0, -1])
    /// Horizontal edges with the least error of direction: sixteen times scikit-image's `scharr_h`. Shape `[3, 3]`.
    ///
    /// Scharr 2000, Optimal Operators in Digital Image Processing.
    public static let scharrHorizontal = square([3, 10, 3, 0, 0, 0, -3, -10, -3])
    /// Vertical edges: `scharrHorizontal` transposed, sixteen times scikit-image's `scharr_v`. Shape `[3, 3]`.
    public static let scharrVertical = square([3, 0, -3, 10, 0, -10, 3, 0, -3])
    /// Edges that run from the lower left to the upper right: Sobel's kernel turned by 45°. Positive where the image
    /// grows brighter toward the lower right. Shape `[3, 3]`.
    public static let diagonalRising = square([2, 1, 0, 1, 0, -1, 0, -1, -2])
    /// Edges that run from the upper left to the lower right. Positive where the image grows brighter toward the lower
    /// left. Shape `[3, 3]`.
    public static let diagonalFalling = square([0, 1, 2, -1, 0, 1, -2, -1, 0])
    /// The sum of second differences down and across, over the 4 nearest pixels. Shape `[3, 3]`.
    public static let laplacian = square([0, 1, 0, 1, -4, 1, 0, 1, 0])
    /// Eight times the difference from the mean of the 8 neighbours: edges of any direction. Shape `[3, 3]`.
    public static let edgeDetection = square([-1, -1, -1, -1, 8, -1, -1, -1, -1])

    // MARK: Looks

    /// The image less its `laplacian`: differences from the 4 neighbours are made larger. Shape `[3, 3]`.
    public static let sharpen = square([0, -1, 0, -1, 5, -1, 0, -1, 0])
    /// The image as a relief, lit along the diagonal. Its elements sum to 1. Shape `[3, 3]`.
    public static let emboss = square([-2, -1, 0, -1, 1, 1, 0, 1, 2])

    /// The mean of a rectangle: every element `1 / (height · width)`.
    ///
    /// - Parameter size: height and width in pixels; one number means both.
    /// - Returns: shape `[height, width]`.
    /// - Throws: `ShapeError` for a size that is not positive or has more than 2²⁴ elements.
    public static func boxBlur(size: Size2D) throws(ShapeError) -> TensorValue {
        let count = try checkedCount("boxBlur", size)
        return TensorValue(repeating: 1 / Float(count), shape: [size.height, size.width])
    }

    /// A Gaussian bell, `exp(-(r² + c²) / 2σ²)` at distances `r` and `c` from the middle, divided by its sum.
    ///
    /// - Parameters:
    ///   - size: height and width in pixels; one number means both. The middle of an even size lies between pixels.
    ///   - sigma: the standard deviation `σ` in pixels.
    /// - Returns: shape `[height, width]`.
    /// - Throws: `ShapeError` for a size that is not positive or has more than 2²⁴ elements, and for a `sigma` that is
    ///   not positive and finite.
    public static func gaussian(size: Size2D, sigma: Double) throws(ShapeError) -> TensorValue {
        _ = try checkedCount("gaussian", size)
        try checkSigma("gaussian", sigma)
        let (rows, columns) = (bell(size.height, sigma), bell(size.width, sigma))
        let elements = rows.flatMap { row in columns.map { Float(row * $0) } }
        return try TensorValue(shape: [size.height, size.width], elements)
    }

    // MARK: One axis

    /// `x[i] - x[i - 1]`, by `.convolution`. Shape `[2]`.
    public static let difference = TensorValue([1, -1] as [Float])
    /// `(x[i + 1] - x[i - 1]) / 2`, by `.convolution`: the slope. Shape `[3]`.
    public static let centralDifference = TensorValue([0.5, 0, -0.5] as [Float])
    /// `x[i + 1] - 2x[i] + x[i - 1]`: the curvature. Shape `[3]`.
    public static let secondDifference = TensorValue([1, -2, 1] as [Float])

    /// The mean of neighbouring samples: every element `1 / length`.
    ///
    /// - Parameter length: how many samples.
    /// - Returns: shape `[length]`.
    /// - Throws: `ShapeError` for a length that is not positive or above 2²⁴.
    public static func movingAverage(_ length: Int) throws(ShapeError) -> TensorValue {
        let count = try checkedCount("movingAverage", Size2D(1, length))
        return TensorValue(repeating: 1 / Float(count), shape: [length])
    }

    /// A Gaussian bell, `exp(-t² / 2σ²)` at distance `t` from the middle, divided by its sum.
    ///
    /// - Parameters:
    ///   - length: how many samples.
    ///   - sigma: the standard deviation `σ` in samples.
    /// - Returns: shape `[length]`.
    /// - Throws: `ShapeError` for a length that is not positive or above 2²⁴, and for a `sigma` that is not positive
    ///   and finite.
    public static func gaussian(length: Int, sigma: Double) throws(ShapeError) -> TensorValue {
        _ = try checkedCount("gaussian", Size2D(1, length))
        try checkSigma("gaussian", sigma)
        return TensorValue(bell(length, sigma).map { Float($0) })
    }

    // MARK: -

    private static func square(_ elements: [Double]) -> TensorValue {
        TensorValue(shape: [3, 3], dtype: .float32, doubles: elements)
    }

    private static func bell(_ length: Int, _ sigma: Double) -> [Double] {
        let middle = Double(length - 1) / 2
        // Measured from the sample nearest to the middle, so that not all weights vanish where sigma is tiny.
        let nearest = middle - middle.rounded(.down)
        let weights = (0..<length).map { index in
            let distance = Double(index) - middle
            return exp(-(distance * distance - nearest * nearest) / sigma / sigma / 2)
        }
        let sum = weights.reduce(0, +)
        return weights.map { $0 / sum }
    }

    private static func checkedCount(_ name: String, _ size: Size2D) throws(ShapeError) -> Int {
        let limit = ConvolutionPath.largestKernel
        guard size.isPositive, size.height <= limit / size.width else {
            throw ShapeError(name, "the kernel must have from 1 to 2²⁴ elements, not \(size); 3 is usual")
        }
        return size.height * size.width
    }

    private static func checkSigma(_ name: String, _ sigma: Double) throws(ShapeError) {
        guard sigma > 0, sigma.isFinite else {
            throw ShapeError(
                name, "sigma must be a positive number of pixels or samples, not \(sigma); 1 is usual")
        }
    }
}
