import FoveaGraph

/// Shifts and scales each channel to mean 0 and variance 1 over the batch, then by what it has learned:
/// `y = (x - mean) / √(variance + epsilon) · gamma + beta`. Ioffe and Szegedy 2015, arXiv:1502.03167.
///
/// In training, mean and (biased) variance are those of the channel over the batch and all other axes, and moving averages
/// follow them: `moving = moving · momentum + batch · (1 - momentum)`. In inference, and in training while the layer is
/// frozen (`isTrainable` is false), the moving averages are used and stay as they are.
///
/// PyTorch's momentum is 1 minus this one, and its moving variance is the unbiased one: `n / (n - 1)` times larger for `n`
/// numbers in a channel.
///
/// - Input and output: `[batch, …, channels]`, or with the channels elsewhere if `axis` says so.
/// - Parameters, each `[channels]`: `gamma`, `beta`, and `moving_mean` and `moving_variance`, which no optimizer changes.
/// - Throws: `ShapeError` for an axis that the input lacks, a momentum outside `0...1` or an epsilon that is not positive.
public final class BatchNormalization: UnaryLayer {
    public static let typeName = "BatchNormalization"
    public let name: String?
    public let axis: Int
    public let momentum: Double
    public let epsilon: Double
    public let movingMean: Parameter
    public let movingVariance: Parameter
    private let arguments: ScaleArguments

    /// Nil without scale.
    public var gamma: Parameter? { arguments.gamma }
    /// Nil without offset.
    public var beta: Parameter? { arguments.beta }
    public var ownParameters: [Parameter] { arguments.parameters + [movingMean, movingVariance] }

    /// - Parameters:
    ///   - axis: that of the channels; -1 is the last, 1 that of images `[batch, channels, height, width]`.
    ///   - momentum: how much of the moving averages each step of training keeps, from 0 to 1.
    ///   - epsilon: keeps channels that do not vary from being divided by zero.
    ///   - center: whether beta is added.
    ///   - scale: whether the result is multiplied with gamma. Not needed where a linear layer or ReLU follows.
    ///   - betaInitializer: first values of beta.
    ///   - gammaInitializer: first values of gamma.
    ///   - movingMeanInitializer: first values of the moving mean.
    ///   - movingVarianceInitializer: first values of the moving variance.
    ///   - betaRegularizer: a penalty of beta, added to the loss.
    ///   - gammaRegularizer: a penalty of gamma, added to the loss.
    ///   - betaConstraint: a rule that beta keeps to after each step of training.
    ///   - gammaConstraint: a rule that gamma keeps to.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public convenience init(
        axis: Int = -1, momentum: Double = 0.99, epsilon: Double = 1e-3, center: Bool = true,
        scale: Bool = true, betaInitializer: Initializer = .zeros, gammaInitializer: Initializer = .ones,
        movingMeanInitializer: Initializer = .zeros, movingVarianceInitializer: Initializer = .ones,
        betaRegularizer: Regularizer? = nil, gammaRegularizer: Regularizer? = nil,
        betaConstraint: Constraint? = nil, gammaConstraint: Constraint? = nil, name: String? = nil
    ) {
        self.init(
            axis: axis, momentum: momentum, epsilon: epsilon, movingMean: movingMeanInitializer,
            movingVariance: movingVarianceInitializer,
            arguments: ScaleArguments(
                center: center, scale: scale, betaInitializer: betaInitializer,
                gammaInitializer: gammaInitializer, betaRegularizer: betaRegularizer,
                gammaRegularizer: gammaRegularizer, betaConstraint: betaConstraint,
                gammaConstraint: gammaConstraint), name: name)
    }

    private init(
        axis: Int, momentum: Double, epsilon: Double, movingMean: Initializer, movingVariance: Initializer,
        arguments: ScaleArguments, name: String?
    ) {
        self.axis = axis
        self.momentum = momentum
        self.epsilon = epsilon
        self.movingMean = Parameter("moving_mean", initializer: movingMean, isLearned: false)
        self.movingVariance = Parameter("moving_variance", initializer: movingVariance, isLearned: false)
        self.arguments = arguments
        self.name = name
    }

    public func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {
        let axis = try exampleAxis(axis, of: input)
        try checkEpsilon(epsilon, input)
        guard (0...1).contains(momentum) else {
            throw error("momentum must be from 0 to 1, not \(momentum)", input)
        }
        let shape: Shape = [input[axis]]
        try arguments.declare(shape: shape, in: &scope)
        try movingMean.declare(shape: shape, in: &scope)
        try movingVariance.declare(shape: shape, in: &scope)
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        let axis = try exampleAxis(axis, of: x.shape)
        if movingMean.isFrozen { return try normalizedByAverages(x, axis) { $0 } }
        // The mode is known when the graph is compiled, and only one of the two results is left then. The other is one of
        // zeros, so that no gradient flows back through it.
        func inTraining(_ tensor: Tensor) throws(ShapeError) -> Tensor {
            try .select(.isTraining, tensor, .filled(0, tensor.shape))
        }
        func inInference(_ tensor: Tensor) throws(ShapeError) -> Tensor {
            try .select(.isTraining, .filled(0, tensor.shape), tensor)
        }
        let channels: Shape = [x.shape[axis]]
        let batch = try inTraining(x).batchNormalized(
            scale: inTraining(gamma?.tensor ?? .filled(1, channels)),
            offset: inTraining(beta?.tensor ?? .filled(0, channels)), axis: axis, epsilon: Float(epsilon))
        let y = try Tensor.select(
            .isTraining, batch.normalized, normalizedByAverages(x, axis, inInference))
        return try following(batch.mean, movingMean, following(batch.variance, movingVariance, y))
    }

    /// - Parameter seen: what is made of all that may be learned before.
    private func normalizedByAverages(
        _ x: Tensor, _ axis: Int, _ seen: (Tensor) throws(ShapeError) -> Tensor
    ) throws(ShapeError) -> Tensor {
        let shape = x.shape.reduced(over: (0..<x.shape.rank).filter { $0 != axis }, keepDims: true)
        return try arguments.normalize(
            seen(x), mean: movingMean.tensor.reshaped(to: shape),
            variance: movingVariance.tensor.reshaped(to: shape), epsilon: epsilon, as: shape, seen: seen)
    }

    /// `y`, and in training a moving average that follows the batch.
    private func following(
        _ ofBatch: Tensor, _ moving: Parameter, _ y: Tensor
    ) throws(ShapeError) -> Tensor {
        let average = try moving.tensor
        guard let variable = moving.variable, !moving.isFrozen else { return y }
        let next = try average * Float(momentum) + ofBatch * Float(1 - momentum)
        return try y.updating(variable, to: next)
    }

    public var configuration: Configuration {
        arguments.configuration.with([
            "axis": .integer(axis), "momentum": .number(momentum), "epsilon": .number(epsilon),
            "moving_mean_initializer": movingMean.initializer.configuration,
            "moving_variance_initializer": movingVariance.initializer.configuration,
        ])
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            axis: try configuration.integer("axis"), momentum: try configuration.number("momentum"),
            epsilon: try configuration.number("epsilon"),
            movingMean: try configuration.initializer("moving_mean_initializer"),
            movingVariance: try configuration.initializer("moving_variance_initializer"),
            arguments: try ScaleArguments(&configuration), name: name)
    }
}
