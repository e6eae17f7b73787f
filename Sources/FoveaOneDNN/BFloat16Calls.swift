import CKernels
import FoveaGraph
import FoveaPlanner
import FoveaRuntime

extension fovea_bfloat16_convolution {
    /// The kernel's form of a convolution or one of its gradients; nil for algorithms in float32 and for what the kernels do
    /// not do or not do well: groups, channels that do not fill blocks, more padding than the window reaches over, strides or
    /// dilations with small batches.
    init?(_ request: ConvolutionRequest, _ algorithm: Algorithm, threads: Int) {
        let (rule, window) = (request.convolution, (height: request.kernel[0], width: request.kernel[1]))
        guard case .bfloat16(let terms) = algorithm, rule.groups == 1,
            request.images.channels.isMultiple(of: Self.channelBlock),
            request.output.channels.isMultiple(of: Self.channelBlock),
            max(rule.padding.top, rule.padding.bottom) <= (window.height - 1) * rule.dilations.height,
            max(rule.padding.left, rule.padding.right) <= (window.width - 1) * rule.dilations.width
        else { return nil }
        self.init()
        self.terms = Int32(terms)
        workers = Int32(threads)
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
        let isForward: Int32 = request.direction == .forward ? 1 : 0
        guard withUnsafePointer(to: self, { fovea_bfloat16_suits($0, isForward) }) != 0 else { return nil }
    }

    static let channelBlock = 16

    func scratchpadBytes(_ direction: ConvolutionDirection) -> Int {
        withUnsafePointer(to: self) {
            switch direction {
            case .forward: fovea_bfloat16_forward_scratch($0)
            case .inputGradient: fovea_bfloat16_input_gradient_scratch($0)
            case .kernelGradient: fovea_bfloat16_kernel_gradient_scratch($0)
            }
        }
    }

    func packedKernelBytes(_ direction: ConvolutionDirection) -> Int {
        withUnsafePointer(to: self) {
            switch direction {
            case .forward: fovea_bfloat16_forward_kernel_bytes($0)
            case .inputGradient: fovea_bfloat16_input_gradient_kernel_bytes($0)
            case .kernelGradient: 0
            }
        }
    }
}

extension ConvolutionChoice {
    /// The choice of the bfloat16 kernels, if they do this; nil otherwise.
    init?(bfloat16 request: ConvolutionRequest, _ algorithm: Algorithm, threads: Int) {
        guard let spec = fovea_bfloat16_convolution(request, algorithm, threads: threads) else { return nil }
        let block = fovea_bfloat16_convolution.channelBlock
        self.init(
            request: request, algorithm: algorithm, images: .channelBlocks(block, request.images),
            kernel: .rowMajor(request.kernel), output: .channelBlocks(block, request.output),
            implementation: "\(algorithm):\(OneDNNBackend.bfloat16Unit)",
            scratchpadBytes: spec.scratchpadBytes(request.direction),
            packedKernelBytes: spec.packedKernelBytes(request.direction))
    }
}

final class BFloat16ConvolutionCall: KernelCall {
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
    /// The kernel's memory, if it is packed again only when it has changed.
    private let keptKernel: ResidentStorage?
    private var packedVersion: Int?

    init(
        _ spec: fovea_bfloat16_convolution, _ direction: ConvolutionDirection, _ memory: Memory,
        keptKernel: ResidentStorage?
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

extension fovea_bfloat16_matmul {
    /// The kernel's form of a matrix product; nil for algorithms in float32, for batches of matrices, and for matrices too
    /// small to fill tiles.
    init?(_ request: MatMulRequest, _ algorithm: Algorithm, threads: Int) {
        let smallest = 16
        guard case .bfloat16(let terms) = algorithm, request.batch == 1,
            min(request.rows, request.inner, request.columns) >= smallest,
            request.a.rowStride == 1 || request.a.columnStride == 1,
            request.b.rowStride == 1 || request.b.columnStride == 1,
            request.c.columnStride == 1, request.c.rowStride == request.columns
        else { return nil }
        self.init()
        self.terms = Int32(terms)
        workers = Int32(threads)
        (rows, inner, columns) = (Int64(request.rows), Int64(request.inner), Int64(request.columns))
        a_strides = (Int64(request.a.rowStride), Int64(request.a.columnStride))
        b_strides = (Int64(request.b.rowStride), Int64(request.b.columnStride))
        relu = request.hasReLU ? 1 : 0
    }
}

extension MatMulChoice {
    /// The choice of the bfloat16 kernels, if they do this; nil otherwise.
    init?(bfloat16 request: MatMulRequest, _ algorithm: Algorithm, threads: Int) {
        guard let spec = fovea_bfloat16_matmul(request, algorithm, threads: threads) else { return nil }
        self.init(
            request: request, algorithm: algorithm,
            implementation: "\(algorithm):\(OneDNNBackend.bfloat16Unit)",
            scratchpadBytes: withUnsafePointer(to: spec) { fovea_bfloat16_matmul_scratch($0) })
    }
}

struct BFloat16MatMulCall: KernelCall {
    let spec: fovea_bfloat16_matmul
    let a, b: UnsafePointer<Float>
    let bias: UnsafePointer<Float>?
    let c: UnsafeMutablePointer<Float>
    let scratch: UnsafeMutableRawPointer

    func run() {
        withUnsafePointer(to: spec) { fovea_bfloat16_multiply($0, a, b, bias, c, scratch) }
    }
}
