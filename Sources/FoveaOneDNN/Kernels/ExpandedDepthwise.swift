import CKernels
import FoveaGraph
import FoveaPlanner

extension OneDNNCatalog {
    /// Only where other kernels, too, want blocks of 16 channels: changing the layout of what is many times as large costs more than is
    /// won.
    func kernel(for request: ExpandedDepthwiseRequest) -> (any ExpandedDepthwiseKernel)? {
        guard OneDNNBackend.vectorKind == "avx512", usualBFloat16(isForwardConvolution: true) == nil else {
            return nil
        }
        return ExpandedDepthwise(request, threads: threads)
    }
}

/// A 1×1 convolution and the depthwise one behind it, directly and in kernels of our own.
private struct ExpandedDepthwise: ExpandedDepthwiseKernel, OneDNNKernel {
    let request: ExpandedDepthwiseRequest
    private let spec: fovea_expanded_depthwise

    /// Nil for what the kernels do not do.
    init?(_ request: ExpandedDepthwiseRequest, threads: Int) {
        guard let spec = fovea_expanded_depthwise(request, threads: threads) else { return nil }
        (self.request, self.spec) = (request, spec)
    }

    private static let block = 16

    var imagesLayout: Layout { .channelBlocks(Self.block, request.expansion.images) }
    var expansionLayout: Layout { Self.filterBlocks(request.expansion.kernel) }
    var depthwiseLayout: Layout { Self.filterBlocks(request.depthwise.kernel) }
    var outputLayout: Layout { .channelBlocks(Self.block, request.depthwise.output) }
    var implementation: String { "expanded_depthwise:\(OneDNNBackend.vectorKind)" }
    var scratchpadBytes: Int { withUnsafePointer(to: spec) { fovea_expanded_depthwise_scratch($0) } }

    /// A kernel as `[filters / 16, height, width, channels, 16]`.
    private static func filterBlocks(_ kernel: Shape) -> Layout {
        let (height, width, channels) = (kernel[0], kernel[1], kernel[2])
        return Layout([
            AxisMode(height, width * channels * block), AxisMode(width, channels * block),
            AxisMode(channels, block), AxisMode(kernel[3] / block, height * width * channels * block),
            AxisMode(block, 1),
        ])
    }

    func call(_ operands: Operands) throws -> any KernelCall {
        ExpandedDepthwiseCall(
            spec: spec, images: try operands.floats(.source), expansion: try operands.floats(.weights),
            expansionBias: request.expansion.hasBias ? try operands.floats(.bias) : nil,
            depthwise: try operands.floats(.depthwiseWeights),
            depthwiseBias: request.depthwise.hasBias ? try operands.floats(.depthwiseBias) : nil,
            output: try operands.floats(.destination), scratch: try operands.address(.scratchpad))
    }
}

extension fovea_expanded_depthwise {
    private static let filterBlock = 16

    /// The kernel's form of two convolutions; nil for dilations, several filters for a channel, and filters that do not fill blocks.
    fileprivate init?(_ request: ExpandedDepthwiseRequest, threads: Int) {
        let (first, second) = (request.expansion, request.depthwise)
        let rule = second.convolution
        guard rule.dilations == 1, second.output.channels == second.images.channels,
            second.output.channels.isMultiple(of: Self.filterBlock)
        else { return nil }
        self.init()
        self.threads = Int32(threads)
        batch = Int64(first.images[0])
        (height, width) = (Int64(first.images[1]), Int64(first.images[2]))
        (channels, filters) = (Int64(first.images.channels), Int64(first.output.channels))
        window = (Int64(second.kernel[0]), Int64(second.kernel[1]))
        strides = (Int64(rule.strides.height), Int64(rule.strides.width))
        padding = (Int64(rule.padding.top), Int64(rule.padding.left))
        (output_height, output_width) = (Int64(second.output[1]), Int64(second.output[2]))
        relu = (first.hasReLU ? 1 : 0, second.hasReLU ? 1 : 0)
        ceilings = (first.ceiling ?? 0, second.ceiling ?? 0)
    }
}

private struct ExpandedDepthwiseCall: KernelCall {
    let spec: fovea_expanded_depthwise
    let images, expansion: UnsafeMutablePointer<Float>
    let expansionBias: UnsafeMutablePointer<Float>?
    let depthwise: UnsafeMutablePointer<Float>
    let depthwiseBias: UnsafeMutablePointer<Float>?
    let output: UnsafeMutablePointer<Float>
    let scratch: UnsafeMutableRawPointer

    @Compute func run() {
        withUnsafePointer(to: spec) {
            fovea_expanded_depthwise_forward(
                $0, images, expansion, expansionBias, depthwise, depthwiseBias, output, scratch)
        }
    }
}
