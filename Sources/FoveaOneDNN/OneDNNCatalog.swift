import CKernels
import FoveaGraph
import FoveaPlanner
import FoveaRuntime

/// Answers the planner's questions: what the CPU's bfloat16 kernels do goes to them where that is allowed and faster, and
/// for the rest oneDNN is asked what it would run.
struct OneDNNCatalog: KernelCatalog {
    let precision: Precision
    let threads: Int
    /// Algorithms to take instead of those that follow from the request alone.
    var tuned: [ContractionRequest: Algorithm] = [:]

    func choose(_ request: ConvolutionRequest) throws -> ConvolutionChoice {
        if let algorithm = tuned[.convolution(request)], let choice = try choice(request, algorithm) {
            return choice
        }
        return try usualChoice(request)
    }

    func choose(_ request: MatMulRequest) throws -> MatMulChoice {
        if let algorithm = tuned[.matmul(request)], let choice = try choice(request, algorithm) {
            return choice
        }
        return try usualChoice(request)
    }

    /// Every kernel that the precision allows for a request and that computes it, the usual one first.
    func candidates(_ request: ContractionRequest) throws -> [ContractionChoice] {
        switch request {
        case .convolution(let request):
            let usual = try usualChoice(request)
            let others = allowedAlgorithms(isForwardConvolution: request.direction == .forward)
            return [.convolution(usual)]
                + others.filter { $0 != usual.algorithm }
                .compactMap { try? choice(request, $0) }.map { .convolution($0) }
        case .matmul(let request):
            let usual = try usualChoice(request)
            let others = allowedAlgorithms(isForwardConvolution: false)
            return [.matmul(usual)]
                + others.filter { $0 != usual.algorithm }
                .compactMap { try? choice(request, $0) }.map { .matmul($0) }
        }
    }

    // MARK: - Sums of products

    /// bfloat16 terms for each number where `float32` was asked for.
    ///
    /// Forward convolutions get all of float32's bits: they decide which elements win a max-pooling or pass a ReLU, where the
    /// smallest error may change a gradient by much. Gradients and products of matrices, of which there is nothing to
    /// decide or little, get 16.
    private static func terms(isForwardConvolution: Bool) -> Int { isForwardConvolution ? 3 : 2 }

    private func allowedAlgorithms(isForwardConvolution: Bool) -> [Algorithm] {
        let float32: [Algorithm] = precision == .strict ? [.direct] : [.direct, .winograd]
        guard precision != .strict, OneDNNBackend.bfloat16Unit != "none" else { return float32 }
        let split = Algorithm.bfloat16(terms: Self.terms(isForwardConvolution: isForwardConvolution))
        return float32 + (precision == .mixedBFloat16 ? [split, .bfloat16(terms: 1)] : [split])
    }

    /// How sums of products are usually computed on the CPU's bfloat16 unit, if at all. Several products for one pay on
    /// matrix tiles only.
    private func usualBFloat16(isForwardConvolution: Bool) -> Algorithm? {
        switch (precision, OneDNNBackend.bfloat16Unit) {
        case (.strict, _), (_, "none"): nil
        case (.mixedBFloat16, _): .bfloat16(terms: 1)
        case (.float32, "amx"): .bfloat16(terms: Self.terms(isForwardConvolution: isForwardConvolution))
        case (.float32, _): nil
        }
    }

    private func usualChoice(_ request: ConvolutionRequest) throws -> ConvolutionChoice {
        if let algorithm = usualBFloat16(isForwardConvolution: request.direction == .forward),
            let choice = try choice(request, algorithm)
        {
            return choice
        }
        if precision != .strict, request.suitsWinograd, let choice = try? choice(request, .winograd) {
            return choice
        }
        return try float32Choice(request, .direct)
    }

    private func usualChoice(_ request: MatMulRequest) throws -> MatMulChoice {
        if let algorithm = usualBFloat16(isForwardConvolution: false),
            let choice = try choice(request, algorithm)
        {
            return choice
        }
        return try directChoice(request)
    }

    /// The kernel for an algorithm; nil, or oneDNN's error, where there is none.
    private func choice(_ request: ConvolutionRequest, _ algorithm: Algorithm) throws -> ConvolutionChoice? {
        switch algorithm {
        case .bfloat16: ConvolutionChoice(bfloat16: request, algorithm, threads: threads)
        case .winograd where !OneDNNBackend.hasWinograd || !request.isRightWithWinograd: nil
        case .direct, .winograd: try float32Choice(request, algorithm)
        }
    }

    private func choice(_ request: MatMulRequest, _ algorithm: Algorithm) throws -> MatMulChoice? {
        switch algorithm {
        case .bfloat16: MatMulChoice(bfloat16: request, algorithm, threads: threads)
        case .direct: try directChoice(request)
        case .winograd: nil
        }
    }

    private func float32Choice(_ request: ConvolutionRequest, _ algorithm: Algorithm) throws
        -> ConvolutionChoice
    {
        let primitive = try Primitive(request, algorithm)
        return ConvolutionChoice(
            request: request, algorithm: algorithm,
            images: try primitive.layout(FOVEA_ARG_SOURCE, order: AxisOrder.images),
            kernel: try primitive.layout(FOVEA_ARG_WEIGHTS, order: request.kernelOrder),
            output: try primitive.layout(FOVEA_ARG_DESTINATION, order: AxisOrder.images),
            implementation: primitive.implementation,
            scratchpadBytes: primitive.byteCount(FOVEA_ARG_SCRATCHPAD))
    }

    private func directChoice(_ request: MatMulRequest) throws -> MatMulChoice {
        if let product = fovea_row_product(request, threads: threads) {
            return MatMulChoice(
                request: request, algorithm: .direct,
                implementation: "row_product:\(OneDNNBackend.vectorKind)",
                scratchpadBytes: product.scratchpadBytes)
        }
        let primitive = try Primitive(request)
        return MatMulChoice(
            request: request, algorithm: .direct, implementation: primitive.implementation,
            scratchpadBytes: primitive.byteCount(FOVEA_ARG_SCRATCHPAD))
    }

    // MARK: - Other kernels

    func choose(_ request: PoolingRequest) throws -> PoolingChoice {
        if let pool = fovea_max_pool(request) {
            return PoolingChoice(
                request: request, implementation: "max_pool:\(OneDNNBackend.vectorKind)", scratchpadBytes: 0,
                winnersBytes: request.outputLayout.memoryCount(request.output) * pool.winnerBytes)
        }
        let primitive = try Primitive(request)
        return PoolingChoice(
            request: request, implementation: primitive.implementation,
            scratchpadBytes: primitive.byteCount(FOVEA_ARG_SCRATCHPAD),
            winnersBytes: primitive.byteCount(FOVEA_ARG_WORKSPACE))
    }

    func choose(_ request: NormalizationRequest) throws -> NormalizationChoice {
        let primitive = try Primitive(request)
        return NormalizationChoice(
            request: request, implementation: primitive.implementation,
            scratchpadBytes: primitive.byteCount(FOVEA_ARG_SCRATCHPAD),
            maskBytes: primitive.byteCount(FOVEA_ARG_WORKSPACE))
    }

    /// Only what oneDNN has vectors for: its other kernels are slower than elementwise passes.
    func canNormalize(_ images: Shape) -> Bool {
        let request = NormalizationRequest(
            isGradient: true, isRectified: true, epsilon: 1e-3, images: images, layout: .rowMajor(images))
        return (try? Primitive(request))?.implementation.contains("jit") ?? false
    }

    func choose(_ request: ReorderRequest) throws -> SimpleChoice { simple(try Primitive(request)) }

    func choose(_ request: MergeRequest) throws -> SimpleChoice? {
        guard request.count >= Self.leastMerged else { return nil }
        return SimpleChoice(implementation: "merge:\(OneDNNBackend.vectorKind)", scratchpadBytes: 0)
    }

    /// Elements below which a pass does as well.
    private static let leastMerged = 8192

    private func simple(_ primitive: Primitive) -> SimpleChoice {
        SimpleChoice(
            implementation: primitive.implementation,
            scratchpadBytes: primitive.byteCount(FOVEA_ARG_SCRATCHPAD))
    }
}

extension ConvolutionRequest {
    /// Whether oneDNN's Winograd kernels compute what is asked for. Its input gradient does not (seen in 2.6.3) with
    /// unequal padding above and below.
    var isRightWithWinograd: Bool {
        direction != .inputGradient || convolution.padding.top == convolution.padding.bottom
    }

    /// Whether Winograd's F(4×4, 3×3) pays (Lavin and Gray 2016, arXiv:1509.09308).
    ///
    /// Its transforms are a fixed cost for each channel, so both sides need enough channels to share them. It computes
    /// whole 4×4 tiles of the result: where images do not fill their tiles, direct sums win. The kernel's gradient has
    /// tiles of its own and always won where measured.
    var suitsWinograd: Bool {
        guard kernel[0] == 3, kernel[1] == 3, convolution.strides == 1, convolution.dilations == 1,
            convolution.groups == 1, images.channels >= 16, output.channels >= 16
        else { return false }
        switch direction {
        case .forward: return tileWaste(output.imageSize) <= Self.largestTileWaste
        case .inputGradient: return tileWaste(images.imageSize) <= Self.largestTileWaste
        case .kernelGradient: return true
        }
    }

    private static let largestTileWaste = 1.4

    /// Elements computed for each one needed.
    private func tileWaste(_ size: Size2D) -> Double {
        func padded(_ extent: Int) -> Double { Double((extent + 3) / 4 * 4) / Double(extent) }
        return padded(size.height) * padded(size.width)
    }
}
