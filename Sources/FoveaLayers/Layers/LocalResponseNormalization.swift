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
/// - Throws: `ShapeError` when there are no channels or more than 4096, when the radius, alpha or beta is negative, or when the
///   bias is not positive.
public final class LocalResponseNormalization: UnaryLayer {
    public static let typeName = "LocalResponseNormalization"
    public let name: String?
    public let depthRadius: Int
    public let bias: Double
    public let alpha: Double
    public let beta: Double

    /// The sums are taken with a matrix of this many squared numbers.
    private static let channelLimit = 4096

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
        guard input.rank >= 2, input.channels <= Self.channelLimit else {
            throw error("it works on [batch, …, channels] with at most \(Self.channelLimit) channels", input)
        }
        guard depthRadius >= 0 else {
            throw error("depthRadius must not be negative, not \(depthRadius)", input)
        }
        guard Float(bias) > 0, Float(bias).isFinite else {
            throw error("bias must be positive and finite, not \(bias)", input)
        }
        try checkNotNegative(alpha, "alpha", input)
        try checkNotNegative(beta, "beta", input)
        try scope.addConstant(input.channels * input.channels)
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        // A product with a band of ones sums each channel's neighbours; on the CPU that is several times faster than a pooling
        // along the channels.
        let channels = x.shape.channels
        let band = (0..<channels * channels).map { place -> Float in
            abs(place / channels - place % channels) <= depthRadius ? 1 : 0
        }
        let neighbours = Tensor.constant(try TensorValue(shape: [channels, channels], band))
        let divisor = try Tensor.matmul(x * x, neighbours) * Float(alpha) + Float(bias)
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
