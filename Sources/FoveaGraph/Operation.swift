/// What a node does. Every layer, loss and optimizer is composed of these.
///
/// Each operation's shape rule, gradient rule and reference implementation stand together in one type in the folder
/// `Operations`; `rule` leads to it.
public enum Operation: Hashable, Sendable {
    case source(Source)

    case unary(Unary)
    case binary(Binary)
    case comparison(Comparison)
    case select(Select)
    case cast(Cast)

    case reduction(Reduction)
    case argMax(ArgMax)

    case reshape(Reshape)
    case transpose(Transpose)
    case broadcast(Broadcast)
    case slice(Slice)
    case pad(Pad)
    case concatenate(Concatenate)

    case oneHot(OneHot)
    case gather(Gather)
    case scatterAdd(ScatterAdd)

    case matmul(MatMul)
    case convolution(Convolution)
    case convolutionInputGradient(ConvolutionInputGradient)
    case convolutionKernelGradient(ConvolutionKernelGradient)
    case maxPool(MaxPool)
    case maxPoolGradient(MaxPoolGradient)
    case averagePool(AveragePool)
    case averagePoolGradient(AveragePoolGradient)

    case softmax(Softmax)
    case batchNorm(BatchNorm)
    case batchNormGradient(BatchNormGradient)
    case random(Random)

    case attachment(Attachment)

    /// The operation's rules.
    public var rule: any OperationRule {
        switch self {
        case .source(let rule): rule
        case .unary(let rule): rule
        case .binary(let rule): rule
        case .comparison(let rule): rule
        case .select(let rule): rule
        case .cast(let rule): rule
        case .reduction(let rule): rule
        case .argMax(let rule): rule
        case .reshape(let rule): rule
        case .transpose(let rule): rule
        case .broadcast(let rule): rule
        case .slice(let rule): rule
        case .pad(let rule): rule
        case .concatenate(let rule): rule
        case .oneHot(let rule): rule
        case .gather(let rule): rule
        case .scatterAdd(let rule): rule
        case .matmul(let rule): rule
        case .convolution(let rule): rule
        case .convolutionInputGradient(let rule): rule
        case .convolutionKernelGradient(let rule): rule
        case .maxPool(let rule): rule
        case .maxPoolGradient(let rule): rule
        case .averagePool(let rule): rule
        case .averagePoolGradient(let rule): rule
        case .softmax(let rule): rule
        case .batchNorm(let rule): rule
        case .batchNormGradient(let rule): rule
        case .random(let rule): rule
        case .attachment(let rule): rule
        }
    }

    /// The same operation once the batch size is known: shapes held as attributes become fixed.
    public func bound(batch: Int) -> Operation {
        switch self {
        case .source(.elementCount(let shape)):
            .source(.constant(TensorValue(Float(shape.bound(batch: batch).elementCount))))
        case .reshape(let rule): .reshape(Reshape(shape: rule.shape.bound(batch: batch)))
        case .broadcast(let rule): .broadcast(Broadcast(shape: rule.shape.bound(batch: batch)))
        case .slice(let rule):
            .slice(
                Slice(starts: rule.starts, extents: rule.extents.bound(batch: batch), strides: rule.strides))
        case .random(let rule):
            .random(Random(rule.distribution, shape: rule.shape.bound(batch: batch), stream: rule.stream))
        default: self
        }
    }
}

/// What the framework must know of an operation.
public protocol OperationRule: Hashable, Sendable {
    /// The name shown in plans and errors.
    var name: String { get }

    /// The type of the result, or why the inputs do not fit.
    func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType

    /// Given `upstream`, the gradient of some scalar with respect to `output`, the gradients of that scalar with
    /// respect to each input; `nil` where the output does not depend on the input smoothly.
    func gradients(inputs: [Tensor], output: Tensor, upstream: Tensor) throws -> [Tensor?]

    /// The result for given inputs in plain Swift, sums in `Double`: the definition that backends are tested
    /// against. Called with a bound operation only.
    func evaluate(_ inputs: [TensorValue], _ type: TensorType) throws -> TensorValue
}

extension OperationRule {
    func error(_ message: String, _ inputs: [TensorType]) -> ShapeError {
        ShapeError(name, message, shapes: inputs.map(\.shape))
    }

    /// Checks the number of inputs, which only a damaged file can get wrong.
    func expect(_ count: Int, _ inputs: [TensorType]) throws(ShapeError) {
        if inputs.count != count { throw error("needs \(count) inputs, not \(inputs.count)", inputs) }
    }
}

/// Where values enter a graph.
public enum Source: OperationRule {
    case input(name: String)
    case constant(TensorValue)
    case variable(Variable)
    case isTraining
    case randomKey
    /// The element count of a shape that contains the batch size.
    case elementCount(Shape)

    public var name: String {
        switch self {
        case .input(let name): "input '\(name)'"
        case .constant: "constant"
        case .variable(let variable): "variable '\(variable.name)'"
        case .isTraining: "isTraining"
        case .randomKey: "randomKey"
        case .elementCount: "elementCount"
        }
    }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        throw error("a source states its type; it has none to infer", inputs)
    }

    public func gradients(inputs: [Tensor], output: Tensor, upstream: Tensor) -> [Tensor?] { [] }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) throws -> TensorValue {
        throw ShapeError(name, "the value of a source comes from outside the graph")
    }
}
