import CKernels
import FoveaGraph
import FoveaPlanner

/// By the CPU's bfloat16 unit.
struct BFloat16Convolution: OneDNNConvolution {
    let request: ConvolutionRequest
    let algorithm: Algorithm
    private let spec: fovea_bfloat16_convolution

    /// Nil for what the kernels do not do.
    init?(_ request: ConvolutionRequest, _ algorithm: Algorithm) {
        guard let spec = fovea_bfloat16_convolution(request, algorithm) else { return nil }
        (self.request, self.algorithm, self.spec) = (request, algorithm, spec)
    }

    private static let block = fovea_bfloat16_convolution.channelBlock

    var imagesLayout: Layout { .channelBlocks(Self.block, request.images) }
    var kernelLayout: Layout { .rowMajor(request.kernel) }
    var outputLayout: Layout { .channelBlocks(Self.block, request.output) }
    var implementation: String { "\(algorithm):\(OneDNNBackend.bfloat16Unit)" }
    var scratchpadBytes: Int { spec.scratchpadBytes(request.direction) }
    var packedKernelBytes: Int { spec.packedKernelBytes(request.direction) }

    func call(_ operands: Operands) throws -> any KernelCall {
        let memory = BFloat16ConvolutionCall.Memory(
            images: try operands.floats(.source), kernel: try operands.floats(.weights),
            output: try operands.floats(.destination),
            bias: request.hasBias ? try operands.floats(.bias) : nil,
            scratch: try operands.address(.scratchpad),
            packed: packedKernelBytes > 0 ? try operands.address(.packedWeights) : nil)
        return BFloat16ConvolutionCall(spec, request.direction, memory, keptKernel: operands.keptWeights)
    }
}

extension fovea_bfloat16_convolution {
    /// The kernel's form of a convolution or one of its gradients; nil for algorithms in float32 and for what the kernels do
    /// not do or not do well: groups, channels that do not fill blocks, more padding than the window reaches over, strides or
    /// dilations with small batches.
    fileprivate init?(_ request: ConvolutionRequest, _ algorithm: Algorithm) {
        let (rule, window) = (request.convolution, (height: request.kernel[0], width: request.kernel[1]))
        guard case .bfloat16(let terms) = algorithm, rule.groups == 1,
            request.images.channels.isMultiple(of: Self.channelBlock),
            request.output.channels.isMultiple(of: Self.channelBlock),
            max(rule.padding.top, rule.padding.bottom) <= (window.height - 1) * rule.dilations.height,
            max(rule.padding.left, rule.padding.right) <= (window.width - 1) * rule.dilations.width
        else { return nil }
        self.init()
        self.terms = Int32(terms)
        workers = Int32(Self.workers(request))
        batch = Int64(request.images[0])
        (height, width, channels) = (
            Int64(request.images[1]), Int64(request.images[2]), Int64(request.images[3])
        )
        filters = Int64(request.output.channels)
        self.window = (Int64(window.height), Int64(window.width))
        strides = (Int64(rule.strides.height), Int64(rule.strides.width))
        dilations = (Int64(rule.dilations.height), Int64(rule.dilations.width))
        padding = (Int64(rule.padding.top), Int64(rule.padding.left))
        (output_height, output_width) = (Int64(request.output[1]), Int64(request.output[2]))
        relu = request.hasReLU ? 1 : 0
        ceiling = request.ceiling ?? 0
        let isForward: Int32 = request.direction == .forward ? 1 : 0
        guard withUnsafePointer(to: self, { fovea_bfloat16_suits($0, isForward) }) != 0 else { return nil }
    }

    fileprivate static let channelBlock = 16

    /// Into how many parts the work is cut. It depends on shapes alone, because results depend on it. Parts of a kernel's gradient
    /// have sums of their own.
    private static func workers(_ request: ConvolutionRequest) -> Int {
        let (fewest, most, mostSums) = (2, 8, 1 << 20)
        guard request.direction == .kernelGradient else { return most }
        return min(max(mostSums / request.kernel.elementCount, fewest), most)
    }

    fileprivate func scratchpadBytes(_ direction: ConvolutionDirection) -> Int {
        withUnsafePointer(to: self) {
            switch direction {
            case .forward: fovea_bfloat16_forward_scratch($0)
            case .inputGradient: fovea_bfloat16_input_gradient_scratch($0)
            case .kernelGradient: fovea_bfloat16_kernel_gradient_scratch($0)
            }
        }
    }

    fileprivate func packedKernelBytes(_ direction: ConvolutionDirection) -> Int {
        withUnsafePointer(to: self) {
            switch direction {
            case .forward: fovea_bfloat16_forward_kernel_bytes($0)
            case .inputGradient: fovea_bfloat16_input_gradient_kernel_bytes($0)
            case .kernelGradient: 0
            }
        }
    }
}

private final class BFloat16ConvolutionCall: KernelCall {
    /// Of the gradient with respect to what it names, where that is computed.
    struct Memory {
        let images, kernel, output: UnsafeMutablePointer<Float>
        let bias: UnsafeMutablePointer<Float>?
        let scratch: UnsafeMutableRawPointer
        /// Where the kernel is packed; nil for kernel gradients.
        let packed: UnsafeMutableRawPointer?
    }

    private let spec: fovea_bfloat16_convolution
    private let direction: ConvolutionDirection
    private let memory: Memory
    /// The kernel, if it is packed again only when it has changed.
    private let keptKernel: (any Versioned)?
    private var packedVersion: Int?

    init(
        _ spec: fovea_bfloat16_convolution, _ direction: ConvolutionDirection, _ memory: Memory,
        keptKernel: (any Versioned)?
    ) {
        self.spec = spec
        self.direction = direction
        self.memory = memory
        self.keptKernel = keptKernel
    }

    @Compute func run() {
        let (images, kernel, output) = (memory.images, memory.kernel, memory.output)
        let (bias, packed, scratch) = (memory.bias, memory.packed, memory.scratch)
        let version = keptKernel?.version
        let packing =
            keptKernel == nil ? FOVEA_PACK : version == packedVersion ? FOVEA_PACKED : FOVEA_PACK_AND_KEEP
        packedVersion = version
        withUnsafePointer(to: spec) { spec in
            switch direction {
            case .forward:
                fovea_bfloat16_forward(spec, images, kernel, packed, packing, bias, output, scratch)
            case .inputGradient:
                fovea_bfloat16_input_gradient(spec, output, kernel, packed, packing, images, scratch)
            case .kernelGradient: fovea_bfloat16_kernel_gradient(spec, images, output, kernel, bias, scratch)
            }
        }
    }
}
