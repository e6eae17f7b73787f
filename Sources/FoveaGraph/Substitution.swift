extension Tensor {
    /// The same tensors, made of `replacements` wherever they were made of the keys. What does not depend on a key stays as
    /// it is.
    ///
    /// - Parameters:
    ///   - replacements: for each tensor another one of the same type.
    ///   - tensors: the ends of the graph.
    package static func substituting(_ replacements: [Tensor: Tensor], in tensors: [Tensor]) -> [Tensor] {
        var results = replacements
        for tensor in topologicalOrder(of: tensors) where results[tensor] == nil {
            let inputs = tensor.inputs.map { results[$0] ?? $0 }
            if inputs != tensor.inputs {
                results[tensor] = Tensor(known: tensor.operation, inputs, tensor.node.type)
            }
        }
        return tensors.map { results[$0] ?? $0 }
    }
}
