import CKernels
import FoveaGraph
import FoveaPlanner

/// By the CPU's bfloat16 unit.
struct BFloat16MatMul: OneDNNMatMul {
    let request: MatMulRequest
    let algorithm: Algorithm
    private let spec: fovea_bfloat16_matmul

    /// Nil for what the kernel does not do.
    init?(_ request: MatMulRequest, _ algorithm: Algorithm) {
        guard let spec = fovea_bfloat16_matmul(request, algorithm) else { return nil }
        (self.request, self.algorithm, self.spec) = (request, algorithm, spec)
    }

    var implementation: String { "\(algorithm):\(OneDNNBackend.bfloat16Unit)" }
    var scratchpadBytes: Int { withUnsafePointer(to: spec) { fovea_bfloat16_matmul_scratch($0) } }

    func call(_ operands: Operands) throws -> any KernelCall {
        try MatMulCall(spec, request, operands, by: fovea_bfloat16_multiply)
    }
}

extension fovea_bfloat16_matmul {
    /// Into how many parts the work is cut, whatever the number of threads, because results depend on it.
    private static let parts: Int32 = 4

    /// The kernel's form of a matrix product; nil for algorithms in float32, for batches of matrices, and for matrices too
    /// small to fill tiles.
    fileprivate init?(_ request: MatMulRequest, _ algorithm: Algorithm) {
        let smallest = 16
        guard case .bfloat16(let terms) = algorithm, request.batch == 1,
            min(request.rows, request.inner, request.columns) >= smallest,
            request.a.rowStride == 1 || request.a.columnStride == 1,
            request.b.rowStride == 1 || request.b.columnStride == 1,
            request.c.columnStride == 1, request.c.rowStride == request.columns
        else { return nil }
        self.init()
        self.terms = Int32(terms)
        workers = Self.parts
        (rows, inner, columns) = (Int64(request.rows), Int64(request.inner), Int64(request.columns))
        a_strides = (Int64(request.a.rowStride), Int64(request.a.columnStride))
        b_strides = (Int64(request.b.rowStride), Int64(request.b.columnStride))
        relu = request.hasReLU ? 1 : 0
    }
}
