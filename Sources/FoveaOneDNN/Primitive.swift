import CKernels
import FoveaGraph
import FoveaPlanner
import FoveaRuntime

/// A oneDNN primitive, freed with the object.
final class Primitive {
    let handle: OpaquePointer

    private init(_ handle: OpaquePointer?) throws {
        guard let handle else { throw RunError.kernel("oneDNN: " + String(cString: fovea_onednn_message())) }
        self.handle = handle
    }

    deinit { fovea_primitive_destroy(handle) }

    var implementation: String { String(cString: fovea_primitive_implementation(handle)) }

    func byteCount(_ argument: fovea_argument) -> Int { fovea_primitive_bytes(handle, argument) }

    func layout(_ argument: fovea_argument, order: [Int]) throws -> Layout {
        var memory = fovea_memory()
        guard fovea_primitive_memory(handle, argument, &memory) != 0 else {
            throw RunError.kernel("oneDNN: \(implementation) uses a layout that cannot be described")
        }
        return memory.layout(order: order)
    }

    /// In the library's order of axes; nil where the layout cannot be described.
    private func plainLayout(_ argument: fovea_argument) -> Layout? {
        var memory = fovea_memory()
        guard fovea_primitive_memory(handle, argument, &memory) != 0 else { return nil }
        return memory.layout(order: AxisOrder.plain(Int(memory.rank)))
    }

    /// Whether operands of the two have the same layouts, and this one needs no more memory to work in.
    func usesMemory(like other: Primitive) -> Bool {
        [FOVEA_ARG_SOURCE, FOVEA_ARG_WEIGHTS, FOVEA_ARG_DESTINATION].allSatisfy { argument in
            let layout = plainLayout(argument)
            return layout != nil && layout == other.plainLayout(argument)
        } && byteCount(FOVEA_ARG_SCRATCHPAD) <= other.byteCount(FOVEA_ARG_SCRATCHPAD)
    }

    func bind(_ argument: fovea_argument, _ pointer: UnsafeMutableRawPointer) {
        fovea_primitive_bind(handle, argument, pointer)
    }

    func run() throws {
        let status = fovea_primitive_run(handle)
        guard status == 0 else {
            throw RunError.kernel("oneDNN: \(implementation) failed with status \(status)")
        }
    }
}

extension Primitive {
    /// - Parameter fusesReLU: whether the ReLU that is asked for is part of it. Such a primitive makes zeros of NaN.
    convenience init(_ request: ConvolutionRequest, _ algorithm: Algorithm, fusesReLU: Bool = false) throws {
        let rule = request.convolution
        let filters = request.kernel[3]
        var spec = fovea_convolution()
        spec.direction =
            switch request.direction {
            case .forward: FOVEA_FORWARD
            case .inputGradient: FOVEA_BACKWARD_DATA
            case .kernelGradient: FOVEA_BACKWARD_WEIGHTS
            }
        spec.winograd = algorithm == .winograd ? 1 : 0
        spec.has_bias = request.hasBias ? 1 : 0
        spec.relu = request.hasReLU && fusesReLU ? 1 : 0
        spec.strides = pair(rule.strides)
        spec.dilations = pair(rule.dilations)
        spec.padding_before = (Int64(rule.padding.top), Int64(rule.padding.left))
        spec.padding_after = (Int64(rule.padding.bottom), Int64(rule.padding.right))
        spec.source = fovea_memory(any: request.images.dimensions, order: AxisOrder.images)
        spec.destination = fovea_memory(any: request.output.dimensions, order: AxisOrder.images)
        spec.bias = fovea_memory([filters], strides: [1], order: [0])
        spec.weights = fovea_memory(any: request.kernelExtents, order: request.kernelOrder)
        try self.init(fovea_convolution_create(&spec))
    }

    convenience init(_ request: PoolingRequest) throws {
        guard
            let source = fovea_memory(request.images, request.imagesLayout, order: AxisOrder.images),
            let destination = fovea_memory(request.output, request.outputLayout, order: AxisOrder.images)
        else { throw RunError.kernel("oneDNN: pooling of images in a layout that it cannot be told") }
        var spec = fovea_pooling()
        spec.direction = request.isGradient ? FOVEA_BACKWARD_DATA : FOVEA_FORWARD
        spec.kind =
            switch request.kind {
            case .max: FOVEA_POOL_MAX
            case .average(countsPadding: false): FOVEA_POOL_AVERAGE_VALID
            case .average(countsPadding: true): FOVEA_POOL_AVERAGE_PADDED
            }
        spec.training = request.keepsWinners ? 1 : 0
        spec.window = pair(request.window.window)
        spec.strides = pair(request.window.strides)
        spec.padding_before = (Int64(request.window.padding.top), Int64(request.window.padding.left))
        spec.padding_after = (Int64(request.window.padding.bottom), Int64(request.window.padding.right))
        spec.source = source
        spec.destination = destination
        try self.init(fovea_pooling_create(&spec))
    }

    /// - Parameter fusesReLU: as for convolutions.
    convenience init(_ request: MatMulRequest, fusesReLU: Bool = false) throws {
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

    convenience init(_ request: NormalizationRequest) throws {
        let shape = request.images
        let channels = shape.channels
        let images: Shape =
            shape.rank == 4 ? shape : [shape.elementCount / max(channels, 1), 1, 1, channels]
        // Row-major images of as many channels as a vector holds are a block of channels too. oneDNN is faster if told so.
        let vector = 16
        let plane = images[1] * images[2] * vector
        let source =
            channels == vector && request.layout.isRowMajor(shape)
            ? fovea_memory(
                images.dimensions, strides: [plane, images[2] * vector, vector, plane],
                blocks: [.init(axis: 3, size: vector)], order: AxisOrder.images)
            : fovea_memory(images, request.layout, order: AxisOrder.images)
        guard let source else {
            throw RunError.kernel("oneDNN: normalisation of images in a layout that it cannot be told")
        }
        var spec = fovea_normalization()
        spec.direction = request.isGradient ? FOVEA_BACKWARD_DATA : FOVEA_FORWARD
        spec.relu = request.isRectified ? 1 : 0
        spec.epsilon = request.epsilon
        spec.source = source
        try self.init(fovea_normalization_create(&spec))
    }

    convenience init(_ request: ReorderRequest) throws {
        // The library has no truth values; they are bytes like others to move.
        let dtype = request.dtype == .bool ? .uint8 : request.dtype
        func memory(_ side: ReorderRequest.Side) -> fovea_memory {
            fovea_memory(
                request.extents, strides: side.strides, blocks: side.blocks,
                order: AxisOrder.plain(request.extents.count), dtype)
        }
        var (from, to) = (memory(request.from), memory(request.to))
        try self.init(fovea_reorder_create(&from, &to))
    }
}

extension ConvolutionRequest {
    /// The kernel's extents and axis order as oneDNN is told them: groups are an axis of their own.
    var kernelExtents: [Int] {
        let dimensions = kernel.dimensions
        guard convolution.groups > 1 else { return dimensions }
        return dimensions.dropLast() + [convolution.groups, dimensions[3] / convolution.groups]
    }

    var kernelOrder: [Int] { convolution.groups > 1 ? AxisOrder.groupedKernel : AxisOrder.kernel }
}

private func pair(_ size: Size2D) -> (Int64, Int64) { (Int64(size.height), Int64(size.width)) }
