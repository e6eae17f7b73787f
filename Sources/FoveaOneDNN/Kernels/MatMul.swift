import CKernels
import FoveaGraph
import FoveaPlanner

extension OneDNNCatalog {
    func kernel(for request: MatMulRequest) throws -> any PreparedKernel {
        if let algorithm = tuned[.matmul(request)], let kernel = try kernel(for: request, algorithm) {
            return kernel
        }
        return try usualKernel(for: request)
    }

    func usualKernel(for request: MatMulRequest) throws -> any OneDNNMatMul {
        if let algorithm = usualBFloat16(isForwardConvolution: false),
            let kernel = try kernel(for: request, algorithm)
        {
            return kernel
        }
        return try directKernel(for: request)
    }

    /// The kernel for an algorithm; nil, or oneDNN's error, where there is none.
    func kernel(for request: MatMulRequest, _ algorithm: Algorithm) throws -> (any OneDNNMatMul)? {
        switch algorithm {
        case .bfloat16: BFloat16MatMul(request, algorithm)
        case .direct: try directKernel(for: request)
        case .winograd: nil
        }
    }

    private func directKernel(for request: MatMulRequest) throws -> any OneDNNMatMul {
        if let product = RowProduct(request) { return product }
        return try PanelProduct(request, threads: threads) ?? LibraryMatMul(request, threads: threads)
    }
}

/// A product of matrices.
protocol OneDNNMatMul: ContractionKernel {
    var request: MatMulRequest { get }
}

extension OneDNNMatMul {
    var contraction: ContractionRequest { .matmul(request) }

    var operandBytes: [ContractionOperand: Int] {
        func span(_ matrix: MatMulRequest.Matrix, _ rows: Int, _ columns: Int) -> Int {
            (request.batch - 1) * matrix.batchStride + (rows - 1) * matrix.rowStride
                + (columns - 1) * matrix.columnStride + 1
        }
        return operandBytes(
            [
                .source: span(request.a, request.rows, request.inner),
                .weights: span(request.b, request.inner, request.columns), .bias: request.columns,
                .destination: span(request.c, request.rows, request.columns),
            ],
            results: [.destination])
    }
}

/// A product in a kernel of our own.
struct MatMulCall<Form>: KernelCall {
    typealias Multiplication = (
        UnsafePointer<Form>?, _ a: UnsafePointer<Float>?, _ b: UnsafePointer<Float>?,
        _ bias: UnsafePointer<Float>?,
        _ c: UnsafeMutablePointer<Float>?, _ scratch: UnsafeMutableRawPointer?
    ) -> Void

    private let form: Form
    private let multiply: Multiplication
    private let a, b: UnsafePointer<Float>
    private let bias: UnsafePointer<Float>?
    private let c: UnsafeMutablePointer<Float>
    private let scratch: UnsafeMutableRawPointer

    init(_ form: Form, _ request: MatMulRequest, _ operands: Operands, by multiply: @escaping Multiplication)
        throws
    {
        (self.form, self.multiply) = (form, multiply)
        (a, b) = (UnsafePointer(try operands.floats(.source)), UnsafePointer(try operands.floats(.weights)))
        bias = request.hasBias ? UnsafePointer(try operands.floats(.bias)) : nil
        (c, scratch) = (try operands.floats(.destination), try operands.address(.scratchpad))
    }

    func run() { withUnsafePointer(to: form) { multiply($0, a, b, bias, c, scratch) } }
}

// MARK: - By oneDNN

private struct LibraryMatMul: OneDNNMatMul, PrimitiveKernel {
    let request: MatMulRequest
    let primitive: PartedPrimitive
    /// With a ReLU, if there is to be one.
    private let rectified: RectifiedPrimitive?

    var algorithm: Algorithm { .direct }

    init(_ request: MatMulRequest, threads: Int) throws {
        let primitive = try PartedPrimitive(request, threads: threads)
        (self.request, self.primitive) = (request, primitive)
        guard request.hasReLU else {
            rectified = nil
            return
        }
        let (rows, columns) = (request.batch * request.rows, request.columns)
        let matrices = request.b.batchStride == 0 ? 1 : request.batch
        var operands: [RectifiedPrimitive.Block] = [
            .init(role: .source, count: rows * request.inner),
            .init(role: .weights, count: matrices * request.inner * columns),
        ]
        if request.hasBias { operands.append(.init(role: .bias, count: columns)) }
        rectified = try RectifiedPrimitive(
            primitive, operands: operands, result: .init(role: .destination, count: rows * columns)
        ) { try PartedPrimitive(request, fusesReLU: true, threads: threads) }
    }

    func call(_ operands: Operands) throws -> any KernelCall {
        try rectified?.call(operands) ?? primitive.call(operands)
    }
}

extension PartedPrimitive {
    /// A product in parts: of a batch, or of the longer side of the result. Where they sum over different numbers nothing is cut.
    fileprivate init(_ request: MatMulRequest, fusesReLU: Bool = false, threads: Int) throws {
        let (batch, rows, columns) = (request.batch, request.rows, request.columns)
        let moved = 4 * batch * (rows * request.inner + request.inner * columns + rows * columns)
        let nanoseconds = Double(2 * batch * rows * request.inner * columns) / 250 + Double(moved) * 0.015
        // Each part brings one of the matrices into an order of its own.
        let wanted = min(Self.count(nanoseconds: nanoseconds), 8)
        var primitives: [Int: Primitive] = [:]
        func part(_ count: Int, _ change: (inout MatMulRequest) -> Void) throws -> Part {
            var part = request
            change(&part)
            let primitive = try primitives[count] ?? Primitive(part, fusesReLU: fusesReLU)
            primitives[count] = primitive
            return Part(primitive: primitive)
        }
        let parts =
            try batch > 1
            ? Part.ranges(batch, step: 1, wanted: wanted).map { first, count in
                var part = try part(count) { $0.batch = count }
                part.offsets = [
                    .source: first * request.a.batchStride, .weights: first * request.b.batchStride,
                    .destination: first * request.c.batchStride,
                ]
                return part
            }
            : columns >= rows
                ? Part.ranges(columns, step: 32, wanted: wanted).map { first, count in
                    var part = try part(count) { $0.columns = count }
                    part.offsets = [
                        .weights: first * request.b.columnStride,
                        .destination: first * request.c.columnStride,
                    ]
                    if request.hasBias { part.offsets[.bias] = first }
                    return part
                }
                : Part.ranges(rows, step: 16, wanted: wanted).map { first, count in
                    var part = try part(count) { $0.rows = count }
                    part.offsets = [
                        .source: first * request.a.rowStride, .destination: first * request.c.rowStride,
                    ]
                    return part
                }
        self.init(
            parts.map { part in
                var part = part
                part.offsets = part.offsets.mapValues { $0 * MemoryLayout<Float>.size }
                return part
            }, nanoseconds: nanoseconds, threads: threads)
    }
}

extension Primitive {
    /// - Parameter fusesReLU: as for convolutions.
    fileprivate convenience init(_ request: MatMulRequest, fusesReLU: Bool = false) throws {
        func memory(_ rows: Int, _ columns: Int, _ matrix: MatMulRequest.Matrix) -> fovea_memory {
            guard request.batch > 1 else {
                return fovea_memory(
                    [rows, columns], strides: [matrix.rowStride, matrix.columnStride], order: [0, 1])
            }
            let isShared = matrix.batchStride == 0
            return fovea_memory(
                [isShared ? 1 : request.batch, rows, columns],
                strides: [
                    isShared ? rows * columns : matrix.batchStride, matrix.rowStride, matrix.columnStride,
                ],
                order: [0, 1, 2])
        }
        var spec = fovea_matmul()
        spec.has_bias = request.hasBias ? 1 : 0
        spec.relu = request.hasReLU && fusesReLU ? 1 : 0
        spec.a = memory(request.rows, request.inner, request.a)
        spec.b = memory(request.inner, request.columns, request.b)
        spec.c = memory(request.rows, request.columns, request.c)
        let ones = [Int](repeating: 1, count: request.batch > 1 ? 2 : 1)
        spec.bias = fovea_memory(
            ones + [request.columns], strides: ones.map { _ in request.columns } + [1],
            order: AxisOrder.plain(ones.count + 1))
        try self.init(fovea_matmul_create(&spec))
    }
}

// MARK: - Few rows

private struct RowProduct: OneDNNMatMul {
    let request: MatMulRequest
    private let product: fovea_row_product

    /// Nil for what the kernel does not do.
    init?(_ request: MatMulRequest) {
        guard let product = fovea_row_product(request) else { return nil }
        (self.request, self.product) = (request, product)
    }

    var algorithm: Algorithm { .direct }
    var implementation: String { "row_product:\(OneDNNBackend.vectorKind)" }
    var scratchpadBytes: Int { product.scratchpadBytes }

    func call(_ operands: Operands) throws -> any KernelCall {
        try MatMulCall(product, request, operands, by: fovea_multiply_rows)
    }
}

extension fovea_row_product {
    /// The kernel's form of a product of few rows with a row-major matrix; nil for other products.
    ///
    /// Such a product lasts as long as reading the matrix. The library's kernels read columns in blocks, a little of each
    /// memory page at a time, and take twice as long for matrices that no cache holds.
    fileprivate init?(_ request: MatMulRequest) {
        guard request.batch == 1, request.rows <= Self.mostRows, request.b.columnStride == 1,
            request.b.rowStride == request.columns, request.c.columnStride == 1,
            request.c.rowStride == request.columns
        else { return nil }
        self.init()
        let nanoseconds = 0.05 * Double(request.inner * request.columns * request.rows)
        parts = Int32(min(PartedPrimitive.count(nanoseconds: nanoseconds), Self.mostParts))
        (rows, inner, columns) = (Int64(request.rows), Int64(request.inner), Int64(request.columns))
        a_strides = (Int64(request.a.rowStride), Int64(request.a.columnStride))
        relu = request.hasReLU ? 1 : 0
    }

    /// With more rows arithmetic takes longer than reading.
    private static let mostRows = 4
    /// Their sums are added up by one thread.
    private static let mostParts = 8

    fileprivate var scratchpadBytes: Int { withUnsafePointer(to: self) { fovea_row_product_scratch($0) } }
}
