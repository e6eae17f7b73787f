import CKernels
import FoveaGraph
import FoveaPlanner

/// A product of matrices in a kernel of our own, where the library's packs the second one slowly.
struct PanelProduct: OneDNNMatMul {
    let request: MatMulRequest
    private let product: fovea_panel_product

    /// Nil for what the kernel does not do, and where the library's is faster.
    init?(_ request: MatMulRequest, threads: Int) {
        guard request.isSlowInLibrary, let product = fovea_panel_product(request, threads: threads) else {
            return nil
        }
        (self.request, self.product) = (request, product)
    }

    var algorithm: Algorithm { .direct }
    var implementation: String { "panel_product:\(OneDNNBackend.vectorKind)" }
    var scratchpadBytes: Int { withUnsafePointer(to: product) { fovea_panel_product_scratch($0) } }

    func call(_ operands: Operands) throws -> any KernelCall {
        try MatMulCall(product, request, operands, by: fovea_multiply_panels)
    }
}

extension MatMulRequest {
    /// Whether the library's kernel stays far below the peak.
    ///
    /// Its copies of a matrix's rows that are whole pages apart miss the cache where vectors are narrow, so that products take 1.4 to 1.6
    /// times as long as others of that size. With wide vectors it is slow for few rows where the matrix is transposed.
    fileprivate var isSlowInLibrary: Bool {
        switch OneDNNBackend.vectorKind {
        case "avx512": rows <= 64 && b.rowStride == 1
        case "avx2": b.columnStride == 1 && b.rowStride.isMultiple(of: Self.pageFloats)
        default: false
        }
    }

    private static let pageFloats = 1024
}

extension fovea_panel_product {
    private static let lanes = 16

    /// The kernel's form of a product; nil for batches, columns that leave lanes empty, and matrices that lie in another order.
    fileprivate init?(_ request: MatMulRequest, threads: Int) {
        let isPlain = request.b.columnStride == 1
        guard request.batch == 1, request.columns.isMultiple(of: Self.lanes),
            isPlain || request.b.rowStride == 1 && request.inner.isMultiple(of: Self.lanes),
            request.c.columnStride == 1, request.c.rowStride == request.columns
        else { return nil }
        self.init()
        slots = Int32(threads)
        (rows, inner, columns) = (Int64(request.rows), Int64(request.inner), Int64(request.columns))
        a_strides = (Int64(request.a.rowStride), Int64(request.a.columnStride))
        b_strides = (Int64(request.b.rowStride), Int64(request.b.columnStride))
        relu = request.hasReLU ? 1 : 0
    }
}
