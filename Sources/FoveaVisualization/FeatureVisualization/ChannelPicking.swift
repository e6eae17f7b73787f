import FoveaGraph

extension Tensor {
    /// Some channels, as `gathered(at: channels, axis: -1)`: but where channels are made independently of each other, as by a
    /// convolution with bias and activation, the others are not computed at all.
    ///
    /// - Parameter channels: int32 `[count]`.
    func picking(channels: Tensor) throws -> Tensor {
        var picked: [Tensor: Tensor] = [:]
        return try picking(channels, depth: 0, &picked)
    }

    private func picking(
        _ channels: Tensor, depth: Int, _ known: inout [Tensor: Tensor]
    ) throws -> Tensor {
        if let result = known[self] { return result }
        func pick(_ tensor: Tensor) throws -> Tensor {
            try tensor.picking(channels, depth: depth + 1, &known)
        }
        let gathered = { try self.gathered(at: channels, axis: -1) }
        let result: Tensor
        switch operation {
        // Activations are a few operations deep; the rest of the network is not to be followed.
        case _ where depth > 30: result = try gathered()
        case .unary, .binary, .comparison, .select, .cast:
            result = try Tensor(operation, inputs.map { try pick($0) })
        case .attachment: result = try pick(inputs[0])
        case .broadcast:
            var wanted = shape
            wanted[shape.rank - 1] = channels.shape[0]
            let source = inputs[0]
            let isOneForAll = source.shape.rank == 0 || source.shape.channels == 1
            result = try (isOneForAll ? source : pick(source)).broadcast(to: wanted)
        case .convolution(let rule) where rule.groups == 1:
            result = try Tensor(operation, [inputs[0], inputs[1].gathered(at: channels, axis: -1)])
        case .matmul(let rule) where !rule.transposeB && inputs[1].shape.rank == 2:
            result = try Tensor(operation, [inputs[0], inputs[1].gathered(at: channels, axis: -1)])
        default: result = try gathered()
        }
        known[self] = result
        return result
    }
}
