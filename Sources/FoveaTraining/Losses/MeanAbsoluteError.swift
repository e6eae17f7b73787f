import FoveaGraph

/// `|p - t|`, averaged over an example's outputs; its derivative at 0 is 0. Targets: as for `MeanSquaredError`.
public struct MeanAbsoluteError: Loss {
    public static let name = "mean_absolute_error"

    public init() {}

    public func callAsFunction(targets: Tensor, predictions: Tensor) throws -> Tensor {
        let error = try predictions - targets.aligned(with: predictions, for: name)
        return try error.unary(.abs).meanPerExample()
    }
}

extension Loss where Self == MeanAbsoluteError {
    /// The mean of `|p - t|`.
    public static var meanAbsoluteError: MeanAbsoluteError { MeanAbsoluteError() }
}
