import FoveaGraph

/// How wrong predictions are: what training makes smaller.
///
/// A loss is a composition of graph operations. Called with targets and predictions it gives one number per example,
/// `[batch]`; training minimises their mean, `Tensor.weightedMean`. In what is said of each, `t` is the target, `p` the
/// prediction, `x` a logit and C the extent of the last axis. Where an example has several places, as in
/// `[batch, height, width, C]`, its loss is the mean over them.
///
/// A loss of one's own is a type with a name, settings that all have default values, and the formula. It is given to
/// `compile` as it is, and to the reading of files in `CustomTypes`:
///
/// ```swift
/// /// `(p - t)⁴`, averaged over an example's outputs.
/// struct QuarticError: Loss {
///     static let name = "quartic_error"
///     func callAsFunction(targets: Tensor, predictions: Tensor) throws -> Tensor {
///         let error = try predictions - targets.aligned(with: predictions, for: name)
///         return try (error * error * error * error).meanPerExample()
///     }
/// }
/// ```
///
/// **From probabilities or logits.** With `fromLogits: false` predictions are probabilities, clipped to
/// `[ε, 1 - ε]` with `ε = 1e-7` before the logarithm, as in Keras. Predictions that come straight out of the softmax
/// operation over the last axis (for the binary losses: the sigmoid operation) are not clipped: the loss is computed
/// from that operation's input, which loses no digits. Keras does the same with its TensorFlow backend for the three
/// cross-entropies, whatever `from_logits` says; here it holds for the focal losses and `klDivergence` too. A logit of -∞
/// masks its class: it adds nothing to a loss and its gradient unless it has a part of the target, which costs +∞.
public protocol Loss: Hashable, Codable, Sendable {
    /// Keras's name, such as `sparse_categorical_crossentropy`. Files have it as well.
    static var name: String { get }

    /// The loss with default settings.
    init()

    /// The name, followed by the settings that are not the default, such as `huber_delta_2.0`.
    var name: String { get }

    /// What targets are, for checks and for data sets; any numbers unless said.
    var targetKind: TargetKind { get }

    /// What predictions are; any numbers unless said.
    var outputKind: OutputKind { get }

    /// The loss of each example, `[batch]`; losses at several places of one example are averaged.
    ///
    /// - Parameters:
    ///   - targets: what the model should have answered, of any number type.
    ///   - predictions: what it answered, `float32`.
    /// - Throws: `ShapeError` when targets do not fit the predictions, `TrainingError` for a setting out of range.
    func callAsFunction(targets: Tensor, predictions: Tensor) throws -> Tensor
}

/// The losses that files may name without `CustomTypes`.
public let builtInLosses: [any Loss.Type] = [
    SparseCategoricalCrossentropy.self, CategoricalCrossentropy.self, BinaryCrossentropy.self,
    NegativeLogLikelihood.self, CategoricalFocalCrossentropy.self, BinaryFocalCrossentropy.self,
    KLDivergence.self, Dice.self, Tversky.self, MeanSquaredError.self, MeanAbsoluteError.self,
    MeanAbsolutePercentageError.self, MeanSquaredLogarithmicError.self, Huber.self, LogCosh.self,
    Poisson.self, CosineSimilarity.self, Hinge.self, SquaredHinge.self, CategoricalHinge.self,
]

extension Loss {
    public var name: String { named(Self.name, settingsOf: self, unlike: Self()) }
    public var targetKind: TargetKind { .numbers }
    public var outputKind: OutputKind { .numbers }

    /// Whether predictions are logits instead of probabilities.
    public var fromLogits: Bool { outputKind == .logits || outputKind == .logProbabilities }

    var hasDefaultSettings: Bool { self == Self() }

    func check(_ setting: String, _ value: Double, in range: some RangeExpression<Double>, _ expected: String)
        throws
    {
        guard range.contains(value), value.isFinite else {
            throw TrainingError.invalidArgument(setting, "\(value)", expected: expected)
        }
    }
}
