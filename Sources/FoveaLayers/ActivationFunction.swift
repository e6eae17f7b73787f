import FoveaGraph

/// A function applied to the output of a layer. The raw value is Keras's name for it.
///
/// Each is composed of operations of the graph, which also give its gradient. Values and gradients are finite for every finite
/// input, but for those of `exponential`, which float32 cannot hold beyond `x = 88.7`. Where two pieces of a function meet, the
/// derivative is that of Keras with TensorFlow unless said: 0 at 0 for `relu`, at 0 and 6 for `relu6`.
public enum ActivationFunction: String, Hashable, Sendable, CaseIterable {
    /// `x`
    case linear
    /// `max(x, 0)`
    case relu
    /// `min(max(x, 0), 6)`. Howard et al. 2017, arXiv:1704.04861.
    case relu6
    /// `x` where positive, else `0.2 · x`, with the derivative 0.2 at 0. Maas et al. 2013, "Rectifier nonlinearities improve neural network
    /// acoustic models". The slope is that of Keras's activation function; Keras's layer LeakyReLU has 0.3.
    case leakyRelu = "leaky_relu"
    /// `x` where positive, else `exp(x) - 1`. Clevert et al. 2015, arXiv:1511.07289, with α = 1.
    case elu
    /// `1.0507 · x` where positive, else `1.0507 · 1.6733 · (exp(x) - 1)`; keeps mean 0 and variance 1 from layer to layer
    /// where weights are drawn by `.lecunNormal`. The derivative at 0 is 1.0507. Klambauer et al. 2017, arXiv:1706.02515.
    case selu
    /// `max(x, 0) + min(α · (exp(x / α) - 1), 0)` with α = 1, where it equals `elu`. Barron 2017, arXiv:1704.07483. At 0 the
    /// derivative is 1, as on both sides; Keras with TensorFlow says 2, since it counts both pieces there.
    case celu
    /// `x · (1 + erf(x / √2)) / 2`, the exact form. Hendrycks and Gimpel 2016, arXiv:1606.08415.
    case gelu
    /// `x · (1 + tanh(√(2/π) · (x + 0.044715 · x³))) / 2`, which Keras calls `gelu` with `approximate=True`.
    case geluTanh = "gelu_tanh"
    /// `x · sigmoid(x)`. Ramachandran et al. 2017, arXiv:1710.05941; also called SiLU.
    case swish = "silu"
    /// `log(1 + exp(x))`
    case softplus
    /// `x / (1 + |x|)`
    case softsign
    /// `1 / (1 + exp(-x))`
    case sigmoid
    /// `log(sigmoid(x))`
    case logSigmoid = "log_sigmoid"
    /// `min(max(x + 3, 0), 6) / 6`, with the derivative 0 at ±3
    case hardSigmoid = "hard_sigmoid"
    /// `x · hardSigmoid(x)`. Howard et al. 2019, arXiv:1905.02244; also called hard swish.
    case hardSwish = "hard_silu"
    case tanh
    /// `min(max(x, -1), 1)`, with the derivative 1 at ±1
    case hardTanh = "hard_tanh"
    /// `exp(x)`
    case exponential
    /// `x · tanh(softplus(x))`. Misra 2019, arXiv:1908.08681.
    case mish
    /// `exp(xᵢ) / Σⱼ exp(xⱼ)` over the last axis
    case softmax
    /// `log(softmax(x))`
    case logSoftmax = "log_softmax"

    /// The function of each element of a floating-point tensor (of each row, for the two kinds of softmax).
    public func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
        switch self {
        case .linear: return x
        case .relu: return try x.relu()
        case .relu6: return try x.relu6()
        case .leakyRelu: return try x.leakyRelu(slope: 0.2)
        case .elu, .celu: return try x.elu(alpha: 1)
        // The constants make mean 0 and variance 1 a fixed point.
        case .selu:
            let below = try x.negativeElu(alpha: 1.673_263_242_354_377_3)
            return try .select(x.greaterOrEqual(0), x, below) * 1.050_700_987_355_480_5
        case .gelu: return try x * 0.5 * ((x * Float(0.5.squareRoot())).unary(.erf) + 1)
        case .geluTanh: return try x.tanhGelu()
        case .swish: return try x * x.sigmoid()
        case .softplus: return try x.softplus()
        case .softsign: return try x / (x.unary(.abs) + 1)
        case .sigmoid: return try x.sigmoid()
        case .logSigmoid: return try x.negated().softplus().negated()
        case .hardSigmoid: return try x.hardSigmoid()
        case .hardSwish: return try x * x.hardSigmoid()
        case .tanh: return try x.tanh()
        case .hardTanh: return try .minimum(.maximum(x, -1), 1)
        case .exponential: return try x.exp()
        case .mish: return try x * x.softplus().tanh()
        case .softmax: return try x.softmax()
        case .logSoftmax: return try x.logSoftmax()
        }
    }
}

extension Tensor {
    func leakyRelu(slope: Float) throws(ShapeError) -> Tensor { try .select(greater(0), self, self * slope) }

    /// Of two equal numbers the first takes the gradient, so that none flows at 6.
    func relu6() throws(ShapeError) -> Tensor { try .minimum(.filled(6, shape, dtype), relu()) }

    func elu(alpha: Float) throws(ShapeError) -> Tensor { try relu() + negativeElu(alpha: alpha) }

    /// `alpha · (exp(x) - 1)` where negative, else 0, with the derivative alpha at 0. The exponential sees no positive number,
    /// so it cannot overflow.
    fileprivate func negativeElu(alpha: Float) throws(ShapeError) -> Tensor {
        try Tensor.minimum(self, 0).unary(.expm1) * alpha
    }

    /// `max(x, 0) + log1p(exp(-|x|))`. Written with min and relu, `-|x|` has derivative 1 at 0 instead of 0, and so the
    /// derivative of the whole is 1/2 there, as it must be.
    fileprivate func softplus() throws(ShapeError) -> Tensor {
        let positive = try relu()
        let minusMagnitude = try Tensor.minimum(self, 0) - positive
        return try positive + minusMagnitude.exp().unary(.log1p)
    }

    fileprivate func hardSigmoid() throws(ShapeError) -> Tensor {
        try (self + 3).relu6() * (1 / 6)
    }

    /// Half of `1 + tanh(z)` is `sigmoid(2z)`, which keeps its precision where it is small. Beyond ±20 it is 0 or 1, and the
    /// cube must not overflow.
    fileprivate func tanhGelu() throws(ShapeError) -> Tensor {
        let x = try Tensor.minimum(.maximum(self, -20), 20)
        let z = try (x + x * x * x * 0.044715) * Float((8 / Double.pi).squareRoot())
        return try self * z.sigmoid()
    }
}
