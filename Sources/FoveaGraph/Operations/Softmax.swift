import Foundation

/// `exp(xᵢ) / Σⱼ exp(xⱼ)` along an axis, or its logarithm `xᵢ - log Σⱼ exp(xⱼ)`, both computed from `x - max x` so that
/// nothing overflows.
///
/// An element of -∞ has the probability 0. Where there is NaN or +∞ along the axis, or nothing but -∞, all results along it
/// are NaN, as in PyTorch.
public struct Softmax: OperationRule {
    public let axis: Int
    public let isLogarithmic: Bool

    public init(axis: Int, isLogarithmic: Bool = false) {
        self.axis = axis
        self.isLogarithmic = isLogarithmic
    }

    public var name: String { isLogarithmic ? "logSoftmax" : "softmax" }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try expect(1, inputs)
        try checkAxes([axis], inputs)
        guard inputs[0].dtype == .float32 else { throw error("needs float32 elements; cast first", inputs) }
        return inputs[0]
    }

    public func gradients(inputs: [Tensor], output y: Tensor, upstream g: Tensor) throws -> [Tensor?] {
        guard isLogarithmic else { return [try y * (g - (g * y).sum(axes: [axis], keepDims: true))] }
        // gᵢ - pᵢ Σ g as (1 - pᵢ) gᵢ - pᵢ (Σ g - gᵢ), where 1 - pᵢ keeps its digits for a class that is nearly sure.
        let others = try g.sum(axes: [axis], keepDims: true) - g
        return [try (y.unary(.expm1) * g + y.exp() * others).negated()]
    }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) -> TensorValue {
        let (shape, x) = (type.shape, inputs[0].doubles)
        let step = shape.rowMajorStrides[axis]
        var y = x
        shape.reduced(over: [axis], keepDims: true).forEachIndex { index in
            let start = shape.position(of: index)
            let positions = (0..<shape[axis]).map { start + $0 * step }
            // NaN need not be the largest: the sum takes it up.
            var largest = positions.reduce(-Double.infinity) { x[$1] > $0 ? x[$1] : $0 }
            if largest.isInfinite { largest = .nan }
            let sum = positions.reduce(0) { $0 + exp(x[$1] - largest) }
            for p in positions {
                y[p] = isLogarithmic ? x[p] - largest - log(sum) : exp(x[p] - largest) / sum
            }
        }
        return TensorValue(shape: shape, dtype: type.dtype, doubles: y)
    }
}

extension Tensor {
    /// Probabilities along an axis; negative axes count from the end.
    public func softmax(axis: Int = -1) throws(ShapeError) -> Tensor {
        try Tensor(.softmax(Softmax(axis: axis < 0 ? axis + shape.rank : axis)), [self])
    }

    /// The logarithm of `softmax`, exact also where probabilities vanish.
    public func logSoftmax(axis: Int = -1) throws(ShapeError) -> Tensor {
        try Tensor(.softmax(Softmax(axis: axis < 0 ? axis + shape.rank : axis, isLogarithmic: true)), [self])
    }
}
