import FoveaGraph

extension BoundGraph {
    /// Batch normalisation that no kernel does, as moments and elementwise work.
    ///
    /// - Parameter isPossible: whether there is a kernel for images of a shape whose last axis is that of the channels.
    func withComposedNormalization(unless isPossible: (Shape) -> Bool) throws -> BoundGraph {
        try rewritten { tensor, inputs in
            switch tensor.operation {
            case .batchNorm(let rule):
                if rule.axis != inputs[0].shape.rank - 1 || !isPossible(inputs[0].shape) {
                    return try rule.composed(inputs)
                }
            case .batchNormGradient(let rule):
                if rule.axis != inputs[0].shape.rank - 1 || !isPossible(inputs[0].shape) {
                    return try rule.composed(inputs)
                }
            default: break
            }
            return Tensor(known: tensor.operation, inputs, tensor.node.type)
        }
    }

    /// Joins batch normalisation with the ReLU that alone reads it, in both directions of training.
    func withRectifiedNormalization() throws -> BoundGraph {
        var readers: [Tensor: Int] = [:]
        for tensor in topologicalOrder(of: roots) {
            for input in tensor.inputs { readers[input, default: 0] += 1 }
        }
        for root in roots { readers[root, default: 0] += 1 }

        return try rewritten { tensor, inputs in
            let unchanged = { Tensor(known: tensor.operation, inputs, tensor.node.type) }
            switch tensor.operation {
            case .unary(.relu):
                // relu(y)
                guard case .batchNorm(let rule) = inputs[0].operation, rule.result == .normalized,
                    readers[tensor.inputs[0]] == 1
                else { return unchanged() }
                return try Tensor(.batchNorm(rule.rectified), inputs[0].inputs)

            case .batchNormGradient(let rule):
                // The gradient for g = select(r > 0, upstream, 0), with r = relu(y) already joined.
                let g = inputs[3]
                guard case .select = g.operation, case .comparison(.greater) = g.inputs[0].operation,
                    splat(g.inputs[0].inputs[1]) == 0, splat(g.inputs[2]) == 0,
                    case let r = g.inputs[0].inputs[0], r.inputs == Array(inputs[..<3]),
                    r.operation == .batchNorm(rule.forward.rectified)
                else { return unchanged() }
                let rectified = BatchNormGradient(rule.result, of: rule.forward.rectified)
                return try Tensor(
                    .batchNormGradient(rectified), Array(inputs[..<3]) + [g.inputs[1]])

            default: return unchanged()
            }
        }
    }
}

extension BatchNorm {
    fileprivate var rectified: BatchNorm {
        BatchNorm(result, axis: axis, epsilon: epsilon, isRectified: true)
    }
}
