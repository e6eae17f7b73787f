import FoveaGraph

/// `max(1 - t p, 0)`, averaged over an example's outputs.
///
/// Targets: -1 or 1, or 0 or 1, of which a 0 is taken as -1. (Keras takes 0 as -1 only where all targets of the batch
/// are 0 or 1, which for such labels is the same.) Predictions: any numbers. Cortes and Vapnik 1995, "Support-vector
/// networks".
public struct Hinge: Loss {
    public static let name = "hinge"

    public init() {}

    public func callAsFunction(targets: Tensor, predictions: Tensor) throws -> Tensor {
        try margin(targets, predictions).meanPerExample()
    }
}

extension Loss where Self == Hinge {
    /// How far outputs are from being on the right side by 1.
    public static var hinge: Hinge { Hinge() }
}

extension Loss {
    /// `max(1 - t p, 0)` for each output.
    func margin(_ targets: Tensor, _ predictions: Tensor) throws -> Tensor {
        let t = try targets.aligned(with: predictions, for: name)
        let signs = try Tensor.select(t.equal(.filled(0, t.shape)), .filled(-1, t.shape), t)
        return try Tensor.maximum(1 - signs * predictions, 0)
    }
}
