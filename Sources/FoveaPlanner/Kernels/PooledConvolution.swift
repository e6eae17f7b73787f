import FoveaGraph

extension PlanBuilder {
    /// The request for a convolution together with the max-pooling that alone reads its result.
    private func pooled(_ convolution: ConvolutionRequest, of result: Tensor) -> (
        request: ConvolutionRequest, pooled: Tensor, key: WinnersKey
    )? {
        guard let pooled = poolingOf[result], case .maxPool(let rule) = pooled.operation else { return nil }
        let key = WinnersKey(images: result, window: rule.window, isRectified: rule.isRectified)
        var request = convolution
        request.pooling = .init(
            window: rule.window, isRectified: rule.isRectified, output: pooled.shape,
            keepsWinners: pooledForGradient.contains(key))
        return (request, pooled, key)
    }

    /// The kernel for a convolution and the max-pooling behind it, if there is one.
    func pooledKernel(for convolution: ConvolutionRequest, of result: Tensor) throws -> (
        any PooledConvolutionKernel
    )? {
        try pooled(convolution, of: result).flatMap { try catalog.pooledKernel(for: $0.request) }
    }

    /// Adds a convolution together with the max-pooling that alone reads its result, if there is a kernel for both.
    ///
    /// - Returns: whether there is.
    mutating func addPooled(
        _ convolution: ConvolutionRequest, _ tensor: Tensor, of result: Tensor, bias: Tensor?
    ) throws -> Bool {
        guard let (request, pooled, key) = pooled(convolution, of: result),
            let pooling = request.pooling, let chosen = try catalog.pooledKernel(for: request)
        else { return false }
        let images = try value(value(tensor.inputs[0]), in: chosen.imagesLayout)
        let weights = try value(value(tensor.inputs[1]), in: chosen.kernelLayout)
        let output = self.result(pooled, chosen.outputLayout)
        var operands: [(Plan.Operand.Role, Plan.ValueID, Bool)] = [
            (.source, images, false), (.weights, weights, false), (.destination, output, true),
        ]
        if let bias { operands.append((.bias, try rowMajorValue(bias), false)) }
        if pooling.keepsWinners {
            let kept = addBytes("winners", chosen.winnersBytes)
            // As if the images had been stored and pooled.
            let apart = PoolingRequest(
                kind: .max(isRectified: pooling.isRectified), isGradient: false, window: pooling.window,
                images: convolution.output, output: pooling.output,
                imagesLayout: chosen.outputLayout.carried(from: pooling.output, to: convolution.output),
                outputLayout: chosen.outputLayout, keepsWinners: true)
            winners[key] = (kept, apart)
            operands.append((.winners, kept, true))
        }
        operands += packedWeights(chosen)
        let fused = (bias != nil ? " + bias" : "") + request.reluText
        addCall(request, chosen, operands, note: chosen.implementation + fused + " + pooling")
        return true
    }

    /// What a convolution's gradient is computed from where its upstream gradient is that of a max-pooling.
    struct PooledUpstream {
        let request: ConvolutionRequest
        let kernel: any PooledConvolutionKernel
        let upstream: Plan.ValueID
        let winners: Plan.ValueID
    }

    /// For a gradient of a convolution: the gradient of its pooled output instead of the output's, if a kernel takes it. If none does,
    /// the output's is computed now.
    mutating func upstreamOfPooled(_ convolution: ConvolutionRequest, _ tensor: Tensor) throws
        -> PooledUpstream?
    {
        let images = tensor.inputs[1]
        guard poolingGradientsForConvolutions.contains(images), valueOf[images] == nil,
            case .maxPoolGradient(let rule) = images.operation
        else { return nil }
        let key = WinnersKey(images: images.inputs[0], window: rule.window, isRectified: rule.isRectified)
        if let (kept, pooling) = winners[key] {
            var request = convolution
            request.pooling = .init(
                window: rule.window, isRectified: rule.isRectified, output: pooling.output,
                keepsWinners: false)
            if let kernel = try catalog.pooledKernel(for: request),
                kernel.outputLayout == pooling.outputLayout
            {
                let upstream = try value(value(images.inputs[1]), in: kernel.outputLayout)
                return PooledUpstream(request: request, kernel: kernel, upstream: upstream, winners: kept)
            }
        }
        try addMaxPoolGradient(images, rule)
        return nil
    }
}
