import FoveaGraph

/// `(p - t)²`, averaged over an example's outputs. Targets: numbers of the predictions' shape.
public struct MeanSquaredError: Loss {
    public static let name = "mean_squared_error"

    public init() {}

    public func callAsFunction(targets: Tensor, predictions: Tensor) throws -> Tensor {
        let error = try predictions - targets.aligned(with: predictions, for: name)
        return try (error * error).meanPerExample()
    }
}

extension Loss where Self == MeanSquaredError {
    /// The mean of `(p - t)²`.
    public static var meanSquaredError: MeanSquaredError { MeanSquaredError() }
}
