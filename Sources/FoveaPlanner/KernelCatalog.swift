import FoveaGraph

/// What the planner must know of a backend: which kernels it has and what these ask for. Asking does no computation, so a
/// planner test can answer from a table.
public protocol KernelCatalog: Sendable {
    /// The best kernel for a convolution or one of its gradients.
    func kernel(for request: ConvolutionRequest) throws -> any ConvolutionKernel
    /// The same for a request that has a pooling; nil where a convolution and a pooling do as well.
    func pooledKernel(for request: ConvolutionRequest) throws -> (any PooledConvolutionKernel)?
    /// Nil where two convolutions do as well.
    func kernel(for request: ExpandedDepthwiseRequest) throws -> (any ExpandedDepthwiseKernel)?
    func kernel(for request: MatMulRequest) throws -> any PreparedKernel
    func kernel(for request: PoolingRequest) throws -> any PoolingKernel
    func kernel(for request: NormalizationRequest) throws -> any PreparedKernel
    func kernel(for request: SoftmaxRequest) throws -> any PreparedKernel
    func kernel(for request: ReductionRequest) throws -> any PreparedKernel
    func kernel(for request: GatherRequest) throws -> any PreparedKernel
    func kernel(for request: ReorderRequest) throws -> any PreparedKernel
    /// Nil where elementwise passes do as well.
    func kernel(for request: MergeRequest) throws -> (any PreparedKernel)?
    func kernel(for request: ElementwiseRequest) throws -> any PreparedKernel
}

/// What a kernel is to compute, the same for all backends.
public protocol KernelRequest: Sendable {
    /// The kind of work, for people.
    var name: String { get }
    /// Multiplications and additions of the direct algorithm, for the kernels that consist of them; nil for others.
    var operationCount: Int? { get }
}

extension KernelRequest {
    public var operationCount: Int? { nil }
}

/// A backend's kernel for a request, ready to be given its operands. The planner reads what it asks for and puts it into the
/// plan; how it is run is a matter of the backend that made it.
public protocol PreparedKernel: Sendable {
    /// The backend's name for what it will run.
    var implementation: String { get }
    /// Memory to work in; 0, the default, for none.
    var scratchpadBytes: Int { get }
}

extension PreparedKernel {
    public var scratchpadBytes: Int { 0 }
}
