import FoveaGraph

/// Shifts and scales each group of channels of an example to mean 0 and variance 1, then each channel by what the layer has
/// learned: `y = (x - mean) / √(variance + epsilon) · gamma + beta`, alike in training and inference. Wu and He 2018,
/// arXiv:1803.08494.
///
/// Mean and (biased) variance are those over all axes but the batch and over the channels of the group. One channel in each
/// group makes instance normalization (Ulyanov et al. 2016, arXiv:1607.08022), one group in all layer normalization over all
/// axes. PyTorch's default epsilon is 1e-5, and it asks for the number of groups.
///
/// - Input and output: `[batch, …, channels]`, or with the channels elsewhere if `axis` says so.
/// - Parameters, each `[channels]`: `gamma` and `beta`.
/// - Throws: `ShapeError` for an axis that the input lacks, for groups that do not divide the channels and for an epsilon that
///   is not positive.
public final class GroupNormalization: UnaryLayer {
    public static let typeName = "GroupNormalization"
    public let name: String?
    public let groups: Int
    public let axis: Int
    public let epsilon: Double
    private let arguments: ScaleArguments

    /// Nil without scale.
    public var gamma: Parameter? { arguments.gamma }
    /// Nil without offset.
    public var beta: Parameter? { arguments.beta }
    public var ownParameters: [Parameter] { arguments.parameters }

    /// - Parameters:
    ///   - groups: into how many groups of neighbours the channels are divided; -1 for one channel in each.
    ///   - axis: that of the channels; -1 is the last.
    ///   - epsilon: keeps groups that do not vary from being divided by zero.
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
        groups: Int = 32, axis: Int = -1, epsilon: Double = 1e-3, center: Bool = true, scale: Bool = true,
        betaInitializer: Initializer = .zeros, gammaInitializer: Initializer = .ones,
        betaRegularizer: Regularizer? = nil, gammaRegularizer: Regularizer? = nil,
        betaConstraint: Constraint? = nil, gammaConstraint: Constraint? = nil, name: String? = nil
    ) {
        self.init(
            groups: groups, axis: axis, epsilon: epsilon,
            arguments: ScaleArguments(
                center: center, scale: scale, betaInitializer: betaInitializer,
                gammaInitializer: gammaInitializer, betaRegularizer: betaRegularizer,
                gammaRegularizer: gammaRegularizer, betaConstraint: betaConstraint,
                gammaConstraint: gammaConstraint), name: name)
    }

    private init(groups: Int, axis: Int, epsilon: Double, arguments: ScaleArguments, name: String?) {
        self.groups = groups
        self.axis = axis
        self.epsilon = epsilon
        self.arguments = arguments
        self.name = name
    }

    public func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {
        try checkEpsilon(epsilon, input)
        try arguments.declare(shape: [input[exampleAxis(axis, of: input)]], in: &scope)
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        let axis = try exampleAxis(axis, of: x.shape)
        let channels = x.shape[axis]
        let groups = groups == -1 ? channels : groups
        guard groups > 0, channels % groups == 0 else {
            throw error(
                "groups must be -1, or positive and divide the \(channels) channels, not \(groups)", x.shape)
        }
        // Each channel becomes a group and a place in it.
        let split = [groups, channels / groups]
        var extents = x.shape.dimensions
        extents.replaceSubrange(axis...axis, with: split)
        var learned = [Int](repeating: 1, count: extents.count)
        learned.replaceSubrange(axis...axis + 1, with: split)
        let grouped = try x.reshaped(to: Shape(extents))
        let (mean, variance) = try grouped.moments(
            axes: (1..<extents.count).filter { $0 != axis }, keepDims: true)
        return try arguments.normalize(
            grouped, mean: mean, variance: variance, epsilon: epsilon, as: Shape(learned)
        ).reshaped(to: x.shape)
    }

    public var configuration: Configuration {
        arguments.configuration.with([
            "groups": .integer(groups), "axis": .integer(axis), "epsilon": .number(epsilon),
        ])
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            groups: try configuration.integer("groups"), axis: try configuration.integer("axis"),
            epsilon: try configuration.number("epsilon"), arguments: try ScaleArguments(&configuration),
            name: name)
    }
}
