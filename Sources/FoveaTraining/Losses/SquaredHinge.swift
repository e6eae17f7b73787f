import FoveaGraph

/// `max(1 - t p, 0)²`, averaged over an example's outputs. Targets and predictions: as for `Hinge`.
public struct SquaredHinge: Loss {
    public static let name = "squared_hinge"

    public init() {}

    public func callAsFunction(targets: Tensor, predictions: Tensor) throws -> Tensor {
        let margin = try margin(targets, predictions)
        return try (margin * margin).meanPerExample()
    }
}

extension Loss where Self == SquaredHinge {
    /// The square of what `hinge` is of each output.
    public static var squaredHinge: SquaredHinge { SquaredHinge() }
}
