import FoveaGraph

/// Shifts and scales each example to mean 0 and variance 1 over some of its axes, then by what the layer has learned:
/// `y = (x - mean) / √(variance + epsilon) · gamma + beta`, alike in training and inference. Ba et al. 2016,
/// arXiv:1607.06450.
///
/// The variance is the biased one. PyTorch's default epsilon is 1e-5.
///
/// - Input and output: `[batch, …]`.
/// - Parameters: `gamma` and `beta`, each of the extents of the normalized axes.
/// - Throws: `ShapeError` for an axis that an example lacks, for an axis named twice and for an epsilon that is not positive.
public final class LayerNormalization: UnaryLayer {
    public static let typeName = "LayerNormalization"
    public let name: String?
    public let axes: [Int]
    public let epsilon: Double
    private let arguments: ScaleArguments

    /// Nil without scale.
    public var gamma: Parameter? { arguments.gamma }
    /// Nil without offset.
    public var beta: Parameter? { arguments.beta }
    public var ownParameters: [Parameter] { arguments.parameters }

    /// - Parameters:
    ///   - axes: over which mean and variance are taken; -1 is the last. Not 0, the batch.
    ///   - epsilon: keeps examples that do not vary from being divided by zero.
    ///   - center: whether beta is added.
    ///   - scale: whether the result is multiplied with gamma.
    ///   - betaInitializer: first values of beta.
    ///   - gammaInitializer: first values of gamma.
    ///   - betaRegularizer: a penalty of beta, added to the loss.
    ///   - gammaRegularizer: a penalty of gamma, added to the loss.
    ///   - betaConstraint: a rule that beta keeps to after each step of training.
    ///   - gammaConstraint: a rule that gamma keeps to.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public convenience init(
        axes: [Int] = [-1], epsilon: Double = 1e-3, center: Bool = true, scale: Bool = true,
        betaInitializer: Initializer = .zeros, gammaInitializer: Initializer = .ones,
        betaRegularizer: Regularizer? = nil, gammaRegularizer: Regularizer? = nil,
        betaConstraint: Constraint? = nil, gammaConstraint: Constraint? = nil, name: String? = nil
    ) {
        self.init(
            axes: axes, epsilon: epsilon,
            arguments: ScaleArguments(
                center: center, scale: scale, betaInitializer: betaInitializer,
                gammaInitializer: gammaInitializer, betaRegularizer: betaRegularizer,
                gammaRegularizer: gammaRegularizer, betaConstraint: betaConstraint,
                gammaConstraint: gammaConstraint), name: name)
    }

    private init(axes: [Int], epsilon: Double, arguments: ScaleArguments, name: String?) {
        self.axes = axes
        self.epsilon = epsilon
        self.arguments = arguments
        self.name = name
    }

    public func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {
        try checkEpsilon(epsilon, input)
        let extents = try exampleAxes(axes, of: input).map { input[$0] }
        try arguments.declare(shape: Shape(extents), in: &scope)
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        let places = try exampleAxes(axes, of: x.shape)
        let others = (0..<x.shape.rank).filter { !places.contains($0) }
        let (mean, variance) = try x.moments(axes: places, keepDims: true)
        return try arguments.normalize(
            x, mean: mean, variance: variance, epsilon: epsilon,
            as: x.shape.reduced(over: others, keepDims: true))
    }

    public var configuration: Configuration {
        arguments.configuration.with([
            "axis": .list(axes.map { .integer($0) }), "epsilon": .number(epsilon),
        ])
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            axes: try configuration.integers("axis"), epsilon: try configuration.number("epsilon"),
            arguments: try ScaleArguments(&configuration), name: name)
    }
}
