import FoveaGraph

/// Scales each example to length 1 over some of its axes: `y = x / max(√(Σ x²), 1e-12)`.
///
/// - Input and output: `[batch, …]`.
/// - Throws: `ShapeError` for an axis that an example lacks, and for an axis named twice.
public final class UnitNormalization: UnaryLayer {
    public static let typeName = "UnitNormalization"
    public let name: String?
    public let axes: [Int]

    /// - Parameters:
    ///   - axes: over which the length is taken; -1 is the last. Not 0, the batch.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(axes: [Int] = [-1], name: String? = nil) {
        self.axes = axes
        self.name = name
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        try x.scaledToUnitLength(axes: exampleAxes(axes, of: x.shape))
    }

    public var configuration: Configuration { ["axis": .list(axes.map { .integer($0) })] }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(axes: try configuration.integers("axis"), name: name)
    }
}

extension Tensor {
    /// `self / max(√(Σ self²), 1e-12)`
    func scaledToUnitLength(axes: [Int]) throws(ShapeError) -> Tensor {
        // The limit is that of the square, so that the gradient of zeros is finite.
        try self * Tensor.maximum((self * self).sum(axes: axes, keepDims: true), 1e-24).unary(.rsqrt)
    }
}

/// Scales each example to a mean square of 1 over some of its axes, then by what the layer has learned:
/// `y = x / √(mean(x²) + epsilon) · scale`. Zhang and Sennrich 2019, arXiv:1910.07467.
///
/// PyTorch's default epsilon is float32's least step at 1, 1.2e-7.
///
/// - Input and output: `[batch, …]`.
/// - Parameters: `scale`, of the extents of the normalized axes.
/// - Throws: `ShapeError` for an axis that an example lacks, for an axis named twice and for an epsilon that is not positive.
public final class RMSNormalization: UnaryLayer {
    public static let typeName = "RMSNormalization"
    public let name: String?
    public let axes: [Int]
    public let epsilon: Double
    public let scale = Parameter("scale", initializer: .ones)
    public var ownParameters: [Parameter] { [scale] }

    /// - Parameters:
    ///   - axes: over which the mean is taken; -1 is the last. Not 0, the batch.
    ///   - epsilon: keeps zeros from being divided by zero.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(axes: [Int] = [-1], epsilon: Double = 1e-6, name: String? = nil) {
        self.axes = axes
        self.epsilon = epsilon
        self.name = name
    }

    public func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {
        try checkEpsilon(epsilon, input)
        let extents = try exampleAxes(axes, of: input).map { input[$0] }
        try scale.declare(shape: Shape(extents), in: &scope)
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        let places = try exampleAxes(axes, of: x.shape)
        let others = (0..<x.shape.rank).filter { !places.contains($0) }
        let square = try (x * x).mean(axes: places, keepDims: true)
        let learned = try scale.tensor.reshaped(to: x.shape.reduced(over: others, keepDims: true))
        return try x * (square + Float(epsilon)).unary(.rsqrt) * learned
    }

    public var configuration: Configuration {
        ["axis": .list(axes.map { .integer($0) }), "epsilon": .number(epsilon)]
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            axes: try configuration.integers("axis"), epsilon: try configuration.number("epsilon"),
            name: name)
    }
}
