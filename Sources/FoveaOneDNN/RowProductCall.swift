import CKernels
import FoveaGraph
import FoveaPlanner

extension fovea_row_product {
    /// The kernel's form of a product of few rows with a row-major matrix; nil for other products.
    ///
    /// Such a product lasts as long as reading the matrix. The library's kernels read columns in blocks, a little of each
    /// memory page at a time, and take twice as long for matrices that no cache holds.
    init?(_ request: MatMulRequest, threads: Int) {
        guard request.batch == 1, request.rows <= Self.mostRows, request.b.columnStride == 1,
            request.b.rowStride == request.columns, request.c.columnStride == 1,
            request.c.rowStride == request.columns
        else { return nil }
        self.init()
        workers = Int32(threads)
        (rows, inner, columns) = (Int64(request.rows), Int64(request.inner), Int64(request.columns))
        a_strides = (Int64(request.a.rowStride), Int64(request.a.columnStride))
        relu = request.hasReLU ? 1 : 0
    }

    /// With more rows arithmetic takes longer than reading.
    private static let mostRows = 4

    var scratchpadBytes: Int { withUnsafePointer(to: self) { fovea_row_product_scratch($0) } }
}

struct RowProductCall: KernelCall {
    let product: fovea_row_product
    let a, b: UnsafePointer<Float>
    let bias: UnsafePointer<Float>?
    let c: UnsafeMutablePointer<Float>
    let scratch: UnsafeMutableRawPointer

    func run() {
        withUnsafePointer(to: product) { fovea_multiply_rows($0, a, b, bias, c, scratch) }
    }
}
