import Foundation
import FoveaGraph

/// A convolution of a small image, one position of the kernel after another: what is under it, what is multiplied and
/// what that sums to.
///
/// ```swift
/// let image = try TensorValue(rows: [[1, 2, 3], [4, 5, 6], [7, 8, 9]])
/// print(try ConvolutionSteps(image: image, kernel: Kernels.boxBlur(size: 2), mode: .valid))
/// ```
public struct ConvolutionSteps: Hashable, Sendable {
    /// One position of the kernel.
    public struct Step: Hashable, Sendable {
        /// The output's row and column.
        public let row: Int
        public let column: Int
        /// The window's upper left pixel, in rows and columns of the image; outside it where negative.
        public let top: Int
        public let left: Int
        /// What is seen under the window, row by row, padding and boundary included.
        public let patch: [[Float]]
        /// Each element of `patch` times the element of `kernel` at its place.
        public let products: [[Float]]
        /// The output: the sum of the products.
        public let sum: Float
    }

    /// The kernel as it lies on the image: flipped for `.convolution`.
    public let kernel: [[Float]]
    /// Height and width of the output.
    public let outputSize: Size2D
    /// Every position, row by row.
    public let steps: [Step]

    /// The output of the convolution, `[height, width]`: what `convolve2D` computes from the same arguments.
    public var output: TensorValue {
        TensorValue(
            shape: [outputSize.height, outputSize.width], dtype: .float32,
            doubles: steps.map { Double($0.sum) })
    }

    /// - Parameters:
    ///   - image: `[height, width]`.
    ///   - kernel: `[height, width]`.
    ///   - mode: which outputs are kept.
    ///   - stride: every `stride`-th of these is computed, beginning with the first; one number means both directions.
    ///   - padding: rows and columns of zeros put on each side of the image first.
    ///   - method: whether the kernel is flipped along both axes.
    ///   - boundary: what the modes `.full` and `.same` see beyond the (padded) image.
    /// - Throws: `ShapeError` where `convolve2D` does, and for more than 2²⁰ products in all.
    public init(
        image: TensorValue, kernel: TensorValue, mode: ConvolutionMode = .full, stride: Size2D = 1,
        padding: Size2D = 0, method: ConvolutionMethod = .convolution, boundary: Boundary = .constant(0)
    ) throws(ShapeError) {
        let (name, shapes) = ("ConvolutionSteps", [image.shape, kernel.shape])
        guard image.shape.rank == 2, kernel.shape.rank == 2 else {
            throw ShapeError(
                name, "needs an image [height, width] and a kernel [height, width]", shapes: shapes)
        }
        let window = Size2D(kernel.shape[0], kernel.shape[1])
        let path = try ConvolutionPath(
            image: Size2D(image.shape[0], image.shape[1]), kernel: window, mode: mode, stride: stride,
            padding: padding, takesLaterHalf: method == .crossCorrelation, name, shapes)
        let size = path.outputSize
        let largest = 1 << 20
        guard size.height <= largest / size.width,
            window.height * window.width <= largest / (size.height * size.width)
        else {
            throw ShapeError(
                name, "\(size) positions of a \(window) kernel are too many to list; use convolve2D",
                shapes: shapes)
        }
        let oriented =
            method == .convolution ? kernel.rows.reversed().map { $0.reversed() } : kernel.rows
        let pixels = PaddedPixels(rows: image.rows, padding: padding, boundary: boundary)
        self.kernel = oriented
        outputSize = size
        steps = (0..<size.height * size.width).map { index in
            let (row, column) = (index / size.width, index % size.width)
            let top = row * stride.height - path.border.top - padding.height
            let left = column * stride.width - path.border.left - padding.width
            let patch = (0..<window.height).map { r in
                (0..<window.width).map { c in pixels[top + r, left + c] }
            }
            let products = zip(patch, oriented).map { zip($0, $1).map { $0 * $1 } }
            let sum = products.joined().reduce(0.0) { $0 + Double($1) }
            return Step(
                row: row, column: column, top: top, left: left, patch: patch, products: products,
                sum: Float(sum))
        }
    }
}

/// An image that may be read at any row and column.
private struct PaddedPixels {
    let rows: [[Float]]
    let padding: Size2D
    let boundary: Boundary

    subscript(row: Int, column: Int) -> Float {
        let (height, width) = (rows.count, rows[0].count)
        guard
            let y = boundary.source(of: row + padding.height, extent: height + 2 * padding.height),
            let x = boundary.source(of: column + padding.width, extent: width + 2 * padding.width)
        else {
            if case .constant(let value) = boundary { return value }
            return 0
        }
        let (imageRow, imageColumn) = (y - padding.height, x - padding.width)
        let isInside = (0..<height).contains(imageRow) && (0..<width).contains(imageColumn)
        return isInside ? rows[imageRow][imageColumn] : 0
    }
}

extension ConvolutionSteps: CustomStringConvertible {
    /// The steps as plain text: for each the patch, the kernel and the products side by side, and the sum.
    public var description: String {
        steps.enumerated().map { index, step in
            let head =
                "step \(index + 1) of \(steps.count): output (\(step.row), \(step.column)), window at row \(step.top), "
                + "column \(step.left)"
            let blocks = [step.patch, kernel, step.products].map(Self.aligned)
            let lines = blocks[0].indices.map { row in
                let isMiddle = row == blocks[0].count / 2
                return "  " + blocks[0][row] + (isMiddle ? "  ×  " : "     ") + blocks[1][row]
                    + (isMiddle ? "  =  " : "     ") + blocks[2][row]
            }
            return ([head] + lines + ["  sum = \(Self.text(step.sum))"]).joined(separator: "\n")
        }.joined(separator: "\n\n")
    }

    /// Rows of numbers, each right-aligned in its column.
    private static func aligned(_ rows: [[Float]]) -> [String] {
        let texts = rows.map { $0.map(text) }
        let width = texts.joined().map(\.count).max() ?? 0
        return texts.map { row in
            row.map { String(repeating: " ", count: width - $0.count) + $0 }.joined(separator: " ")
        }
    }

    /// Four significant digits, and no sign for zero.
    package static func text(_ number: Float) -> String {
        number == 0 ? "0" : String(format: "%.4g", Double(number))
    }
}
