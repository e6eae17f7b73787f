import FoveaGraph

/// A function applied to the output of a layer. The raw value is Keras's name for it.
///
/// Each is composed of operations of the graph, which also give its gradient. Values and gradients are finite
/// for every finite input.
public enum ActivationFunction: String, Hashable, Sendable, CaseIterable {
    /// `x`
    case linear
    /// `max(x, 0)`
    case relu
    /// `1 / (1 + exp(-x))`
    case sigmoid
    case tanh
    /// `exp(xᵢ) / Σⱼ exp(xⱼ)` over the last axis
    case softmax
    /// `x` where positive, else `exp(x) - 1`. Clevert et al. 2015, arXiv:1511.07289, with α = 1.
    case elu
    /// `x · (1 + erf(x / √2)) / 2`, the exact form. Hendrycks and Gimpel 2016, arXiv:1606.08415.
    case gelu
    /// `x` where positive, else `0.2 · x`. Maas et al. 2013, "Rectifier nonlinearities improve neural network
    /// acoustic models". The slope is that of Keras's activation function; Keras's layer LeakyReLU has 0.3.
    case leakyRelu = "leaky_relu"
    /// `x · sigmoid(x)`. Ramachandran et al. 2017, arXiv:1710.05941; also called SiLU.
    case swish = "silu"
    /// `log(1 + exp(x))`
    case softplus

    /// The function of each element of a floating-point tensor (of each row, for softmax).
    public func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
        switch self {
        case .linear: return x
        case .relu: return try x.relu()
        case .sigmoid: return try x.sigmoid()
        case .tanh: return try x.tanh()
        case .softmax: return try x.softmax()
        // exp sees no positive number, so it cannot overflow.
        case .elu: return try x.relu() + (Tensor.minimum(x, 0).exp() - 1)
        case .gelu: return try x * 0.5 * ((x * Float(0.5.squareRoot())).unary(.erf) + 1)
        case .leakyRelu: return try .select(x.greater(0), x, x * 0.2)
        case .swish: return try x * x.sigmoid()
        // max(x, 0) + log1p(exp(-|x|)). Written with min and relu, -|x| has derivative 1 at 0 instead of 0,
        // and so the derivative of the whole is 1/2 there, as it must be.
        case .softplus:
            let positive = try x.relu()
            let minusMagnitude = try Tensor.minimum(x, 0) - positive
            return try positive + minusMagnitude.exp().unary(.log1p)
        }
    }
}
