import FoveaGraph

/// How gradients that are too large are made smaller before a step.
///
/// A norm is the root of the sum of squares. Where it is NaN, infinite, or its square beyond the range of float32, the
/// clipped gradients are NaN, so that training stops rather than goes on without them.
///
/// The three are Keras's `clipvalue`, `clipnorm` and `global_clipnorm`. Pascanu, Mikolov and Bengio 2012, "On the
/// difficulty of training recurrent neural networks", arXiv:1211.5063.
public enum GradientClipping: Hashable, Codable, Sendable {
    /// Each element is brought into `-c...c`, with `c` positive.
    case value(Double)
    /// Each gradient `g` becomes `g·c / max(‖g‖, c)`: its norm is at most `c`, which is positive.
    case norm(Double)
    /// Each gradient `g` becomes `g·c / max(n, c)`, where `n` is the norm of all gradients as one vector: their common norm
    /// is at most `c`, which is positive, and their direction stays.
    case globalNorm(Double)

    /// The gradients after clipping, in the same order.
    ///
    /// - Throws: `TrainingError.invalidArgument` when the limit is not a positive number.
    public func clipped(_ gradients: [Tensor]) throws -> [Tensor] {
        try checkSettings()
        switch self {
        case .value(let limit):
            return try gradients.map { try .minimum(.maximum($0, -Float(limit)), Float(limit)) }
        case .norm(let limit):
            return try gradients.map { try $0 * scale(forSquaredNorm: ($0 * $0).sum(), limit) }
        case .globalNorm(let limit):
            guard let first = gradients.first else { return [] }
            let squaredNorm = try gradients.dropFirst().reduce((first * first).sum()) {
                try $0 + ($1 * $1).sum()
            }
            let scale = try scale(forSquaredNorm: squaredNorm, limit)
            return try gradients.map { try $0 * scale }
        }
    }

    /// `c / max(n, c)`, and NaN where the norm `n` is not finite.
    private func scale(forSquaredNorm squaredNorm: Tensor, _ limit: Double) throws -> Tensor {
        let norm = try squaredNorm.squareRoot()
        return try Float(limit) / Tensor.maximum(norm, Float(limit)) + (norm - norm)
    }

    /// - Throws: `TrainingError.invalidArgument` when the limit is not a positive number in float32.
    public func checkSettings() throws {
        let (name, limit) =
            switch self {
            case .value(let limit): ("value", limit)
            case .norm(let limit): ("norm", limit)
            case .globalNorm(let limit): ("globalNorm", limit)
            }
        guard Float(limit).isFinite, Float(limit) > 0 else {
            throw TrainingError.invalidArgument(
                "\(name) of gradient clipping", "\(limit)", expected: "a positive number, such as 1")
        }
    }
}
