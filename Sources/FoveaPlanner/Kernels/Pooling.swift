import FoveaGraph

public struct PoolingRequest: KernelRequest, Hashable {
    public enum Kind: Hashable, Sendable {
        case max(isRectified: Bool)
        case average(countsPadding: Bool)
    }

    public var kind: Kind
    public var isGradient: Bool
    public var window: SlidingWindow
    public var images: Shape
    public var output: Shape
    public var imagesLayout: Layout
    public var outputLayout: Layout
    /// Max-pooling forward: remember the winners for the gradient.
    public var keepsWinners: Bool

    public var name: String { isGradient ? "pooling gradient" : "pooling" }
}

/// A kernel that may remember the winners of a max-pooling.
public protocol PoolingKernel: PreparedKernel {
    /// Bytes that remember the winners; 0 when none are kept.
    var winnersBytes: Int { get }
}

extension MaxPool: SingleOperation {
    func addCalls(for tensor: Tensor, to builder: inout PlanBuilder) throws {
        try builder.addPooling(tensor, .max(isRectified: isRectified), window)
    }
}

extension MaxPoolGradient: SingleOperation {
    func addCalls(for tensor: Tensor, to builder: inout PlanBuilder) throws {
        // The one that reads it may do it, or asks for it.
        if builder.poolingGradientsForConvolutions.contains(tensor) { return }
        try builder.addMaxPoolGradient(tensor, self)
    }
}

extension AveragePool: SingleOperation {
    func addCalls(for tensor: Tensor, to builder: inout PlanBuilder) throws {
        try builder.addPooling(tensor, .average(countsPadding: countsPadding), window)
    }
}

extension AveragePoolGradient: SingleOperation {
    func addCalls(for tensor: Tensor, to builder: inout PlanBuilder) throws {
        try builder.addAveragePoolGradient(tensor, pool)
    }
}

extension PlanBuilder {
    fileprivate mutating func addPooling(
        _ tensor: Tensor, _ kind: PoolingRequest.Kind, _ window: SlidingWindow
    )
        throws
    {
        // The convolution in front may have done it.
        guard valueOf[tensor] == nil else { return }
        let images = tensor.inputs[0]
        let source = try imagesByChannel(images)
        let request = PoolingRequest(
            kind: kind, isGradient: false, window: window, images: images.shape, output: tensor.shape,
            imagesLayout: layout(source),
            outputLayout: layout(source).carried(from: images.shape, to: tensor.shape),
            keepsWinners: winnersKey(kind, images, window).map(pooledForGradient.contains) ?? false)
        let output = result(tensor, request.outputLayout)
        try addPoolingCall(request, images, source, output)
    }

    private mutating func addPoolingCall(
        _ request: PoolingRequest, _ images: Tensor, _ source: Plan.ValueID, _ output: Plan.ValueID
    ) throws {
        let kernel = try catalog.kernel(for: request)
        var operands: [(Plan.Operand.Role, Plan.ValueID, Bool)] = [
            (.source, source, false), (.destination, output, true),
        ]
        if request.keepsWinners {
            let kept = addBytes("winners", kernel.winnersBytes)
            if let key = winnersKey(request.kind, images, request.window) { winners[key] = (kept, request) }
            operands.append((.winners, kept, true))
        }
        addCall(request, kernel, operands, note: kernel.implementation)
    }

    /// Under what a max-pooling's winners are kept; nil for other poolings.
    private func winnersKey(
        _ kind: PoolingRequest.Kind, _ images: Tensor, _ window: SlidingWindow
    ) -> WinnersKey? {
        guard case .max(let isRectified) = kind else { return nil }
        return WinnersKey(images: images, window: window, isRectified: isRectified)
    }

    /// Images in a layout that pooling can carry over to its output: row-major, or in blocks of channels.
    mutating func imagesByChannel(_ images: Tensor) throws -> Plan.ValueID {
        let source = try value(images)
        decide(source, .rowMajor(images.shape))
        let isCarried = layout(source).channelBlock(of: images.shape) != nil
        return isCarried ? source : try value(source, in: .rowMajor(images.shape))
    }

    mutating func addMaxPoolGradient(_ tensor: Tensor, _ rule: MaxPoolGradient) throws {
        let (images, upstream) = (tensor.inputs[0], tensor.inputs[1])
        let key = WinnersKey(images: images, window: rule.window, isRectified: rule.isRectified)
        if winners[key] == nil {
            // Nobody needed the pooled images, but the gradient needs to know the winners.
            let source = try imagesByChannel(images)
            let request = PoolingRequest(
                kind: .max(isRectified: rule.isRectified), isGradient: false, window: rule.window,
                images: images.shape, output: upstream.shape, imagesLayout: layout(source),
                outputLayout: layout(source).carried(from: images.shape, to: upstream.shape),
                keepsWinners: true)
            let pooled = addValue("maxPool", upstream.node.type, request.outputLayout)
            try addPoolingCall(request, images, source, pooled)
        }
        guard let (kept, forward) = winners[key] else { throw PlanError.unbound(tensor) }
        var request = forward
        request.isGradient = true
        let kernel = try catalog.kernel(for: request)
        let source = try value(value(upstream), in: request.outputLayout)
        let output = result(tensor, request.imagesLayout)
        addCall(
            request, kernel,
            [(.destination, source, false), (.winners, kept, false), (.source, output, true)],
            note: kernel.implementation)
    }

    fileprivate mutating func addAveragePoolGradient(_ tensor: Tensor, _ pool: AveragePool) throws {
        let upstream = tensor.inputs[0]
        let source = try imagesByChannel(upstream)
        let request = PoolingRequest(
            kind: .average(countsPadding: pool.countsPadding), isGradient: true, window: pool.window,
            images: tensor.shape, output: upstream.shape,
            imagesLayout: layout(source).carried(from: upstream.shape, to: tensor.shape),
            outputLayout: layout(source), keepsWinners: false)
        let kernel = try catalog.kernel(for: request)
        let output = result(tensor, request.imagesLayout)
        addCall(
            request, kernel, [(.destination, source, false), (.source, output, true)],
            note: kernel.implementation)
    }
}
