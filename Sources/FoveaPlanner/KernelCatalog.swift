import FoveaGraph

/// What the planner must know of a backend: which kernels it has and how they want their operands laid out. Asking does
/// no computation, so a planner test can answer from a table.
public protocol KernelCatalog: Sendable {
    /// The best implementation of a convolution or one of its gradients.
    func choose(_ request: ConvolutionRequest) throws -> ConvolutionChoice
    func choose(_ request: PoolingRequest) throws -> PoolingChoice
    func choose(_ request: MatMulRequest) throws -> MatMulChoice
    func choose(_ request: NormalizationRequest) throws -> NormalizationChoice
    /// Whether a kernel normalizes images of the shape, channels last; if none does, elementwise passes do.
    func canNormalize(_ images: Shape) -> Bool
    func choose(_ request: ReorderRequest) throws -> SimpleChoice
    /// Nil where elementwise passes do as well.
    func choose(_ request: MergeRequest) throws -> SimpleChoice?
}

/// How sums of products are computed.
public enum Algorithm: Hashable, Sendable, CustomStringConvertible {
    /// As they are defined, in float32.
    case direct
    /// Winograd's F(4×4, 3×3), in float32 (Lavin and Gray 2016, arXiv:1509.09308).
    case winograd
    /// Each number as the sum of one, two or three bfloat16 numbers, whose products are summed in float32: errors of about
    /// 2⁻⁸, 2⁻¹⁶ and 2⁻²⁴ of each product.
    case bfloat16(terms: Int)

    public var description: String {
        switch self {
        case .direct: "direct"
        case .winograd: "winograd"
        case .bfloat16(let terms): "bfloat16×\(terms)"
        }
    }
}

public enum ConvolutionDirection: String, Hashable, Sendable {
    case forward = "convolution"
    case inputGradient = "convolution input gradient"
    case kernelGradient = "convolution kernel gradient"
}

/// A convolution to be computed. Whatever the direction, shapes are those of the forward convolution.
public struct ConvolutionRequest: Hashable, Sendable {
    public var direction: ConvolutionDirection
    public var convolution: Convolution
    public var images: Shape
    public var kernel: Shape
    public var output: Shape
    /// Forward: a bias is added. Kernel gradient: the bias's gradient is computed as well.
    public var hasBias = false
    /// Forward only: negative results become zero.
    public var hasReLU = false
}

public struct ConvolutionChoice: Hashable, Sendable {
    public var request: ConvolutionRequest
    public var algorithm: Algorithm
    public var images: Layout
    public var kernel: Layout
    public var output: Layout
    /// The library's name for what it will run.
    public var implementation: String
    public var scratchpadBytes: Int
    /// Memory for the kernel in a form of the implementation's own, which is made anew when the kernel changes; 0 for none.
    public var packedKernelBytes: Int

    public init(
        request: ConvolutionRequest, algorithm: Algorithm, images: Layout, kernel: Layout, output: Layout,
        implementation: String, scratchpadBytes: Int, packedKernelBytes: Int = 0
    ) {
        self.request = request
        self.algorithm = algorithm
        self.images = images
        self.kernel = kernel
        self.output = output
        self.implementation = implementation
        self.scratchpadBytes = scratchpadBytes
        self.packedKernelBytes = packedKernelBytes
    }
}

public struct PoolingRequest: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case max(isRectified: Bool)
        case average(countsPadding: Bool)
    }

    public var kind: Kind
    public var isGradient: Bool
    public var window: SlidingWindow
    public var images: Shape
    public var output: Shape
    public var imagesLayout: Layout
    public var outputLayout: Layout
    /// Max-pooling forward: remember the winners for the gradient.
    public var keepsWinners: Bool
}

public struct PoolingChoice: Hashable, Sendable {
    public var request: PoolingRequest
    public var implementation: String
    public var scratchpadBytes: Int
    /// Bytes that remember the winners; 0 when none are kept.
    public var winnersBytes: Int

    public init(request: PoolingRequest, implementation: String, scratchpadBytes: Int, winnersBytes: Int) {
        self.request = request
        self.implementation = implementation
        self.scratchpadBytes = scratchpadBytes
        self.winnersBytes = winnersBytes
    }
}

/// `c = a b (+ bias) (rectified)` for each of `batch` matrices, operands read by strides.
public struct MatMulRequest: Hashable, Sendable {
    public struct Matrix: Hashable, Sendable {
        /// 0 when all of the batch share the matrix.
        public var batchStride: Int
        public var rowStride: Int
        public var columnStride: Int
    }

    public var batch: Int
    public var rows: Int
    public var inner: Int
    public var columns: Int
    public var a: Matrix
    public var b: Matrix
    public var c: Matrix
    public var hasBias = false
    public var hasReLU = false
}

public struct MatMulChoice: Hashable, Sendable {
    public var request: MatMulRequest
    public var algorithm: Algorithm
    public var implementation: String
    public var scratchpadBytes: Int

    public init(request: MatMulRequest, algorithm: Algorithm, implementation: String, scratchpadBytes: Int) {
        self.request = request
        self.algorithm = algorithm
        self.implementation = implementation
        self.scratchpadBytes = scratchpadBytes
    }
}

/// Batch normalisation of images, or its gradients.
public struct NormalizationRequest: Hashable, Sendable {
    public var isGradient: Bool
    /// Negative results become zero; the gradient needs to be told by the forward kernel which.
    public var isRectified: Bool
    public var epsilon: Float
    /// Channels last.
    public var images: Shape
    /// Of the images, of the result and of their gradients.
    public var layout: Layout

    public init(isGradient: Bool, isRectified: Bool, epsilon: Float, images: Shape, layout: Layout) {
        self.isGradient = isGradient
        self.isRectified = isRectified
        self.epsilon = epsilon
        self.images = images
        self.layout = layout
    }
}

public struct NormalizationChoice: Hashable, Sendable {
    public var request: NormalizationRequest
    public var implementation: String
    public var scratchpadBytes: Int
    /// Bytes that remember which elements were rectified.
    public var maskBytes: Int

    public init(
        request: NormalizationRequest, implementation: String, scratchpadBytes: Int, maskBytes: Int
    ) {
        self.request = request
        self.implementation = implementation
        self.scratchpadBytes = scratchpadBytes
        self.maskBytes = maskBytes
    }
}

/// Two tensors of one layout merged, place by place: `a + b`, `a · b` or the larger of both.
public struct MergeRequest: Hashable, Sendable {
    public var kind: Binary
    /// Negative results become zero.
    public var isRectified: Bool
    /// Elements of memory.
    public var count: Int
}

/// A change of layout, or a copy into a part of other memory. Both sides are given over the same extents.
public struct ReorderRequest: Hashable, Sendable {
    public struct Side: Hashable, Sendable {
        public var strides: [Int]
        public var blocks: [PaddedLayout.Block] = []
        /// Elements before the first.
        public var offset = 0
    }

    public var extents: [Int]
    public var dtype: DType
    public var from: Side
    public var to: Side
    /// Whether `to` is memory of more than is copied.
    public var isPart = false
}

/// A kernel whose operands' layouts are those of the request.
public struct SimpleChoice: Hashable, Sendable {
    public var implementation: String
    public var scratchpadBytes: Int

    public init(implementation: String, scratchpadBytes: Int) {
        self.implementation = implementation
        self.scratchpadBytes = scratchpadBytes
    }
}
