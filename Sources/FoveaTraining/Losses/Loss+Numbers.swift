import Foundation
import FoveaGraph

/// Losses of numbers and margins.
extension Loss {
    func error(_ targets: Tensor, _ predictions: Tensor) throws -> Tensor {
        try predictions - targets.aligned(with: predictions, name)
    }

    func huber(_ targets: Tensor, _ predictions: Tensor, _ delta: Double) throws -> Tensor {
        guard delta > 0, delta.isFinite else {
            throw TrainingError.invalidArgument("delta", "\(delta)", expected: "a positive number")
        }
        let error = try error(targets, predictions)
        let magnitude = try error.unary(.abs)
        let isNear = try magnitude.lessOrEqual(.filled(Float(delta), magnitude.shape))
        let far = try magnitude * Float(delta) - Float(delta * delta / 2)
        return try Tensor.select(isNear, error * error * 0.5, far).meanPerExample()
    }

    /// `|e| + log(1 + exp(-2|e|)) - log 2`, which does not overflow as `cosh` would. Where that cancels, near 0, it is
    /// `-½ log(1 - tanh²e)`.
    func logCosh(_ targets: Tensor, _ predictions: Tensor) throws -> Tensor {
        let magnitude = try error(targets, predictions).unary(.abs)
        let correction = try (magnitude * -2).exp().unary(.log1p)
        let far = try magnitude + correction - Float(log(2.0))
        // Bounded, so that the side that is not selected has a finite gradient.
        let slope = try Tensor.minimum(magnitude, 0.5).tanh()
        let near = try (slope * slope).negated().unary(.log1p) * -0.5
        return try Tensor.select(magnitude.greater(0.5), far, near).meanPerExample()
    }

    func poisson(_ targets: Tensor, _ predictions: Tensor) throws -> Tensor {
        let t = try targets.aligned(with: predictions, name)
        return try (predictions - t * (predictions + 1e-7).log()).meanPerExample()
    }

    /// The cosine of the angle between targets and predictions.
    func cosine(_ targets: Tensor, _ predictions: Tensor) throws -> Tensor {
        let t = try targets.aligned(with: predictions.rows(name), name)
        return try (unitVectors(t) * unitVectors(predictions)).sum(axes: [-1]).meanPerExample()
    }

    /// Vectors along the last axis divided by their length, or by 1e-7 where they are shorter.
    private func unitVectors(_ x: Tensor) throws -> Tensor {
        let squares = try (x * x).sum(axes: [-1], keepDims: true)
        return try x * Tensor.maximum(squares, 1e-14).unary(.rsqrt)
    }

    /// `max(1 - t p, 0)` for each output.
    func margin(_ targets: Tensor, _ predictions: Tensor) throws -> Tensor {
        let t = try targets.aligned(with: predictions, name)
        let signs = try Tensor.select(t.equal(.filled(0, t.shape)), .filled(-1, t.shape), t)
        return try Tensor.maximum(1 - signs * predictions, 0)
    }

    func categoricalHinge(_ targets: Tensor, _ predictions: Tensor) throws -> Tensor {
        let t = try targets.aligned(with: predictions.rows(name), name)
        let right = try (t * predictions).sum(axes: [-1])
        let wrong = try ((1 - t) * predictions).max(axes: [-1])
        return try Tensor.maximum(wrong - right + 1, 0).meanPerExample()
    }
}
