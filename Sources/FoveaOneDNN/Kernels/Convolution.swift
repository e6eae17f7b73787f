import CKernels
import FoveaGraph
import FoveaPlanner

extension OneDNNCatalog {
    func kernel(for request: ConvolutionRequest) throws -> any ConvolutionKernel {
        if let algorithm = tuned[.convolution(request)], let kernel = try kernel(for: request, algorithm) {
            return kernel
        }
        return try usualKernel(for: request)
    }

    /// What pools are convolutions of few channels, and Winograd's where this is the algorithm.
    func pooledKernel(for request: ConvolutionRequest) -> (any PooledConvolutionKernel)? {
        if let narrow = NarrowConvolution(request) { return narrow }
        guard usualBFloat16(isForwardConvolution: request.direction == .forward) == nil, usesWinograd(request)
        else { return nil }
        return WinogradConvolution(request, threads: threads)
    }

    private func usesWinograd(_ request: ConvolutionRequest) -> Bool {
        precision != .strict && request.suitsWinograd
    }

    func usualKernel(for request: ConvolutionRequest) throws -> any OneDNNConvolution {
        if let algorithm = usualBFloat16(isForwardConvolution: request.direction == .forward),
            let kernel = try kernel(for: request, algorithm)
        {
            return kernel
        }
        if usesWinograd(request), let kernel = WinogradConvolution(request, threads: threads) {
            return kernel
        }
        return try directKernel(for: request)
    }

    /// Elsewhere the library's kernels for few channels are faster as long as nothing is pooled; here they give blocks of 8 channels,
    /// which no other kernel wants.
    private func directKernel(for request: ConvolutionRequest) throws -> any OneDNNConvolution {
        let narrow = OneDNNBackend.vectorKind == "avx2" ? NarrowConvolution(request) : nil
        return try narrow ?? LibraryConvolution(request, threads: threads)
    }

    /// The kernel for an algorithm; nil, or oneDNN's error, where there is none.
    func kernel(
        for request: ConvolutionRequest, _ algorithm: Algorithm
    ) throws -> (any OneDNNConvolution)? {
        switch algorithm {
        case .bfloat16: BFloat16Convolution(request, algorithm)
        case .winograd: WinogradConvolution(request, threads: threads)
        case .direct: try directKernel(for: request)
        }
    }
}

/// A convolution or one of its gradients.
protocol OneDNNConvolution: ConvolutionKernel, ContractionKernel {
    var request: ConvolutionRequest { get }
}

extension OneDNNConvolution {
    var contraction: ContractionRequest { .convolution(request) }

    var operandBytes: [ContractionOperand: Int] {
        let counts: [Plan.Operand.Role: Int] = [
            .source: imagesLayout.memoryCount(request.images),
            .weights: kernelLayout.memoryCount(request.kernel), .bias: request.kernel[3],
            .destination: outputLayout.memoryCount(request.output),
        ]
        let results: Set<Plan.Operand.Role> =
            switch request.direction {
            case .forward: [.destination]
            case .inputGradient: [.source]
            case .kernelGradient: [.weights, .bias]
            }
        return operandBytes(counts, results: results, packedWeights: packedKernelBytes)
    }
}

/// By oneDNN, in float32.
private struct LibraryConvolution: OneDNNConvolution, PrimitiveKernel {
    let request: ConvolutionRequest
    let imagesLayout: Layout
    let kernelLayout: Layout
    let outputLayout: Layout
    let primitive: PartedPrimitive
    /// With a ReLU, if there is to be one.
    private let rectified: RectifiedPrimitive?

    var algorithm: Algorithm { .direct }
    var packedKernelBytes: Int { 0 }

    init(_ request: ConvolutionRequest, threads: Int) throws {
        let whole = try Primitive(request)
        let primitive = try ConvolutionParts(of: request, like: whole, threads: threads).primitive()
        (self.request, self.primitive) = (request, primitive)
        imagesLayout = try whole.layout(FOVEA_ARG_SOURCE, order: AxisOrder.images)
        kernelLayout = try whole.layout(FOVEA_ARG_WEIGHTS, order: request.kernelOrder)
        outputLayout = try whole.layout(FOVEA_ARG_DESTINATION, order: AxisOrder.images)
        guard request.hasReLU else {
            rectified = nil
            return
        }
        var operands: [RectifiedPrimitive.Block] = [
            .init(role: .source, count: imagesLayout.memoryCount(request.images)),
            .init(role: .weights, count: kernelLayout.memoryCount(request.kernel)),
        ]
        if request.hasBias { operands.append(.init(role: .bias, count: request.output.channels)) }
        rectified = try RectifiedPrimitive(
            primitive, operands: operands, ceiling: request.ceiling,
            result: .init(role: .destination, count: outputLayout.memoryCount(request.output))
        ) {
            let whole = try Primitive(request, fusesReLU: true)
            return try ConvolutionParts(of: request, fusesReLU: true, like: whole, threads: threads)
                .primitive()
        }
    }

    func call(_ operands: Operands) throws -> any KernelCall {
        try rectified?.call(operands) ?? primitive.call(operands)
    }
}

extension fovea_convolution {
    /// With layouts that the library chooses.
    ///
    /// - Parameter fusesReLU: whether the ReLU that is asked for is part of it. Such a primitive makes zeros of NaN.
    init(_ request: ConvolutionRequest, fusesReLU: Bool) {
        let rule = request.convolution
        let filters = request.kernel[3]
        self.init()
        direction =
            switch request.direction {
            case .forward: FOVEA_FORWARD
            case .inputGradient: FOVEA_BACKWARD_DATA
            case .kernelGradient: FOVEA_BACKWARD_WEIGHTS
            }
        has_bias = request.hasBias ? 1 : 0
        relu = request.hasReLU && fusesReLU ? 1 : 0
        ceiling = request.ceiling ?? 0
        strides = pair(rule.strides)
        dilations = pair(rule.dilations)
        padding_before = (Int64(rule.padding.top), Int64(rule.padding.left))
        padding_after = (Int64(rule.padding.bottom), Int64(rule.padding.right))
        source = fovea_memory(any: request.images.dimensions, order: AxisOrder.images)
        destination = fovea_memory(any: request.output.dimensions, order: AxisOrder.images)
        bias = fovea_memory([filters], strides: [1], order: [0])
        weights = fovea_memory(any: request.kernelExtents, order: request.kernelOrder)
    }
}

extension Primitive {
    fileprivate convenience init(_ request: ConvolutionRequest, fusesReLU: Bool = false) throws {
        var spec = fovea_convolution(request, fusesReLU: fusesReLU)
        try self.init(fovea_convolution_create(&spec))
    }
}

extension ConvolutionRequest {
    /// The kernel's extents and axis order as oneDNN is told them: groups are an axis of their own.
    fileprivate var kernelExtents: [Int] {
        let dimensions = kernel.dimensions
        guard convolution.groups > 1 else { return dimensions }
        return dimensions.dropLast() + [convolution.groups, dimensions[3] / convolution.groups]
    }

    fileprivate var kernelOrder: [Int] { convolution.groups > 1 ? AxisOrder.groupedKernel : AxisOrder.kernel }
}

extension ConvolutionRequest {
    /// Whether Winograd's algorithm pays: F(4×4, 3×3) or F(2×2, 5×5) (Lavin and Gray 2016, arXiv:1509.09308).
    ///
    /// It saves three quarters of the multiplications, or 64 %, but computes whole tiles of the result: where images do not fill these,
    /// direct sums win. For a kernel's gradient there are at least two sums for all channels and filters, which want some tiles, and
    /// many where they go through memory. The narrow vectors of the baseline are no quicker than the library's own.
    fileprivate var suitsWinograd: Bool {
        guard OneDNNBackend.vectorKind != "baseline", let tiles = winogradTiles else { return false }
        let products = Double(output[0] * output[1] * output[2] * kernel[0] * kernel[1])
        let saving = products / Double(tiles * WinogradConvolution.productsOfTile)
        guard direction == .kernelGradient else { return saving >= Self.leastSaving }
        let staysInCache = kernel[2] * kernel[3] <= Self.mostCachedWeights
        return saving >= Self.leastGradientSaving && tiles / 2 >= (staysInCache ? 24 : 96)
    }

    /// Products of the direct algorithm for each one.
    private static let leastSaving = 2.5
    private static let leastGradientSaving = 2.2
    /// Of a kernel, for each place of its window: 36 sums for each take 2.3 MiB.
    private static let mostCachedWeights = 1 << 14
}
