/// The first input unchanged, with something on the side that every graph which uses the result must also do.
///
/// That is how a layer changes state of its own, such as moving averages, or adds to the loss, while all it returns is its
/// output: whoever compiles a graph that contains the output gets the rest with it. Binding removes the operation.
///
/// Inputs: the value, and what comes along: a variable's next value or a scalar.
public struct Attachment: OperationRule {
    public enum Kind: Hashable, Sendable {
        /// After a run in training mode, the variable holds what the second input had in that run.
        case update(Variable)
        /// The second input is a term of the loss that the model itself adds.
        case loss
    }

    public let kind: Kind
    public init(_ kind: Kind) { self.kind = kind }

    public var name: String {
        switch kind {
        case .update(let variable): "update of '\(variable.name)'"
        case .loss: "added loss"
        }
    }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try expect(2, inputs)
        switch kind {
        case .update(let variable):
            guard inputs[1] == variable.type else {
                throw error("the variable holds \(variable.type), its new value is \(inputs[1])", inputs)
            }
        case .loss:
            guard inputs[1] == TensorType(.scalar, .float32) else {
                throw error("needs a float32 scalar, not \(inputs[1]); take the sum or mean first", inputs)
            }
        }
        return inputs[0]
    }

    /// An added loss is differentiated as part of the total loss, where it is added.
    public func gradients(inputs: [Tensor], output: Tensor, upstream: Tensor) -> [Tensor?] {
        [upstream, nil]
    }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) -> TensorValue { inputs[0] }
}

extension Tensor {
    /// This tensor; and after every run in training mode of a graph that contains it, `variable` holds what `value` had in
    /// that run. Several updates of one variable follow each other in the order of the graph.
    ///
    /// - Throws: `ShapeError` when the value's type is not the variable's.
    public func updating(_ variable: Variable, to value: Tensor) throws(ShapeError) -> Tensor {
        try Tensor(.attachment(Attachment(.update(variable))), [self, value])
    }

    /// This tensor; and `loss`, a float32 scalar, is one of the `addedLosses` of every graph that contains it.
    ///
    /// - Throws: `ShapeError` when the loss is no float32 scalar.
    public func adding(loss: Tensor) throws(ShapeError) -> Tensor {
        try Tensor(.attachment(Attachment(.loss)), [self, loss])
    }
}

/// The variables that layers update in training when they make these outputs, in the order of the graph.
public func updatedVariables(of outputs: [Tensor]) -> [Variable] {
    var seen = Set<Variable>()
    return topologicalOrder(of: outputs).compactMap { tensor in
        guard case .attachment(let rule) = tensor.operation, case .update(let variable) = rule.kind else {
            return nil
        }
        return seen.insert(variable).inserted ? variable : nil
    }
}

/// The terms that layers add to the loss of a model with these outputs, such as penalties of activities. Add them to the
/// scalar that is minimised.
public func addedLosses(of outputs: [Tensor]) -> [Tensor] {
    topologicalOrder(of: outputs).compactMap { tensor in
        if case .attachment(Attachment(.loss)) = tensor.operation { tensor.inputs[1] } else { nil }
    }
}

/// The same tensors without what layers attached to their outputs, and the updates that were attached to anything that these
/// are made of: for a graph that computes the new values and leaves it to another one to assign them.
package func detached(_ tensors: [Tensor]) throws -> (tensors: [Tensor], updates: [Update]) {
    var rewriter = GraphRewriter()
    var attached: [(variable: Variable, value: Tensor)] = []
    rewriter.visit(tensors) { tensor, inputs in
        if case .attachment(let rule) = tensor.operation {
            if case .update(let variable) = rule.kind { attached.append((variable, inputs[1])) }
            return inputs[0]
        }
        return inputs == tensor.inputs
            ? tensor : Tensor(known: tensor.operation, inputs, tensor.node.type)
    }
    return (tensors.map { rewriter[$0] }, try successiveUpdates(attached))
}

/// One update for each variable. One that follows another of the same variable starts from its result, as if the layer's calls
/// had run in turn.
func successiveUpdates(_ attached: [(variable: Variable, value: Tensor)]) throws -> [Update] {
    var last: [Variable: Tensor] = [:]
    for (variable, value) in attached {
        guard let previous = last[variable] else {
            last[variable] = value
            continue
        }
        var rewriter = GraphRewriter()
        try rewriter.visit([value]) { tensor, inputs in
            if case .source(.variable(variable)) = tensor.operation { return previous }
            return inputs == tensor.inputs ? tensor : try Tensor(tensor.operation, inputs)
        }
        last[variable] = rewriter[value]
    }
    var seen = Set<Variable>()
    return try attached.compactMap { variable, _ in
        guard seen.insert(variable).inserted, let value = last[variable] else { return nil }
        return try Update(variable, to: value)
    }
}
