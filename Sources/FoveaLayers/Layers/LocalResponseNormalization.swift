import FoveaGraph

/// Makes each number smaller where its neighbours among the channels are large:
/// `yᵢ = xᵢ / (bias + alpha · Σ xⱼ²)^beta`, summed over the channels `j` from `i - depthRadius` to `i + depthRadius` as far as
/// they exist. Krizhevsky et al. 2012, "ImageNet classification with deep convolutional neural networks", section 3.3.
///
/// Arguments and defaults are those of TensorFlow's `local_response_normalization`. AlexNet has depth radius 2, bias 2, alpha
/// 1e-4 and beta 0.75. PyTorch and Caffe multiply alpha with the mean over the window, not with the sum: their alpha is
/// `2 · depthRadius + 1` times this one, and their size is that number.
///
/// - Input and output: `[batch, …, channels]`.
/// - Throws: `ShapeError` when there are no channels, when the radius, alpha or beta is negative, or when the bias is not
///   positive.
public final class LocalResponseNormalization: UnaryLayer {
    public static let typeName = "LocalResponseNormalization"
    public let name: String?
    public let depthRadius: Int
    public let bias: Double
    public let alpha: Double
    public let beta: Double

    /// - Parameters:
    ///   - depthRadius: how many channels on each side count.
    ///   - bias: keeps the divisor from zero; `k` in the paper.
    ///   - alpha: the factor of the sum of squares.
    ///   - beta: the exponent.
    ///   - name: the layer's name in its model; chosen by the model when nil.
    public init(
        depthRadius: Int = 5, bias: Double = 1, alpha: Double = 1, beta: Double = 0.5, name: String? = nil
    ) {
        self.depthRadius = depthRadius
        self.bias = bias
        self.alpha = alpha
        self.beta = beta
        self.name = name
    }

    public func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {
        guard input.rank >= 2 else { throw error("it works on [batch, …, channels]", input) }
        guard depthRadius >= 0 else {
            throw error("depthRadius must not be negative, not \(depthRadius)", input)
        }
        guard Float(bias) > 0, Float(bias).isFinite else {
            throw error("bias must be positive and finite, not \(bias)", input)
        }
        try checkNotNegative(alpha, "alpha", input)
        try checkNotNegative(beta, "beta", input)
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        // Sums over a window that moves along an axis are poolings of images that have the channels as their width.
        let channels = x.shape.channels
        let pixels = x.shape.dimensions.dropFirst().dropLast().reduce(1, *)
        let images = try (x * x).reshaped(to: [x.shape[0], pixels, channels, 1])
        // A radius beyond the last channel sees all of them and no more.
        let radius = min(depthRadius, channels - 1)
        let window = SlidingWindow(
            Size2D(1, 2 * radius + 1), strides: 1, padding: Padding2D(left: radius, right: radius))
        let sums = try images.averagePooled(window, countsPadding: true) * Float(2 * radius + 1)
        let divisor = try sums.reshaped(to: x.shape) * Float(alpha) + Float(bias)
        return try x * divisor.raised(to: Float(-beta))
    }

    public var configuration: Configuration {
        [
            "depth_radius": .integer(depthRadius), "bias": .number(bias), "alpha": .number(alpha),
            "beta": .number(beta),
        ]
    }

    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(
            depthRadius: try configuration.integer("depth_radius"), bias: try configuration.number("bias"),
            alpha: try configuration.number("alpha"), beta: try configuration.number("beta"), name: name)
    }
}
