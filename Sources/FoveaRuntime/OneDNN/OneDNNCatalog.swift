import CKernels
import FoveaGraph
import FoveaPlanner

/// Numerical freedom of a backend.
public enum Precision: String, Sendable, Codable, CaseIterable {
    /// float32 numbers. Convolutions and products may use Winograd's algorithm or, on CPUs with matrix tiles, numbers split
    /// into two of bfloat16: rounding errors stay below 10⁻⁴ of a sum's Euclidean norm.
    case float32
    /// float32 parameters and activations; convolutions and products round their operands to bfloat16 and sum in float32. On
    /// CPUs without bfloat16 arithmetic the same as `float32`.
    case mixedBFloat16
    /// float32 throughout, every sum formed directly.
    case strict
}

/// Answers the planner's questions: what the CPU's bfloat16 kernels do goes to them where that is allowed and faster, and
/// for the rest oneDNN is asked what it would run.
struct OneDNNCatalog: KernelCatalog {
    let precision: Precision
    let threads: Int

    /// How sums of products should be computed on the CPU's bfloat16 unit, if at all.
    ///
    /// Several products for one pay on matrix tiles only. Where `float32` was asked for, activations get all of its bits:
    /// they decide which elements win a max-pooling or pass a ReLU, where the smallest error may change a gradient by much.
    /// Gradients and products of matrices, of which there is nothing to decide or little, get 16.
    private func bfloat16Algorithm(isConvolution: Bool) -> Algorithm? {
        switch (precision, OneDNNBackend.bfloat16Unit) {
        case (.strict, _), (_, "none"): nil
        case (.mixedBFloat16, _): .bfloat16(terms: 1)
        case (.float32, let unit): unit == "amx" ? .bfloat16(terms: isConvolution ? 3 : 2) : nil
        }
    }

    func choose(_ request: ConvolutionRequest) throws -> ConvolutionChoice {
        if let algorithm = bfloat16Algorithm(isConvolution: request.direction == .forward),
            let choice = ConvolutionChoice(bfloat16: request, algorithm, threads: threads)
        {
            return choice
        }
        if precision != .strict, request.suitsWinograd, request.isRightWithWinograd,
            let primitive = try? Primitive(request, .winograd)
        {
            return try choice(request, primitive, .winograd)
        }
        return try choice(request, Primitive(request, .direct), .direct)
    }

    private func choice(
        _ request: ConvolutionRequest, _ primitive: Primitive, _ algorithm: Algorithm
    ) throws -> ConvolutionChoice {
        ConvolutionChoice(
            request: request, algorithm: algorithm,
            images: try primitive.layout(FOVEA_ARG_SOURCE, order: AxisOrder.images),
            kernel: try primitive.layout(FOVEA_ARG_WEIGHTS, order: request.kernelOrder),
            output: try primitive.layout(FOVEA_ARG_DESTINATION, order: AxisOrder.images),
            implementation: primitive.implementation,
            scratchpadBytes: primitive.byteCount(FOVEA_ARG_SCRATCHPAD))
    }

    func choose(_ request: PoolingRequest) throws -> PoolingChoice {
        if fovea_max_pool(request) != nil {
            return PoolingChoice(
                request: request, implementation: "max_pool:\(OneDNNBackend.vectorKind)", scratchpadBytes: 0,
                winnersBytes: request.outputLayout.memoryCount(request.output))
        }
        let primitive = try Primitive(request)
        return PoolingChoice(
            request: request, implementation: primitive.implementation,
            scratchpadBytes: primitive.byteCount(FOVEA_ARG_SCRATCHPAD),
            winnersBytes: primitive.byteCount(FOVEA_ARG_WORKSPACE))
    }

    func canRectify(_ window: SlidingWindow) -> Bool { fovea_max_pool.canRemember(window) }

    func choose(_ request: MatMulRequest) throws -> MatMulChoice {
        if let algorithm = bfloat16Algorithm(isConvolution: false),
            let choice = MatMulChoice(bfloat16: request, algorithm, threads: threads)
        {
            return choice
        }
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

    func choose(_ request: SoftmaxRequest) throws -> SimpleChoice { simple(try Primitive(request)) }
    func choose(_ request: ReorderRequest) throws -> SimpleChoice { simple(try Primitive(request)) }

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
