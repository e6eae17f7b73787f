import Foundation
import FoveaGraph

/// `log cosh(p - t)`, averaged over an example's outputs: about half the square near 0, far from it the magnitude
/// minus log 2. Targets: as for `MeanSquaredError`.
///
/// Computed as `|e| + log(1 + exp(-2|e|)) - log 2`, which does not overflow as `cosh` would. Where that cancels, near 0, it
/// is `-½ log(1 - tanh²e)`.
public struct LogCosh: Loss {
    public static let name = "log_cosh"

    public init() {}

    public func callAsFunction(targets: Tensor, predictions: Tensor) throws -> Tensor {
        let error = try predictions - targets.aligned(with: predictions, for: name)
        let magnitude = try error.unary(.abs)
        let correction = try (magnitude * -2).exp().unary(.log1p)
        let far = try magnitude + correction - Float(log(2.0))
        // Bounded, so that the side that is not selected has a finite gradient.
        let slope = try Tensor.minimum(magnitude, 0.5).tanh()
        let near = try (slope * slope).negated().unary(.log1p) * -0.5
        return try Tensor.select(magnitude.greater(0.5), far, near).meanPerExample()
    }
}

extension Loss where Self == LogCosh {
    /// The logarithm of the error's hyperbolic cosine.
    public static var logCosh: LogCosh { LogCosh() }
}
