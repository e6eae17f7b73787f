import FoveaGraph

/// A pooling of a small image, one window after another: what is under it and what is made of that.
///
/// ```swift
/// let image = try TensorValue(rows: [[1, 3, 2, 1], [4, 6, 6, 8], [3, 1, 1, 0], [1, 2, 2, 4]])
/// print(try PoolingSteps(image: image, kind: .max, poolSize: 2).output)   // 6 8, 3 4
/// ```
public struct PoolingSteps: Hashable, Sendable {
    /// What is made of a window.
    public enum Kind: String, CaseIterable, Hashable, Sendable {
        /// Its largest number.
        case max
        /// The mean of its numbers.
        case average
    }

    /// One position of the window.
    public struct Step: Hashable, Sendable {
        /// The output's row and column.
        public let row: Int
        public let column: Int
        /// The window's upper left pixel.
        public let top: Int
        public let left: Int
        /// What is seen under the window, row by row.
        public let patch: [[Float]]
        /// The output.
        public let result: Float
    }

    public let kind: Kind
    public let poolSize: Size2D
    /// Height and width of the output.
    public let outputSize: Size2D
    /// Every position, row by row.
    public let steps: [Step]

    /// The output of the pooling, `[height, width]`.
    public var output: TensorValue {
        TensorValue(
            shape: [outputSize.height, outputSize.width], dtype: .float32,
            doubles: steps.map { Double($0.result) })
    }

    /// - Parameters:
    ///   - image: `[height, width]`.
    ///   - kind: what is made of a window.
    ///   - poolSize: height and width of the window in pixels; one number means both.
    ///   - strides: how far the window moves; the size of the window when nil, as in Keras.
    /// - Throws: `ShapeError` for an image of another shape, sizes that are not positive, an image smaller than the window, and
    ///   for more than 2²⁰ numbers in all windows.
    public init(image: TensorValue, kind: Kind, poolSize: Size2D, strides: Size2D? = nil) throws(ShapeError) {
        let (name, shapes) = ("PoolingSteps", [image.shape])
        guard image.shape.rank == 2 else {
            throw ShapeError(name, "needs an image [height, width]", shapes: shapes)
        }
        let window = SlidingWindow(poolSize, strides: strides ?? poolSize)
        let size = try window.outputSize(of: Size2D(image.shape[0], image.shape[1]), name, shapes)
        let largest = 1 << 20
        guard size.height <= largest / size.width,
            poolSize.height * poolSize.width <= largest / (size.height * size.width)
        else {
            throw ShapeError(
                name,
                "\(size) positions of a \(poolSize) window are too many to list; use MaxPooling2D or AveragePooling2D",
                shapes: shapes)
        }
        let rows = image.rows
        self.kind = kind
        self.poolSize = poolSize
        outputSize = size
        steps = (0..<size.height * size.width).map { index in
            let (row, column) = (index / size.width, index % size.width)
            let (top, left) = (row * window.strides.height, column * window.strides.width)
            let patch = rows[top..<top + poolSize.height].map { Array($0[left..<left + poolSize.width]) }
            let numbers = patch.joined()
            let result: Float =
                switch kind {
                case .max: numbers.reduce(-.infinity) { $0.isNaN || $1.isNaN ? .nan : Swift.max($0, $1) }
                case .average: Float(numbers.reduce(0.0) { $0 + Double($1) } / Double(numbers.count))
                }
            return Step(row: row, column: column, top: top, left: left, patch: patch, result: result)
        }
    }
}
