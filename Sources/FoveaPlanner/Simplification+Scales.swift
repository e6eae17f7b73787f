import FoveaGraph

extension BoundGraph {
    /// Multiplies the kernels of convolutions by what their results are multiplied by, where both last from run to run: batch
    /// normalisation by moving averages becomes a kernel and a bias, `(w x - m) s + o = (w s) x + (o - m s)`.
    func withFoldedScales() throws -> BoundGraph {
        var lasting = LastingTensors(self)
        var readers: [Tensor: Int] = [:]
        for tensor in topologicalOrder(of: roots) {
            for input in tensor.inputs { readers[input, default: 0] += 1 }
        }
        for root in roots { readers[root, default: 0] += 1 }
        // By what has taken the place of their results.
        var convolutions: [Tensor: ScaledConvolution] = [:]

        return try rewritten { tensor, inputs in
            var result = Tensor(known: tensor.operation, inputs, tensor.node.type)
            switch tensor.operation {
            case .source: return tensor
            case .convolution where tensor.dtype == .float32 && lasting.contains(inputs[1]):
                convolutions[result] = ScaledConvolution(result)
            case .binary(let kind):
                for place in 0...1 {
                    guard let before = convolutions[inputs[place]], readers[tensor.inputs[place]] == 1,
                        lasting.contains(inputs[1 - place]),
                        let vector = try inputs[1 - place].vectorOfChannels(),
                        let after = try before.followed(by: kind, vector, isFirst: place == 0)
                    else { continue }
                    result = try after.isPlain ? result : after.tensor()
                    convolutions[result] = after
                    break
                }
            default: break
            }
            _ = lasting.contains(result)
            return result
        }
    }
}

/// A convolution whose results are multiplied by a number for each filter, to which another is added.
private struct ScaledConvolution {
    let convolution: Tensor
    private var scale: Tensor?
    private var offset: Tensor?
    /// Whether it is what the planner knows anyway: a convolution, perhaps with a bias.
    private(set) var isPlain = true

    init(_ convolution: Tensor) { self.convolution = convolution }

    /// - Parameter isFirst: whether the convolution is the first operand, the vector the second.
    /// - Returns: nil for what is no scale and no offset.
    func followed(by kind: Binary, _ vector: Tensor, isFirst: Bool) throws -> ScaledConvolution? {
        var after = self
        after.isPlain = isPlain && kind == .add && offset == nil
        switch (kind, isFirst) {
        case (.add, _): after.offset = try offset.map { try $0 + vector } ?? vector
        case (.subtract, true): after.offset = try offset.map { try $0 - vector } ?? vector.negated()
        case (.multiply, _):
            after.scale = try scale.map { try $0 * vector } ?? vector
            after.offset = try offset.map { try $0 * vector }
        case (.divide, true):
            after.scale = try (scale ?? .filled(1, vector.shape)) / vector
            after.offset = try offset.map { try $0 / vector }
        default: return nil
        }
        return after
    }

    func tensor() throws -> Tensor {
        var result = convolution
        if let scale {
            let kernel = convolution.inputs[1]
            result = try Tensor(
                convolution.operation,
                [convolution.inputs[0], kernel * scale.broadcast(to: kernel.shape)])
        }
        guard let offset else { return result }
        return try result + offset.broadcast(to: result.shape)
    }
}

extension Tensor {
    /// The numbers along the last axis if all others repeat them: shape `[channels]`.
    fileprivate func vectorOfChannels() throws -> Tensor? {
        let channels = shape.channels
        if let number = splat(self) { return .filled(Float(number), [channels]) }
        let source = if case .broadcast = operation { inputs[0] } else { self }
        guard source.shape.elementCount == channels, source.shape.rank > 0, source.shape.channels == channels
        else { return nil }
        return try source.reshaped(to: [channels])
    }
}
