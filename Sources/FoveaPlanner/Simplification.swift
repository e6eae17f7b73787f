import FoveaGraph

extension BoundGraph {
    /// The same values from fewer operations: known parts computed, neutral elements dropped, chains of movements joined.
    public func simplified() throws -> BoundGraph {
        try rewritten { tensor, inputs in
            try simplify(tensor.operation, inputs, tensor.node.type)
        }
    }

    /// Joins ReLU with the max-pooling behind it, in both directions of training. The largest of rectified elements is
    /// the rectified largest element, so results are equal, for a fraction of the elements.
    public func withRectifiedPooling() throws -> BoundGraph {
        try rewritten { tensor, inputs in
            let unchanged = { Tensor(known: tensor.operation, inputs, tensor.node.type) }
            switch tensor.operation {
            case .source: return tensor

            case .maxPool(let pool):
                // maxPool(relu(c))
                guard case .unary(.relu) = inputs[0].operation else { return unchanged() }
                return try Tensor(.maxPool(MaxPool(pool.window, isRectified: true)), inputs[0].inputs)

            case .select:
                // select(r > 0, maxPoolGradient(r, g), 0) with r = relu(c): nothing flows where the winner of a window is
                // not positive.
                guard case .comparison(.greater) = inputs[0].operation,
                    case .maxPoolGradient(let rule) = inputs[1].operation,
                    let rectified = Optional(inputs[0].inputs[0]), case .unary(.relu) = rectified.operation,
                    rectified == inputs[1].inputs[0], splat(inputs[0].inputs[1]) == 0,
                    splat(inputs[2]) == 0
                else { return unchanged() }
                return try Tensor(
                    .maxPoolGradient(MaxPoolGradient(rule.window, isRectified: true)),
                    [rectified.inputs[0], inputs[1].inputs[1]])

            default: return unchanged()
            }
        }
    }
}

extension BoundGraph {
    /// Kernels other than elementwise ones compute in float32: bfloat16 operands are widened, results rounded.
    public func withFloat32Kernels() throws -> BoundGraph {
        try rewritten { tensor, inputs in
            switch tensor.operation {
            case .matmul, .convolution, .convolutionInputGradient, .convolutionKernelGradient, .maxPool,
                .maxPoolGradient, .averagePool, .averagePoolGradient:
                guard tensor.dtype == .bfloat16 else { break }
                return try Tensor(tensor.operation, inputs.map { $0.cast(to: .float32) }).cast(to: .bfloat16)
            default: break
            }
            return Tensor(known: tensor.operation, inputs, tensor.node.type)
        }
    }
}

extension BoundGraph {
    /// One-hot vectors as comparisons with 0, 1, 2, …, which fuse with their neighbours.
    public func withOneHotAsComparison() throws -> BoundGraph {
        try rewritten { tensor, inputs in
            guard case .oneHot(let rule) = tensor.operation else {
                return Tensor(known: tensor.operation, inputs, tensor.node.type)
            }
            let classes = Tensor.constant(TensorValue((0..<Int32(rule.depth)).map { $0 }))
            let column = try inputs[0].reshaped(to: Shape(inputs[0].shape.dimensions + [1]))
            return try column.equal(classes).cast(to: rule.dtype)
        }
    }

    /// Results that would be the memory of an input, variable or constant as copies: that memory may change before the
    /// result is read.
    func withOwnedResults() throws -> BoundGraph {
        var graph = self
        func owned(_ tensor: Tensor) -> Tensor {
            guard case .source = Views().source(tensor).operation.family else { return tensor }
            return Tensor(known: .reshape(Reshape(shape: tensor.shape)), [tensor], tensor.node.type)
        }
        graph.outputs = outputs.map(owned)
        graph.updates = try updates.map { try Update($0.variable, to: owned($0.value)) }
        return graph
    }
}

/// The one number that all elements of a tensor are known to have.
func splat(_ tensor: Tensor) -> Double? {
    switch tensor.operation {
    case .source(.constant(let value)) where value.storage.count == 1: value.doubles[0]
    case .broadcast, .reshape: splat(tensor.inputs[0])
    default: nil
    }
}

private func simplify(_ operation: Operation, _ inputs: [Tensor], _ type: TensorType) throws -> Tensor {
    func unchanged() -> Tensor { Tensor(known: operation, inputs, type) }
    func filled(_ number: Double) -> Tensor {
        Tensor.constant(TensorValue(shape: .scalar, dtype: type.dtype, doubles: [number])).expanded(
            to: type.shape)
    }

    if let folded = try folded(operation, inputs, type) { return folded }
    switch operation {
    case .source:
        return Tensor(source: operation, type)

    case .unary(.negate):
        if case .unary(.negate) = inputs[0].operation { return inputs[0].inputs[0] }
    case .unary(.log):
        if case .softmax(let rule) = inputs[0].operation, !rule.isLogarithmic {
            return try inputs[0].inputs[0].logSoftmax(axis: rule.axis)
        }

    case .binary(let kind):
        let (a, b) = (inputs[0], inputs[1])
        switch (kind, splat(a), splat(b)) {
        case (.add, _, 0), (.subtract, _, 0), (.multiply, _, 1), (.divide, _, 1), (.power, _, 1): return a
        case (.add, 0, _), (.multiply, 1, _): return b
        case (.subtract, 0, _): return b.negated()
        case (.power, _, 2): return try a * a
        default: break
        }

    case .select:
        if inputs[1] == inputs[2] { return inputs[1] }
        if let condition = splat(inputs[0]) { return condition != 0 ? inputs[1] : inputs[2] }

    case .cast(let rule):
        if inputs[0].dtype == rule.dtype { return inputs[0] }

    case .reduction(let rule):
        // Along axes of extent 1 there is nothing to combine.
        if rule.axes.allSatisfy({ inputs[0].shape[$0] == 1 }) {
            return try inputs[0].reshaped(to: type.shape)
        }
        if let sum = try simplifiedSum(rule, of: inputs[0], type) { return sum }

    case .reshape:
        if inputs[0].shape == type.shape { return inputs[0] }
        if case .reshape = inputs[0].operation { return try inputs[0].inputs[0].reshaped(to: type.shape) }
        if let number = splat(inputs[0]) { return filled(number) }

    case .broadcast:
        if inputs[0].shape == type.shape { return inputs[0] }
        if case .broadcast = inputs[0].operation { return try inputs[0].inputs[0].broadcast(to: type.shape) }

    case .transpose(let rule):
        if rule.permutation == Array(rule.permutation.indices) { return inputs[0] }
        if case .transpose(let inner) = inputs[0].operation {
            return try simplify(
                .transpose(Transpose(rule.permutation.map { inner.permutation[$0] })), inputs[0].inputs, type)
        }

    case .slice:
        if inputs[0].shape == type.shape { return inputs[0] }
    case .pad:
        if inputs[0].shape == type.shape { return inputs[0] }
    case .concatenate:
        if inputs.count == 1 { return inputs[0] }

    default: break
    }
    return unchanged()
}

/// Constants above this size are left to be computed at run time: the plan would carry them otherwise.
private let largestFoldedCount = 1024

/// The value of an operation on constants, if all are known.
private func folded(_ operation: Operation, _ inputs: [Tensor], _ type: TensorType) throws -> Tensor? {
    guard !inputs.isEmpty else { return nil }
    switch operation {
    case .unary, .binary, .comparison, .select, .cast:
        // Elementwise work on one repeated number is that work on the number, whatever the shape.
        let numbers = inputs.map { tensor in splat(tensor).map { (tensor.dtype, $0) } }
        guard numbers.allSatisfy({ $0 != nil }) else { break }
        let scalars = numbers.compactMap { $0 }.map {
            TensorValue(shape: .scalar, dtype: $0.0, doubles: [$0.1])
        }
        let result = try operation.rule.evaluate(scalars, TensorType(.scalar, type.dtype))
        return Tensor.constant(result).expanded(to: type.shape)
    case .source, .broadcast: return nil
    default: break
    }
    guard type.shape.elementCount <= largestFoldedCount else { return nil }
    var values: [TensorValue] = []
    for input in inputs {
        guard case .source(.constant(let value)) = input.operation else { return nil }
        values.append(value)
    }
    return .constant(try operation.rule.evaluate(values, type))
}
