import FoveaGraph

/// The identity, which adds a penalty of what passes to the loss: `l1 · Σ|x| + l2 · Σx²` for each example, the mean over the
/// batch.
///
/// - Input and output: `[batch, …]`.
/// - Throws: `ShapeError` when a factor is negative or not finite.
public final class ActivityRegularization: UnaryLayer {
    public static let typeName = "ActivityRegularization"
    public let name: String?
    public let regularizer: Regularizer

    /// - Parameters:
    ///   - l1: the factor of the sum of magnitudes, not negative.
    ///   - l2: the factor of the sum of squares, not negative.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(l1: Double = 0, l2: Double = 0, name: String? = nil) {
        regularizer = .l1l2(l1: l1, l2: l2)
        self.name = name
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        try x.adding(loss: regularizer.ofActivity(x))
    }

    public var configuration: Configuration {
        ["l1": .number(regularizer.l1), "l2": .number(regularizer.l2)]
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(l1: try configuration.number("l1"), l2: try configuration.number("l2"), name: name)
    }
}
