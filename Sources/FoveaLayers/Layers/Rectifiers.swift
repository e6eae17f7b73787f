import FoveaGraph

/// The rectifier, `max(x, 0)`, with a ceiling, a slope and a threshold where asked for:
///
/// - `maxValue` where `x ≥ maxValue`,
/// - `x` where `threshold < x < maxValue`,
/// - `negativeSlope · (x - threshold)` elsewhere.
///
/// Where these meet, the derivative is that of Keras with TensorFlow. At the threshold it is 0, but `negativeSlope` without
/// ceiling and threshold; at the ceiling it is 1, but 0 with `maxValue` 6 and no threshold, which is `relu6`.
///
/// Nair and Hinton 2010, "Rectified linear units improve restricted Boltzmann machines".
///
/// - Input and output: any shape.
/// - Throws: `ShapeError` when a setting is negative or not finite.
public final class ReLU: UnaryLayer {
    public static let typeName = "ReLU"
    public let name: String?
    public let maxValue: Double?
    public let negativeSlope: Double
    public let threshold: Double

    /// - Parameters:
    ///   - maxValue: the largest output; none when nil.
    ///   - negativeSlope: the slope below the threshold.
    ///   - threshold: above which the input passes.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(
        maxValue: Double? = nil, negativeSlope: Double = 0, threshold: Double = 0, name: String? = nil
    ) {
        self.maxValue = maxValue
        self.negativeSlope = negativeSlope
        self.threshold = threshold
        self.name = name
    }

    public func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {
        try checkNotNegative(maxValue ?? 0, "maxValue", input)
        try checkNotNegative(negativeSlope, "negativeSlope", input)
        try checkNotNegative(threshold, "threshold", input)
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        let (slope, threshold) = (Float(negativeSlope), Float(threshold))
        if slope != 0, threshold == 0, maxValue == nil { return try x.leakyRelu(slope: slope) }
        var y =
            threshold == 0 ? try x.relu() : try .select(x.greater(threshold), x, .filled(0, x.shape, x.dtype))
        if let maxValue {
            y = threshold == 0 && maxValue == 6 ? try x.relu6() : try .minimum(y, Float(maxValue))
        }
        return slope == 0 ? y : try y - (threshold - x).relu() * slope
    }

    public var configuration: Configuration {
        [
            "max_value": maxValue.map { .number($0) } ?? .null, "negative_slope": .number(negativeSlope),
            "threshold": .number(threshold),
        ]
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            maxValue: try configuration.optionalNumber("max_value"),
            negativeSlope: try configuration.number("negative_slope"),
            threshold: try configuration.number("threshold"), name: name)
    }
}

extension Layer {
    func checkNotNegative(_ setting: Double, _ name: String, _ shape: Shape) throws(ShapeError) {
        guard setting >= 0, Float(setting).isFinite else {
            throw error("\(name) must be finite and not negative, not \(setting)", shape)
        }
    }
}

/// The rectifier with a fixed slope for negative numbers: `x` where positive, else `negativeSlope · x`. Maas et al. 2013,
/// "Rectifier nonlinearities improve neural network acoustic models". The derivative at 0 is `negativeSlope`, as in Keras.
///
/// - Input and output: any shape.
/// - Throws: `ShapeError` when the slope is negative or not finite.
public final class LeakyReLU: UnaryLayer {
    public static let typeName = "LeakyReLU"
    public let name: String?
    public let negativeSlope: Double

    /// - Parameters:
    ///   - negativeSlope: the slope for negative numbers. 0.3 is the default of Keras's layer; that of its activation function
    ///     is 0.2, PyTorch's is 0.01.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(negativeSlope: Double = 0.3, name: String? = nil) {
        self.negativeSlope = negativeSlope
        self.name = name
    }

    public func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {
        try checkNotNegative(negativeSlope, "negativeSlope", input)
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        try x.leakyRelu(slope: Float(negativeSlope))
    }

    public var configuration: Configuration { ["negative_slope": .number(negativeSlope)] }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(negativeSlope: try configuration.number("negative_slope"), name: name)
    }
}

/// The rectifier with learned slopes for negative numbers: `x` where positive, else `alpha · x`. He et al. 2015, "Delving
/// deep into rectifiers", arXiv:1502.01852. The derivative at 0 is 0, as in Keras (PyTorch's is alpha).
///
/// - Input and output: `[batch, …]`.
/// - Parameters: `alpha`, of an example's shape with 1 for each shared axis.
/// - Throws: `ShapeError` when a shared axis is none of an example.
public final class PReLU: UnaryLayer {
    public static let typeName = "PReLU"
    public let name: String?
    public let sharedAxes: [Int]
    public let alpha: Parameter
    public var ownParameters: [Parameter] { [alpha] }

    /// - Parameters:
    ///   - sharedAxes: along which one slope serves all; `[1, 2]` gives images one slope for each channel. None unless said.
    ///   - alphaInitializer: first values of the slopes; PyTorch's is 0.25.
    ///   - alphaRegularizer: a penalty of the slopes, added to the loss.
    ///   - alphaConstraint: a rule that the slopes keep to after each step of training.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(
        sharedAxes: [Int] = [], alphaInitializer: Initializer = .zeros,
        alphaRegularizer: Regularizer? = nil, alphaConstraint: Constraint? = nil, name: String? = nil
    ) {
        self.sharedAxes = sharedAxes
        self.name = name
        alpha = Parameter(
            "alpha", initializer: alphaInitializer, regularizer: alphaRegularizer,
            constraint: alphaConstraint)
    }

    public func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {
        var shape = Shape(Array(input.dimensions.dropFirst()))
        for axis in sharedAxes { shape[try exampleAxis(axis, of: input) - 1] = 1 }
        try alpha.declare(shape: shape, in: &scope)
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        try x.relu() - alpha.tensor * x.negated().relu()
    }

    public var configuration: Configuration {
        var settings: Configuration = [
            "alpha_initializer": alpha.initializer.configuration,
            "shared_axes": .list(sharedAxes.map { .integer($0) }),
        ]
        settings["alpha_regularizer"] = alpha.regularizer?.configuration
        settings["alpha_constraint"] = alpha.constraint?.configuration
        return settings
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            sharedAxes: try configuration.integers("shared_axes"),
            alphaInitializer: try configuration.initializer("alpha_initializer"),
            alphaRegularizer: try configuration.regularizer("alpha_regularizer"),
            alphaConstraint: try configuration.constraint("alpha_constraint"), name: name)
    }
}

/// The exponential linear unit: `x` where positive, else `alpha · (exp(x) - 1)`. Clevert et al. 2015, arXiv:1511.07289. The
/// derivative at 0 is alpha, as in Keras.
///
/// - Input and output: any shape.
/// - Throws: `ShapeError` when alpha is negative or not finite.
public final class ELU: UnaryLayer {
    public static let typeName = "ELU"
    public let name: String?
    public let alpha: Double

    /// - Parameters:
    ///   - alpha: what negative numbers tend to, with the sign changed.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(alpha: Double = 1, name: String? = nil) {
        self.alpha = alpha
        self.name = name
    }

    public func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {
        try checkNotNegative(alpha, "alpha", input)
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor { try x.elu(alpha: Float(alpha)) }

    public var configuration: Configuration { ["alpha": .number(alpha)] }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(alpha: try configuration.number("alpha"), name: name)
    }
}
