import FoveaGraph

/// A number that tells how good predictions are, reported but not trained on.
///
/// The value over a data set is the ratio of two sums over all batches, so a smaller last batch weighs as much as it
/// has examples.
public enum Metric: String, Hashable, Codable, CaseIterable, Sendable {
    /// The share of right answers, in the sense that fits the shapes, as in Keras: `binaryAccuracy` for predictions with
    /// one output, else `sparseCategoricalAccuracy` for class numbers and `categoricalAccuracy` for rows.
    case accuracy
    /// The share of examples whose largest output is that of the target class number.
    case sparseCategoricalAccuracy = "sparse_categorical_accuracy"
    /// The share of examples whose largest output is where the largest target is.
    case categoricalAccuracy = "categorical_accuracy"
    /// The share of outputs on the target's side of one half.
    case binaryAccuracy = "binary_accuracy"

    /// The name under which it is shown and saved.
    public var name: String { rawValue }

    /// What a batch adds to the metric, both float32 scalars: its value is the sum of `sum` over the sum of `count`.
    public struct Totals: Sendable {
        public let sum: Tensor
        public let count: Tensor
    }

    /// The form that `accuracy` takes for targets and predictions of these shapes; any other metric is itself.
    public func resolved(targets: Shape, predictions: Shape) -> Metric {
        guard self == .accuracy else { return self }
        if predictions.channels == 1 { return .binaryAccuracy }
        let isSparse = targets.rank < predictions.rank || targets.channels == 1
        return isSparse ? .sparseCategoricalAccuracy : .categoricalAccuracy
    }

    /// The totals of one batch, in the graph.
    ///
    /// - Parameters:
    ///   - targets: what the model should have answered.
    ///   - predictions: what it answered, `float32`, `[batch, …]`.
    ///   - fromLogits: whether predictions are logits, for which one half is at 0. (Keras compares logits with 0.5 unless
    ///     told otherwise.)
    /// - Throws: `ShapeError` when targets do not fit the predictions.
    public func callAsFunction(targets: Tensor, predictions: Tensor, fromLogits: Bool = false) throws
        -> Totals
    {
        let isRight: Tensor
        switch resolved(targets: targets.shape, predictions: predictions.shape) {
        case .accuracy, .sparseCategoricalAccuracy:
            isRight = try predictions.argMax().equal(targets.labels(for: predictions, name))
        case .categoricalAccuracy:
            isRight = try predictions.argMax().equal(targets.aligned(with: predictions, name).argMax())
        case .binaryAccuracy:
            let targets = try targets.aligned(with: predictions, name)
            isRight = try predictions.greater(fromLogits ? 0 : 0.5).cast(to: .float32).equal(targets)
        }
        let right = isRight.cast(to: .float32)
        return Totals(sum: try right.sum(), count: try Tensor.filled(1, right.shape).sum())
    }
}
