/// The largest element under a moving window, channel by channel; NaN where it contains NaN. Padding never wins.
///
/// A rectified pooling also replaces negative results by zero: `relu(maxPool(x))`, in one pass.
public struct MaxPool: OperationRule {
    public let window: SlidingWindow
    public let isRectified: Bool

    public init(_ window: SlidingWindow, isRectified: Bool = false) {
        self.window = window
        self.isRectified = isRectified
    }

    public var name: String { isRectified ? "maxPool + relu" : "maxPool" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try inferPooled(window, inputs)
    }

    public func gradients(inputs: [Tensor], output: Tensor, upstream: Tensor) throws -> [Tensor?] {
        [try Tensor(.maxPoolGradient(.init(window, isRectified: isRectified)), [inputs[0], upstream])]
    }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) -> TensorValue {
        let x = inputs[0].doubles
        let results = window.winners(x, inputs[0].shape, type.shape).map { winner in
            let largest = winner.map { x[$0] } ?? -.infinity
            return isRectified && largest < 0 ? 0 : largest
        }
        return TensorValue(shape: type.shape, dtype: type.dtype, doubles: results)
    }
}

/// The gradient of `MaxPool`: each upstream element goes to the first largest element of its window, NaN counting as
/// largest; of a rectified pooling, only if that is positive. Inputs: the pooled images and the upstream gradient.
public struct MaxPoolGradient: OperationRule {
    public let window: SlidingWindow
    public let isRectified: Bool

    public init(_ window: SlidingWindow, isRectified: Bool = false) {
        self.window = window
        self.isRectified = isRectified
    }

    public var name: String { "maxPoolGradient" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try expect(2, inputs)
        guard try inferPooled(window, [inputs[0]]) == inputs[1] else {
            throw error("the upstream gradient is not shaped like the pooled images", inputs)
        }
        return inputs[0]
    }

    public func gradients(inputs: [Tensor], output: Tensor, upstream: Tensor) throws -> [Tensor?] {
        throw GradientError(
            operation: name,
            reason: "which element of a window is largest has no derivative to follow further")
    }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) -> TensorValue {
        let (x, g) = (inputs[0].doubles, inputs[1].doubles)
        var results = [Double](repeating: 0, count: type.shape.elementCount)
        for (index, winner) in window.winners(x, type.shape, inputs[1].shape).enumerated() {
            if let winner, !isRectified || x[winner] > 0 { results[winner] += g[index] }
        }
        return TensorValue(shape: type.shape, dtype: type.dtype, doubles: results)
    }
}

/// The mean under a moving window, channel by channel. Padding is not counted, as in TensorFlow; with `countsPadding`
/// it counts as zeros.
public struct AveragePool: OperationRule {
    public let window: SlidingWindow
    public let countsPadding: Bool

    public init(_ window: SlidingWindow, countsPadding: Bool = false) {
        self.window = window
        self.countsPadding = countsPadding
    }

    public var name: String { "averagePool" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try inferPooled(window, inputs)
    }

    public func gradients(inputs: [Tensor], output: Tensor, upstream: Tensor) throws -> [Tensor?] {
        [try Tensor(.averagePoolGradient(.init(self, inputSize: inputs[0].shape.imageSize)), [upstream])]
    }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) -> TensorValue {
        let x = inputs[0].doubles
        var y = [Double](repeating: 0, count: type.shape.elementCount)
        forEachShare(images: inputs[0].shape, output: type.shape) { xi, yi, share in y[yi] += x[xi] * share }
        return TensorValue(shape: type.shape, dtype: type.dtype, doubles: y)
    }

    /// Each input element's share of each output element.
    func forEachShare(
        images: Shape, output: Shape, _ body: (_ input: Int, _ output: Int, _ share: Double) -> Void
    ) {
        window.forEachWindow(images, output) { outputIndex, inputs in
            let count = countsPadding ? window.window.height * window.window.width : inputs.count
            for input in inputs { body(input, outputIndex, 1 / Double(count)) }
        }
    }
}

/// The gradient of `AveragePool`. Input: the upstream gradient.
public struct AveragePoolGradient: OperationRule {
    public let pool: AveragePool
    /// Height and width of the pooled images.
    public let inputSize: Size2D

    public init(_ pool: AveragePool, inputSize: Size2D) {
        self.pool = pool
        self.inputSize = inputSize
    }

    public var name: String { "averagePoolGradient" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try expect(1, inputs)
        try checkImages(inputs[0], inputs)
        let shape = inputs[0].shape
        let images = TensorType([shape[0], inputSize.height, inputSize.width, shape[3]], inputs[0].dtype)
        guard try inferPooled(pool.window, [images]) == inputs[0] else {
            throw error("the upstream gradient is not shaped like pooled \(inputSize) images", inputs)
        }
        return images
    }

    public func gradients(inputs: [Tensor], output: Tensor, upstream: Tensor) throws -> [Tensor?] {
        [try Tensor(.averagePool(pool), [upstream])]
    }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) -> TensorValue {
        let g = inputs[0].doubles
        var x = [Double](repeating: 0, count: type.shape.elementCount)
        pool.forEachShare(images: type.shape, output: inputs[0].shape) { xi, yi, share in
            x[xi] += g[yi] * share
        }
        return TensorValue(shape: type.shape, dtype: type.dtype, doubles: x)
    }
}

extension OperationRule {
    fileprivate func inferPooled(_ window: SlidingWindow, _ inputs: [TensorType]) throws(ShapeError)
        -> TensorType
    {
        try expect(1, inputs)
        try checkImages(inputs[0], inputs)
        let shape = inputs[0].shape
        guard window.dilations == 1 else { throw error("a pooling window cannot be dilated", inputs) }
        let (padding, size) = (window.padding, window.window)
        // Otherwise a window could lie in the padding altogether, with nothing to pool.
        guard max(padding.top, padding.bottom) < size.height, max(padding.left, padding.right) < size.width
        else {
            throw error("padding must be smaller than the \(size) window", inputs)
        }
        let output = try window.outputSize(of: shape.imageSize, name, inputs.map(\.shape))
        return TensorType([shape[0], output.height, output.width, shape[3]], inputs[0].dtype)
    }
}

extension SlidingWindow {
    /// Calls `body` for each output element with the positions of the input elements under its window.
    fileprivate func forEachWindow(
        _ images: Shape, _ output: Shape, _ body: (_ output: Int, _ inputs: [Int]) -> Void
    ) {
        var position = 0
        output.forEachIndex { index in
            var inputs: [Int] = []
            forEachPixel(under: Size2D(index[1], index[2]), in: images.imageSize) { _, pixel in
                inputs.append(
                    ((index[0] * images[1] + pixel.height) * images[2] + pixel.width) * images[3] + index[3])
            }
            body(position, inputs)
            position += 1
        }
    }

    /// The position of the first largest element of each window, NaN counting as largest.
    fileprivate func winners(_ x: [Double], _ images: Shape, _ output: Shape) -> [Int?] {
        var result: [Int?] = []
        forEachWindow(images, output) { _, inputs in
            result.append(
                inputs.dropFirst().reduce(inputs.first) { best, i in
                    x[i] > x[best!] || x[i].isNaN && !x[best!].isNaN ? i : best
                })
        }
        return result
    }
}

extension Tensor {
    public func maxPooled(_ window: SlidingWindow) throws(ShapeError) -> Tensor {
        try Tensor(.maxPool(MaxPool(window)), [self])
    }

    public func averagePooled(_ window: SlidingWindow, countsPadding: Bool = false) throws(ShapeError)
        -> Tensor
    {
        try Tensor(.averagePool(AveragePool(window, countsPadding: countsPadding)), [self])
    }
}
