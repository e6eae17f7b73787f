import CKernels
import FoveaGraph
import FoveaPlanner

/// Numerical freedom of a backend.
public enum Precision: String, Sendable, Codable, CaseIterable {
    /// float32 throughout; convolutions may use Winograd's algorithm, whose rounding errors are a few times larger.
    case float32
    /// float32 throughout, every sum formed directly.
    case strict
}

/// Answers the planner's questions by asking oneDNN what it would run.
struct OneDNNCatalog: KernelCatalog {
    let precision: Precision

    func choose(_ request: ConvolutionRequest) throws -> ConvolutionChoice {
        if precision != .strict, request.suitsWinograd,
            let primitive = try? Primitive(request, isWinograd: true)
        {
            return try choice(request, primitive, isWinograd: true)
        }
        return try choice(request, Primitive(request, isWinograd: false), isWinograd: false)
    }

    private func choice(
        _ request: ConvolutionRequest, _ primitive: Primitive, isWinograd: Bool
    ) throws -> ConvolutionChoice {
        ConvolutionChoice(
            request: request, isWinograd: isWinograd,
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

    func choose(_ request: MatMulRequest) throws -> SimpleChoice { simple(try Primitive(request)) }
    func choose(_ request: SoftmaxRequest) throws -> SimpleChoice { simple(try Primitive(request)) }
    func choose(_ request: ReorderRequest) throws -> SimpleChoice { simple(try Primitive(request)) }

    private func simple(_ primitive: Primitive) -> SimpleChoice {
        SimpleChoice(
            implementation: primitive.implementation,
            scratchpadBytes: primitive.byteCount(FOVEA_ARG_SCRATCHPAD))
    }
}

extension ConvolutionRequest {
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
