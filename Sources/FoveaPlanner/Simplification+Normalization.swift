import FoveaGraph

extension BoundGraph {
    /// Moves the channels of what is normalized over another axis to the last one, where the kernel wants them.
    func withChannelsLastInNormalization() throws -> BoundGraph {
        try rewritten { tensor, inputs in
            let unchanged = { Tensor(known: tensor.operation, inputs, tensor.node.type) }
            guard let rank = inputs.first?.shape.rank else { return unchanged() }
            let last = rank - 1
            let (axis, operation): (Int, Operation)
            switch tensor.operation {
            case .batchNorm(let rule):
                (axis, operation) = (rule.axis, .batchNorm(rule.over(last)))
            case .batchNormGradient(let rule):
                let moved = BatchNormGradient(rule.result, of: rule.forward.over(last))
                (axis, operation) = (rule.axis, .batchNormGradient(moved))
            default: return unchanged()
            }
            if axis == last { return unchanged() }
            let order = (0...last).filter { $0 != axis } + [axis]
            var moved = inputs
            // The images, and the gradient that has their shape.
            for place in inputs.indices where place % 3 == 0 {
                moved[place] = try inputs[place].transposed(order)
            }
            let result = try Tensor(operation, moved)
            guard result.shape.rank > 1 else { return result }
            return try result.transposed((0...last).map { order.firstIndex(of: $0)! })
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

    fileprivate func over(_ axis: Int) -> BatchNorm {
        BatchNorm(result, axis: axis, epsilon: epsilon, isRectified: isRectified)
    }
}
