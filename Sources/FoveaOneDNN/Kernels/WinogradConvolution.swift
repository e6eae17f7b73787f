import CKernels
import FoveaGraph
import FoveaPlanner

/// By Winograd's F(4×4, 3×3) or F(2×2, 5×5), in kernels of our own, which may pool the result before it is stored.
struct WinogradConvolution: OneDNNConvolution, PooledConvolutionKernel {
    let request: ConvolutionRequest
    private let spec: fovea_winograd

    /// Nil for what the kernels do not do.
    init?(_ request: ConvolutionRequest, threads: Int) {
        guard let spec = fovea_winograd(request, threads: threads) else { return nil }
        (self.request, self.spec) = (request, spec)
    }

    /// Results along an axis of what is computed together; nil for windows that the kernels do not have.
    static func results(of request: ConvolutionRequest) -> Int? {
        switch (request.kernel[0], request.kernel[1]) {
        case (3, 3): 4
        case (5, 5): 2
        default: nil
        }
    }

    /// Multiplications for such a tile, for each pair of a channel and a filter.
    static let productsOfTile = 36

    private static let block = fovea_winograd.channelBlock
    private var storedOutput: Shape { request.pooling?.output ?? request.output }

    var algorithm: Algorithm { .winograd }
    var imagesLayout: Layout { .channelBlocks(Self.block, request.images) }
    var kernelLayout: Layout { .rowMajor(request.kernel) }
    var outputLayout: Layout { .channelBlocks(Self.block, storedOutput) }
    var winnersBytes: Int { request.pooling?.keepsWinners == true ? storedOutput.elementCount : 0 }
    var implementation: String {
        let tile = Self.results(of: request).map { "\($0)×\($0)" } ?? ""
        return "winograd \(tile):\(OneDNNBackend.vectorKind)"
    }
    var scratchpadBytes: Int { spec.scratchpadBytes(request) }
    /// A large kernel is transformed piece by piece.
    var packedKernelBytes: Int {
        request.direction == .kernelGradient || request.hasLargeWinogradKernel
            ? 0 : withUnsafePointer(to: spec) { fovea_winograd_kernel_bytes($0) }
    }

    func call(_ operands: Operands) throws -> any KernelCall {
        let (images, kernel) = (try operands.floats(.source), try operands.floats(.weights))
        let output = try operands.floats(.destination)
        let bias = request.hasBias ? try operands.floats(.bias) : nil
        let scratch = try operands.address(.scratchpad)
        let winners = operands.addresses[.winners]?.assumingMemoryBound(to: UInt8.self)
        if request.direction == .kernelGradient {
            return WinogradKernelGradientCall(
                spec: spec, images: images, upstream: output, gradient: kernel, winners: winners,
                biasGradient: bias, scratch: scratch)
        }
        return WinogradCall(
            spec, isGradient: request.direction == .inputGradient, images: images, kernel: kernel, bias: bias,
            output: output, winners: winners,
            transformed: request.hasLargeWinogradKernel ? nil : try operands.address(.packedWeights),
            scratch: scratch, keptKernel: operands.keptWeights)
    }
}

extension fovea_winograd {
    fileprivate static let channelBlock = 16

    /// The kernel's form of a convolution or one of its gradients; nil for other windows than 3×3 and 5×5, strides, dilations, groups,
    /// channels that do not fill blocks, more padding than the window reaches over, and other poolings than of 2×2 outputs each.
    fileprivate init?(_ request: ConvolutionRequest, threads: Int) {
        let rule = request.convolution
        guard WinogradConvolution.results(of: request) != nil, rule.strides == 1, rule.dilations == 1,
            rule.groups == 1, request.images.channels.isMultiple(of: Self.channelBlock),
            request.output.channels.isMultiple(of: Self.channelBlock),
            max(rule.padding.top, rule.padding.left) < request.kernel[0]
        else { return nil }
        if let pooling = request.pooling {
            guard pooling.window == SlidingWindow(2, strides: 2) else { return nil }
        }
        self.init()
        window = Int32(request.kernel[0])
        parts = Int32(request.winogradParts)
        slots = min(
            request.hasLargeWinogradKernel
                ? Int32(request.winogradResultChannels / Self.channelBlock) : parts,
            Int32(threads))
        batch = Int64(request.images[0])
        (height, width) = (Int64(request.images[1]), Int64(request.images[2]))
        (channels, filters) = (Int64(request.images.channels), Int64(request.output.channels))
        padding = (Int64(rule.padding.top), Int64(rule.padding.left))
        (output_height, output_width) = (Int64(request.output[1]), Int64(request.output[2]))
        relu = request.hasReLU ? 1 : 0
        ceiling = request.ceiling ?? 0
        pools = request.pooling == nil ? 0 : 1
        rectifies = request.pooling?.isRectified == true ? 1 : 0
    }

    fileprivate func scratchpadBytes(_ request: ConvolutionRequest) -> Int {
        withUnsafePointer(to: self) {
            switch request.direction {
            case .forward where request.hasLargeWinogradKernel: fovea_winograd_large_kernel_scratch($0, 0)
            case .inputGradient where request.hasLargeWinogradKernel:
                fovea_winograd_large_kernel_scratch($0, 1)
            case .forward: fovea_winograd_forward_scratch($0)
            case .inputGradient: fovea_winograd_input_gradient_scratch($0)
            case .kernelGradient: fovea_winograd_kernel_gradient_scratch($0)
            }
        }
    }
}

/// A convolution, or the gradient with respect to its images.
private final class WinogradCall: KernelCall {
    private let spec: fovea_winograd
    private let isGradient: Bool
    private let images, kernel, output: UnsafeMutablePointer<Float>
    private let bias: UnsafeMutablePointer<Float>?
    private let winners: UnsafeMutablePointer<UInt8>?
    /// Where the transformed kernel goes; nil for a large one, which is transformed piece by piece.
    private let transformed: UnsafeMutableRawPointer?
    private let scratch: UnsafeMutableRawPointer
    /// The kernel, if it is transformed again only when it has changed.
    private let keptKernel: (any Versioned)?
    private var transformedVersion: Int?

    init(
        _ spec: fovea_winograd, isGradient: Bool, images: UnsafeMutablePointer<Float>,
        kernel: UnsafeMutablePointer<Float>, bias: UnsafeMutablePointer<Float>?,
        output: UnsafeMutablePointer<Float>, winners: UnsafeMutablePointer<UInt8>?,
        transformed: UnsafeMutableRawPointer?, scratch: UnsafeMutableRawPointer, keptKernel: (any Versioned)?
    ) {
        (self.spec, self.isGradient) = (spec, isGradient)
        (self.images, self.kernel, self.bias) = (images, kernel, bias)
        (self.output, self.winners) = (output, winners)
        (self.transformed, self.scratch, self.keptKernel) = (transformed, scratch, keptKernel)
    }

    @Compute func run() {
        guard let transformed else { return runLarge() }
        let version = keptKernel?.version
        withUnsafePointer(to: spec) { spec in
            if version == nil || version != transformedVersion {
                fovea_winograd_transform(spec, isGradient ? 1 : 0, kernel, transformed)
            }
            if isGradient {
                fovea_winograd_input_gradient(spec, output, winners, transformed, images, scratch)
            } else {
                fovea_winograd_forward(spec, images, transformed, bias, output, winners, scratch)
            }
        }
        transformedVersion = version
    }

    private func runLarge() {
        withUnsafePointer(to: spec) { spec in
            if isGradient {
                fovea_winograd_input_gradient_large_kernel(spec, output, winners, kernel, images, scratch)
            } else {
                fovea_winograd_forward_large_kernel(spec, images, kernel, bias, output, winners, scratch)
            }
        }
    }
}

private struct WinogradKernelGradientCall: KernelCall {
    let spec: fovea_winograd
    let images, upstream, gradient: UnsafeMutablePointer<Float>
    let winners: UnsafeMutablePointer<UInt8>?
    let biasGradient: UnsafeMutablePointer<Float>?
    let scratch: UnsafeMutableRawPointer

    @Compute func run() {
        withUnsafePointer(to: spec) {
            fovea_winograd_kernel_gradient($0, images, upstream, winners, gradient, biasGradient, scratch)
        }
    }
}

extension ConvolutionRequest {
    var winogradTiles: Int? {
        guard let results = WinogradConvolution.results(of: self) else { return nil }
        return output[0] * ((output[1] + results - 1) / results) * ((output[2] + results - 1) / results)
    }

    /// Whether the transformed kernel would leave the caches, so that it is transformed again for each strip of tiles. This takes less
    /// time than to read all of it; for a smaller one, as long as there is only one strip.
    fileprivate var hasLargeWinogradKernel: Bool {
        guard direction != .kernelGradient, let tiles = winogradTiles else { return false }
        let weights = kernel[2] * kernel[3]
        let tilesInStrip = 96
        return weights >= 1 << 15 || weights >= 1 << 14 && tiles <= tilesInStrip
    }

    fileprivate var winogradResultChannels: Int {
        direction == .forward ? output.channels : images.channels
    }

    /// Into how many parts the work is cut, unless the kernel is large: then by groups of the result's channels.
    ///
    /// Parts of a kernel's gradient have sums of their own for all channels and filters, so that there are few of them. Gradients
    /// of images are cut by images, or those of one by blocks of its channels.
    fileprivate var winogradParts: Int {
        let tiles = winogradTiles ?? 0
        let nanoseconds =
            0.02 * Double(tiles * WinogradConvolution.productsOfTile / 16) * Double(kernel[2] * kernel[3])
        let wanted = PartedPrimitive.count(nanoseconds: nanoseconds)
        switch direction {
        case .forward:
            let tilesInPart = 36
            return PartedPrimitive.powerOfTwo(upTo: min(wanted, max(tiles / tilesInPart, 2)))
        case .inputGradient: return min(wanted, images[0] > 1 ? images[0] : images.channels / 16)
        case .kernelGradient:
            let (fewest, most, tilesInPart) = (2, 8, 400)
            return min(max(PartedPrimitive.powerOfTwo(upTo: tiles / tilesInPart), fewest), most)
        }
    }
}
