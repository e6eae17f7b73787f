/// Many elements to one, along given axes; NaN where one of them is.
public struct Reduction: OperationRule {
    public enum Kind: String, Sendable, CaseIterable { case sum, mean, max }

    public let kind: Kind
    /// Sorted, without repeats.
    public let axes: [Int]
    /// Whether reduced axes stay, with extent 1.
    public let keepDims: Bool

    public init(_ kind: Kind, axes: [Int], keepDims: Bool) {
        self.kind = kind
        self.axes = axes
        self.keepDims = keepDims
    }

    public var name: String { kind.rawValue }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try expect(1, inputs)
        let (shape, dtype) = (inputs[0].shape, inputs[0].dtype)
        try checkAxes(axes, inputs)
        guard dtype == .float32 || (dtype == .int32 && kind != .mean) else {
            throw error("cannot reduce \(dtype.rawValue) elements; cast to float32 first", inputs)
        }
        return TensorType(shape.reduced(over: axes, keepDims: keepDims), dtype)
    }

    public func gradients(inputs: [Tensor], output: Tensor, upstream: Tensor) throws -> [Tensor?] {
        let x = inputs[0]
        let kept = x.shape.reduced(over: axes, keepDims: true)
        let g = try upstream.reshaped(to: kept)
        switch kind {
        case .sum: return [try g.broadcast(to: x.shape)]
        case .mean: return [try (g / x.reducedCount(over: axes)).broadcast(to: x.shape)]
        case .max:
            // Equal largest elements share the gradient.
            let isLargest = try x.equal(try output.reshaped(to: kept)).cast(to: x.dtype)
            let count = try isLargest.sum(axes: axes, keepDims: true)
            return [try isLargest * (g / count)]
        }
    }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) -> TensorValue {
        let shape = inputs[0].shape
        let source = inputs[0].doubles
        let kept = shape.reduced(over: axes, keepDims: true)
        var results = [Double](repeating: kind == .max ? -.infinity : 0, count: kept.elementCount)
        var position = 0
        shape.forEachIndex { index in
            var target = index
            for axis in axes { target[axis] = 0 }
            let slot = kept.position(of: target)
            let value = source[position]
            if kind == .max {
                results[slot] = value.isNaN || results[slot].isNaN ? .nan : Swift.max(results[slot], value)
            } else {
                results[slot] += value
            }
            position += 1
        }
        if kind == .mean {
            let count = Double(axes.reduce(1) { $0 * shape[$1] })
            results = results.map { $0 / count }
        }
        return TensorValue(shape: type.shape, dtype: type.dtype, doubles: results)
    }
}

/// The index of the first largest element along an axis, as int32. NaN counts as largest.
public struct ArgMax: OperationRule {
    public let axis: Int
    public let keepDims: Bool

    public init(axis: Int, keepDims: Bool) {
        self.axis = axis
        self.keepDims = keepDims
    }

    public var name: String { "argMax" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try expect(1, inputs)
        try checkAxes([axis], inputs)
        guard inputs[0].dtype == .float32 || inputs[0].dtype == .int32 else {
            throw error("cannot compare \(inputs[0].dtype.rawValue) elements; cast to float32 first", inputs)
        }
        return TensorType(inputs[0].shape.reduced(over: [axis], keepDims: keepDims), .int32)
    }

    public func gradients(inputs: [Tensor], output: Tensor, upstream: Tensor) -> [Tensor?] { [nil] }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) -> TensorValue {
        let shape = inputs[0].shape
        let source = inputs[0].doubles
        let step = shape.rowMajorStrides[axis]
        var results: [Double] = []
        shape.reduced(over: [axis], keepDims: true).forEachIndex { index in
            let start = shape.position(of: index)
            var best = 0
            for candidate in 0..<shape[axis] {
                let (value, largest) = (source[start + candidate * step], source[start + best * step])
                if value > largest || (value.isNaN && !largest.isNaN) { best = candidate }
            }
            results.append(Double(best))
        }
        return TensorValue(shape: type.shape, dtype: .int32, doubles: results)
    }
}

extension OperationRule {
    func checkAxes(_ axes: [Int], _ inputs: [TensorType]) throws(ShapeError) {
        guard axes.allSatisfy({ (0..<inputs[0].shape.rank).contains($0) }), Set(axes).count == axes.count
        else {
            throw error("axes \(axes) must be different and lie in 0..<\(inputs[0].shape.rank)", inputs)
        }
    }
}

extension Shape {
    /// The shape after reducing over some axes.
    public func reduced(over axes: [Int], keepDims: Bool) -> Shape {
        if keepDims {
            return Shape(dimensions.enumerated().map { axes.contains($0.offset) ? 1 : $0.element })
        }
        return Shape(dimensions.enumerated().filter { !axes.contains($0.offset) }.map(\.element))
    }
}

extension Tensor {
    /// The sum over `axes` (all when nil). Negative axes count from the end.
    public func sum(axes: [Int]? = nil, keepDims: Bool = false) throws(ShapeError) -> Tensor {
        try reduced(.sum, axes, keepDims)
    }

    /// The mean over `axes` (all when nil).
    public func mean(axes: [Int]? = nil, keepDims: Bool = false) throws(ShapeError) -> Tensor {
        try reduced(.mean, axes, keepDims)
    }

    /// Mean and biased variance over `axes` (all when nil): `mean = Σx / n`, `variance = Σ(x - mean)² / n`.
    ///
    /// Differences are taken before squares, so a mean that is large beside the deviations costs no precision. To normalise,
    /// write `(x - mean) * (scale / √(variance + ε)) + shift` with the factors of one element per channel multiplied first:
    /// then each moment is a pass over memory, the result another, and the gradient takes two.
    ///
    /// - Throws: `ShapeError` for axes that the tensor does not have, or elements that are not float32.
    public func moments(axes: [Int]? = nil, keepDims: Bool = false) throws(ShapeError) -> (
        mean: Tensor, variance: Tensor
    ) {
        let mean = try mean(axes: axes, keepDims: true)
        let centered = try self - mean
        let variance = try (centered * centered).mean(axes: axes, keepDims: keepDims)
        return (try mean.reshaped(to: variance.shape), variance)
    }

    /// The largest element along `axes` (all when nil).
    public func max(axes: [Int]? = nil, keepDims: Bool = false) throws(ShapeError) -> Tensor {
        try reduced(.max, axes, keepDims)
    }

    /// The smallest element along `axes` (all when nil). Equal smallest elements share the gradient.
    public func min(axes: [Int]? = nil, keepDims: Bool = false) throws(ShapeError) -> Tensor {
        // Of what turns the order round: of integers the complement, which unlike the negative every integer has.
        if dtype == .int32 { return try -1 - (-1 - self).max(axes: axes, keepDims: keepDims) }
        return try negated().max(axes: axes, keepDims: keepDims).negated()
    }

    /// The index of the first largest element along an axis.
    public func argMax(axis: Int = -1, keepDims: Bool = false) throws(ShapeError) -> Tensor {
        try Tensor(.argMax(ArgMax(axis: axis < 0 ? axis + shape.rank : axis, keepDims: keepDims)), [self])
    }

    private func reduced(_ kind: Reduction.Kind, _ axes: [Int]?, _ keepDims: Bool) throws(ShapeError)
        -> Tensor
    {
        let axes = axes?.map { $0 < 0 ? $0 + shape.rank : $0 }.sorted() ?? Array(0..<shape.rank)
        return try Tensor(.reduction(Reduction(kind, axes: axes, keepDims: keepDims)), [self])
    }
}
