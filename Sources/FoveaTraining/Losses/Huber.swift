import FoveaGraph

/// `½ (p - t)²` where `|p - t| ≤ δ`, else `δ |p - t| - ½ δ²`, averaged over an example's outputs.
///
/// Targets: as for `MeanSquaredError`. Huber 1964, "Robust estimation of a location parameter". PyTorch's
/// `SmoothL1Loss` is this divided by δ.
public struct Huber: Loss {
    public static let name = "huber"

    /// δ, positive.
    public var delta: Double

    public init(delta: Double = 1) {
        self.delta = delta
    }

    public init() { self = .huber() }

    public func callAsFunction(targets: Tensor, predictions: Tensor) throws -> Tensor {
        guard delta > 0, delta.isFinite else {
            throw TrainingError.invalidArgument("delta", "\(delta)", expected: "a positive number")
        }
        let error = try predictions - targets.aligned(with: predictions, for: name)
        let magnitude = try error.unary(.abs)
        let isNear = try magnitude.lessOrEqual(.filled(Float(delta), magnitude.shape))
        let far = try magnitude * Float(delta) - Float(delta * delta / 2)
        return try Tensor.select(isNear, error * error * 0.5, far).meanPerExample()
    }
}

extension Loss where Self == Huber {
    /// Half the square of small errors, the magnitude of large ones.
    public static func huber(
        delta: Double = 1
    ) -> Huber {
        Huber(delta: delta)
    }
}
