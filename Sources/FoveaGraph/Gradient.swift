import FoveaFiles

/// A gradient was asked for that does not exist.
public struct GradientError: Error, Hashable, Sendable, CustomStringConvertible {
    public let operation: String
    public let reason: String

    public init(operation: String, reason: String) {
        self.operation = operation
        self.reason = reason
    }

    public var description: String { visible("gradient of \(operation): \(reason)") }
}

/// Another derivative than an operation's own: given a tensor and the gradient of the scalar with respect to it, the gradients
/// with respect to the tensor's inputs, one for each, nil where there is none; or nil as a whole for the operation's own rule.
public typealias GradientRule = (_ tensor: Tensor, _ upstream: Tensor) throws -> [Tensor?]?

/// The gradient of a scalar with respect to each of `tensors`, as a graph: it can be compiled, combined and
/// differentiated again.
///
/// Reverse accumulation: from `scalar` back through the graph, each operation's gradient rule turns the gradient of its
/// output into gradients of its inputs, and contributions of several uses are added.
///
/// - Parameters:
///   - scalar: a float32 tensor with one element.
///   - tensors: inputs, variables (`Tensor(variable)`) or anything between; where the scalar does not depend on one, its
///     gradient is zero. A variable stands for every node that reads it.
///   - rule: asked first at every operation on the way, for what is not quite a gradient, such as guided back-propagation.
/// - Throws: `GradientError` when the scalar has more than one element, an operation on the way has no derivative, or `rule`
///   gives another number of gradients than there are inputs; what `rule` throws.
public func gradient(
    of scalar: Tensor, withRespectTo tensors: [Tensor], rule: GradientRule = { _, _ in nil }
) throws -> [Tensor] {
    guard scalar.shape.elementCount == 1, scalar.dtype == .float32 else {
        throw GradientError(
            operation: scalar.operation.rule.name,
            reason:
                "only a float32 scalar has a gradient here, not \(scalar.node.type); take the sum or mean first"
        )
    }
    let wanted = Set(tensors.map(DifferentiationTarget.init))
    let order = topologicalOrder(of: [scalar])

    // Only what depends on a wanted tensor takes part.
    var depends = Set<Tensor>()
    for tensor in order
    where wanted.contains(DifferentiationTarget(tensor)) || tensor.inputs.contains(where: depends.contains) {
        depends.insert(tensor)
    }

    var upstream: [Tensor: Tensor] = [scalar: .filled(1, scalar.shape)]
    var results: [DifferentiationTarget: Tensor] = [:]
    for tensor in order.reversed() where depends.contains(tensor) {
        guard let gradient = upstream[tensor] else { continue }
        let target = DifferentiationTarget(tensor)
        if wanted.contains(target) {
            results[target] = try results[target].map { try $0 + gradient } ?? gradient
        }
        guard tensor.inputs.contains(where: depends.contains) else { continue }
        let contributions: [Tensor?]
        if let others = try rule(tensor, gradient) {
            guard others.count == tensor.inputs.count else {
                throw GradientError(
                    operation: tensor.operation.rule.name,
                    reason: "the rule gave \(others.count) gradients for \(tensor.inputs.count) inputs")
            }
            contributions = others
        } else {
            contributions = try tensor.operation.rule.gradients(
                inputs: tensor.inputs, output: tensor, upstream: gradient)
        }
        for (input, contribution) in zip(tensor.inputs, contributions) where depends.contains(input) {
            guard let contribution else { continue }
            upstream[input] = try upstream[input].map { try $0 + contribution } ?? contribution
        }
    }
    return tensors.map { results[DifferentiationTarget($0)] ?? .filled(0, $0.shape, $0.dtype) }
}

/// What two tensors must share to have one gradient: being one node, or reading one variable.
private struct DifferentiationTarget: Hashable {
    let identity: ObjectIdentifier

    init(_ tensor: Tensor) {
        if case .source(.variable(let variable)) = tensor.operation {
            identity = ObjectIdentifier(variable)
        } else {
            identity = ObjectIdentifier(tensor.node)
        }
    }
}

/// Every tensor that `outputs` depend on, each after its inputs; the same for the same graph on every run.
public func topologicalOrder(of outputs: [Tensor]) -> [Tensor] {
    var order: [Tensor] = []
    var visited = Set<Tensor>()
    // An explicit stack: graphs may be deeper than the call stack allows.
    var stack: [(tensor: Tensor, nextInput: Int)] = []
    for output in outputs where visited.insert(output).inserted {
        stack.append((output, 0))
        while let (tensor, next) = stack.last {
            if next < tensor.inputs.count {
                stack[stack.count - 1].nextInput += 1
                if visited.insert(tensor.inputs[next]).inserted { stack.append((tensor.inputs[next], 0)) }
            } else {
                order.append(tensor)
                stack.removeLast()
            }
        }
    }
    return order
}
