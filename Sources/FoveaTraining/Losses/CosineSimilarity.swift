import FoveaGraph

/// `-Σ t p / (‖t‖ ‖p‖)` along the last axis: -1 for equal directions, 1 for opposite ones, 0 where a vector is 0.
///
/// Targets and predictions: `[batch, C]`. The sign is Keras's; PyTorch's `cosine_similarity` has the opposite one.
public struct CosineSimilarity: Loss {
    public static let name = "cosine_similarity"

    public init() {}

    public func callAsFunction(targets: Tensor, predictions: Tensor) throws -> Tensor {
        let t = try targets.aligned(with: predictions.rows(for: name), for: name)
        return try (unitVectors(t) * unitVectors(predictions)).sum(axes: [-1]).meanPerExample().negated()
    }

    /// Vectors along the last axis divided by their length, or by 1e-7 where they are shorter.
    private func unitVectors(_ x: Tensor) throws -> Tensor {
        let squares = try (x * x).sum(axes: [-1], keepDims: true)
        return try x * Tensor.maximum(squares, 1e-14).unary(.rsqrt)
    }
}

extension Loss where Self == CosineSimilarity {
    /// Minus the cosine of the angle between targets and predictions.
    public static var cosineSimilarity: CosineSimilarity { CosineSimilarity() }
}
