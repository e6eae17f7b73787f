import CKernels
import FoveaGraph
import FoveaPlanner

/// A convolution of images with few channels, or its kernel's gradient, directly and in kernels of our own, which may pool the result
/// before it is stored.
struct NarrowConvolution: OneDNNConvolution, PooledConvolutionKernel {
    let request: ConvolutionRequest
    private let spec: fovea_narrow_convolution

    /// Nil for what the kernels do not do.
    init?(_ request: ConvolutionRequest) {
        guard let spec = fovea_narrow_convolution(request) else { return nil }
        (self.request, self.spec) = (request, spec)
    }

    private static let block = 16
    private var storedOutput: Shape { request.pooling?.output ?? request.output }

    var algorithm: Algorithm { .direct }
    var imagesLayout: Layout { .rowMajor(request.images) }
    var kernelLayout: Layout { .rowMajor(request.kernel) }
    var outputLayout: Layout { .channelBlocks(Self.block, storedOutput) }
    var implementation: String { "narrow:\(OneDNNBackend.vectorKind)" }
    var packedKernelBytes: Int { 0 }
    var winnersBytes: Int { request.pooling?.keepsWinners == true ? storedOutput.elementCount : 0 }
    var scratchpadBytes: Int {
        withUnsafePointer(to: spec) {
            request.direction == .forward
                ? fovea_narrow_forward_scratch($0) : fovea_narrow_kernel_gradient_scratch($0)
        }
    }

    func call(_ operands: Operands) throws -> any KernelCall {
        NarrowConvolutionCall(
            spec: spec, isGradient: request.direction == .kernelGradient,
            images: try operands.floats(.source),
            kernel: try operands.floats(.weights), bias: request.hasBias ? try operands.floats(.bias) : nil,
            output: try operands.floats(.destination), winners: operands.addresses[.winners],
            scratch: operands.addresses[.scratchpad])
    }
}

extension fovea_narrow_convolution {
    private static let mostChannels = 4
    private static let channelBlock = 16
    /// Each has sums of its own for a kernel's gradient.
    private static let mostParts = 16

    /// The kernel's form of a convolution or its kernel's gradient; nil for images of more channels, dilations, groups, filters that do
    /// not fill blocks, and other poolings than of 2×2 outputs each.
    fileprivate init?(_ request: ConvolutionRequest) {
        let rule = request.convolution
        guard request.direction != .inputGradient, request.images.channels <= Self.mostChannels,
            rule.groups == 1, rule.dilations == 1, request.output.channels.isMultiple(of: Self.channelBlock)
        else { return nil }
        if let pooling = request.pooling {
            guard pooling.window == SlidingWindow(2, strides: 2) else { return nil }
        }
        self.init()
        let nanoseconds = Double(request.operationCount ?? 0) / 200
        parts = Int32(min(PartedPrimitive.count(nanoseconds: nanoseconds), Self.mostParts))
        batch = Int64(request.images[0])
        (height, width) = (Int64(request.images[1]), Int64(request.images[2]))
        (channels, filters) = (Int64(request.images.channels), Int64(request.output.channels))
        window = (Int64(request.kernel[0]), Int64(request.kernel[1]))
        strides = (Int64(rule.strides.height), Int64(rule.strides.width))
        padding = (Int64(rule.padding.top), Int64(rule.padding.left))
        (output_height, output_width) = (Int64(request.output[1]), Int64(request.output[2]))
        relu = request.hasReLU ? 1 : 0
        ceiling = request.ceiling ?? 0
        pools = request.pooling == nil ? 0 : 1
        rectifies = request.pooling?.isRectified == true ? 1 : 0
    }
}

private struct NarrowConvolutionCall: KernelCall {
    let spec: fovea_narrow_convolution
    let isGradient: Bool
    let images, kernel: UnsafeMutablePointer<Float>
    let bias: UnsafeMutablePointer<Float>?
    let output: UnsafeMutablePointer<Float>
    let winners, scratch: UnsafeMutableRawPointer?

    @Compute func run() {
        let winners = winners?.assumingMemoryBound(to: UInt8.self)
        withUnsafePointer(to: spec) {
            if isGradient {
                fovea_narrow_kernel_gradient($0, images, output, winners, kernel, bias, scratch)
            } else {
                fovea_narrow_forward($0, images, kernel, bias, output, winners, scratch)
            }
        }
    }
}
