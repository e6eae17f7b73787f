import FoveaGraph
import FoveaPlanner

/// A backend that exists on paper: convolutions want blocks of channels, each direction blocks of its own.
struct FakeCatalog: KernelCatalog {
    /// The channel block of images and of the kernel, by direction of a convolution.
    var blocks: [ConvolutionDirection: Int]
    var scratchpadBytes = 100
    var packedKernelBytes = 150
    /// Merges of fewer elements are elementwise passes.
    var leastMerged = Int.max

    init(_ block: Int = 16) { self.init(forward: block, inputGradient: block, kernelGradient: block) }

    init(forward: Int, inputGradient: Int, kernelGradient: Int) {
        blocks = [.forward: forward, .inputGradient: inputGradient, .kernelGradient: kernelGradient]
    }

    /// Convolutions have kernels that pool as well.
    var pools = false
    /// An expansion and the depthwise convolution behind it have a kernel.
    var expands = false

    /// A kernel on paper.
    struct Kernel: PooledConvolutionKernel, PoolingKernel, ExpandedDepthwiseKernel {
        var implementation = "fake"
        var scratchpadBytes = 0
        var imagesLayout = Layout([])
        var kernelLayout = Layout([])
        var outputLayout = Layout([])
        var packedKernelBytes = 0
        var winnersBytes = 0
        var expansionLayout: Layout { kernelLayout }
        var depthwiseLayout = Layout([])
    }

    func kernel(for request: ConvolutionRequest) -> any ConvolutionKernel {
        let block = blocks[request.direction] ?? 16
        let isDepthwise = request.convolution.groups > 1
        return Kernel(
            scratchpadBytes: scratchpadBytes, imagesLayout: Self.images(request.images, block),
            kernelLayout: isDepthwise
                ? .rowMajor(request.kernel)
                : Self.kernel(
                    request.kernel, block, inputsInside: request.direction == .inputGradient),
            outputLayout: Self.images(request.output, block),
            packedKernelBytes: request.direction == .kernelGradient ? 0 : packedKernelBytes)
    }

    func pooledKernel(for request: ConvolutionRequest) -> (any PooledConvolutionKernel)? {
        guard pools, let pooling = request.pooling, var kernel = kernel(for: request) as? Kernel else {
            return nil
        }
        kernel.outputLayout = Self.images(pooling.output, blocks[request.direction] ?? 16)
        kernel.winnersBytes = pooling.keepsWinners ? pooling.output.elementCount : 0
        return kernel
    }

    func kernel(for request: ExpandedDepthwiseRequest) -> (any ExpandedDepthwiseKernel)? {
        guard expands else { return nil }
        let (first, second) = (request.expansion, request.depthwise)
        let block = blocks[.forward] ?? 16
        return Kernel(
            scratchpadBytes: scratchpadBytes, imagesLayout: Self.images(first.images, block),
            kernelLayout: Self.kernel(first.kernel, block, inputsInside: false),
            outputLayout: Self.images(second.output, block), depthwiseLayout: .rowMajor(second.kernel))
    }

    func kernel(for request: PoolingRequest) -> any PoolingKernel {
        Kernel(
            implementation: "fake pooling",
            winnersBytes: request.keepsWinners ? request.output.elementCount : 0)
    }

    func kernel(for request: NormalizationRequest) -> any PreparedKernel {
        Kernel(implementation: "fake normalisation", scratchpadBytes: scratchpadBytes)
    }

    func kernel(for request: MatMulRequest) -> any PreparedKernel { Kernel() }
    func kernel(for request: SoftmaxRequest) -> any PreparedKernel { Kernel() }
    func kernel(for request: ReductionRequest) -> any PreparedKernel { Kernel() }
    func kernel(for request: GatherRequest) -> any PreparedKernel { Kernel() }
    func kernel(for request: ReorderRequest) -> any PreparedKernel { Kernel() }
    func kernel(for request: ElementwiseRequest) -> any PreparedKernel { Kernel() }
    func kernel(for request: MergeRequest) -> (any PreparedKernel)? {
        request.count < leastMerged ? nil : Kernel()
    }

    /// Images `[n, h, w, c]` in memory order n, c/block, h, w, block; few channels stay in row-major order.
    static func images(_ shape: Shape, _ block: Int) -> Layout {
        if shape.channels < 4 { return .rowMajor(shape) }
        let plane = shape[1] * shape[2] * block
        return blocked(
            shape, strides: [(shape.channels + block - 1) / block * plane, shape[2] * block, block, plane],
            blocks: [.init(axis: 3, size: block)])
    }

    /// Kernels `[h, w, i, o]` in memory order o/block, i/block, h, w, and a block of both.
    static func kernel(_ shape: Shape, _ block: Int, inputsInside: Bool) -> Layout {
        let window = shape[0] * shape[1] * block * block
        let blocks = [PaddedLayout.Block(axis: 2, size: block), .init(axis: 3, size: block)]
        return blocked(
            shape,
            strides: [
                shape[1] * block * block, block * block, window, (shape[2] + block - 1) / block * window,
            ],
            blocks: inputsInside ? blocks.reversed() : blocks)
    }

    private static func blocked(_ shape: Shape, strides: [Int], blocks: [PaddedLayout.Block]) -> Layout {
        var modes: [[AxisMode]] = []
        for (axis, extent) in shape.dimensions.enumerated() {
            guard let place = blocks.firstIndex(where: { $0.axis == axis }) else {
                modes.append([AxisMode(extent, strides[axis])])
                continue
            }
            guard extent.isMultiple(of: blocks[place].size) else {
                return .padded(PaddedLayout(extents: shape.dimensions, strides: strides, blocks: blocks))
            }
            let inner = blocks[(place + 1)...].reduce(1) { $0 * $1.size }
            modes.append([
                AxisMode(extent / blocks[place].size, strides[axis]), AxisMode(blocks[place].size, inner),
            ])
        }
        return Layout(modes.flatMap { $0 })
    }
}
