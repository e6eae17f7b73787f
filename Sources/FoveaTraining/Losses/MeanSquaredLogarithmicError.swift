import FoveaGraph

/// `(log(1 + p) - log(1 + t))²`, averaged over an example's outputs, where what is below `ε = 1e-7` counts as ε.
///
/// Targets: numbers of the predictions' shape, not negative, such as prices or counts. Predictions below ε have the
/// gradient 0. Keras's definition.
public struct MeanSquaredLogarithmicError: Loss {
    public static let name = "mean_squared_logarithmic_error"

    public init() {}

    public func callAsFunction(targets: Tensor, predictions: Tensor) throws -> Tensor {
        func logarithm(_ x: Tensor) throws -> Tensor { try Tensor.maximum(x, 1e-7).unary(.log1p) }
        let error = try logarithm(predictions) - logarithm(targets.aligned(with: predictions, for: name))
        return try (error * error).meanPerExample()
    }
}

extension Loss where Self == MeanSquaredLogarithmicError {
    /// The mean of `(log(1 + p) - log(1 + t))²`.
    public static var meanSquaredLogarithmicError: MeanSquaredLogarithmicError { .init() }
}
