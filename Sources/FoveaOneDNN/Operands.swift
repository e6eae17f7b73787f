import CKernels
import FoveaPlanner
import FoveaRuntime

/// Where a call's operands are in memory, and the calls of other than elementwise work on them.
struct Operands {
    private let kernelName: String
    private let addresses: [Plan.Operand.Role: UnsafeMutableRawPointer]

    init(of kernelName: String, _ addresses: [Plan.Operand.Role: UnsafeMutableRawPointer]) {
        self.kernelName = kernelName
        self.addresses = addresses
    }

    func address(_ role: Plan.Operand.Role) throws -> UnsafeMutableRawPointer {
        guard let address = addresses[role] else {
            throw RunError.kernel("a planned \(kernelName) lacks its \(role.rawValue)")
        }
        return address
    }

    private func floats(_ role: Plan.Operand.Role) throws -> UnsafeMutablePointer<Float> {
        try address(role).assumingMemoryBound(to: Float.self)
    }

    func call(_ primitive: Primitive) -> any KernelCall {
        for (role, address) in addresses {
            if let argument = fovea_argument(role) { primitive.bind(argument, address) }
        }
        return PrimitiveCall(primitive: primitive)
    }

    func call(_ request: ReorderRequest) throws -> any KernelCall {
        let primitive = try Primitive(request)
        let prepared = call(primitive)
        for (argument, role, side) in [
            (FOVEA_ARG_SOURCE, Plan.Operand.Role.source, request.from),
            (FOVEA_ARG_DESTINATION, .destination, request.to),
        ] where side.offset > 0 {
            primitive.bind(argument, try address(role) + side.offset * request.dtype.byteCount)
        }
        return prepared
    }

    /// - Parameter keptKernel: the kernel's memory, if it is packed again only when it has changed.
    func call(
        _ choice: ConvolutionChoice, threads: Int, keptKernel: ResidentStorage? = nil
    ) throws -> any KernelCall {
        guard let spec = fovea_bfloat16_convolution(choice.request, choice.algorithm, threads: threads) else {
            return try libraryCall(choice)
        }
        let memory = BFloat16ConvolutionCall.Memory(
            images: try floats(.source), kernel: try floats(.weights), output: try floats(.destination),
            bias: choice.request.hasBias ? try floats(.bias) : nil, scratch: try address(.scratchpad),
            packed: choice.packedKernelBytes > 0 ? try address(.packedWeights) : nil)
        return BFloat16ConvolutionCall(spec, choice.request.direction, memory, keptKernel: keptKernel)
    }

    func call(_ choice: MatMulChoice, threads: Int) throws -> any KernelCall {
        let request = choice.request
        let bias = request.hasBias ? try floats(.bias) : nil
        if let spec = fovea_bfloat16_matmul(request, choice.algorithm, threads: threads) {
            return BFloat16MatMulCall(
                spec: spec, a: try floats(.source), b: try floats(.weights), bias: bias,
                c: try floats(.destination), scratch: try address(.scratchpad))
        }
        if let product = fovea_row_product(request, threads: threads) {
            return RowProductCall(
                product: product, a: try floats(.source), b: try floats(.weights), bias: bias,
                c: try floats(.destination), scratch: try address(.scratchpad))
        }
        let plain = try Primitive(request)
        guard request.hasReLU else { return call(plain) }
        let (rows, columns) = (request.batch * request.rows, request.columns)
        let matrices = request.b.batchStride == 0 ? 1 : request.batch
        return try rectified(
            plain, fused: { try Primitive(request, fusesReLU: true) },
            operands: [
                .init(start: floats(.source), count: rows * request.inner),
                .init(start: floats(.weights), count: matrices * request.inner * columns),
            ] + (bias.map { [.init(start: $0, count: columns)] } ?? []),
            result: .init(start: floats(.destination), count: rows * columns))
    }

    private func libraryCall(_ choice: ConvolutionChoice) throws -> any KernelCall {
        let request = choice.request
        let plain = try Primitive(request, choice.algorithm)
        guard request.hasReLU else { return call(plain) }
        var operands: [RectifiedCall.Block] = [
            .init(start: try floats(.source), count: choice.images.memoryCount(request.images)),
            .init(start: try floats(.weights), count: choice.kernel.memoryCount(request.kernel)),
        ]
        if request.hasBias {
            operands.append(.init(start: try floats(.bias), count: request.output.channels))
        }
        return try rectified(
            plain, fused: { try Primitive(request, choice.algorithm, fusesReLU: true) }, operands: operands,
            result: .init(start: floats(.destination), count: choice.output.memoryCount(request.output)))
    }

    /// - Parameter fused: the same with the ReLU in it. It is used if it reads and writes the same memory.
    private func rectified(
        _ plain: Primitive, fused: () throws -> Primitive, operands: [RectifiedCall.Block],
        result: RectifiedCall.Block
    ) throws -> any KernelCall {
        var other: Primitive?
        if RectifiedCall.paysToLook(operands: operands, result: result) {
            other = try fused()
            if other.map({ $0.usesMemory(like: plain) }) == false { other = nil }
        }
        return RectifiedCall(
            plain: call(plain), fused: other.map { call($0) }, operands: operands, result: result)
    }

    func call(_ request: MergeRequest) throws -> any KernelCall {
        MergeCall(
            request: request, a: try floats(.source), b: try floats(.otherSource),
            result: try floats(.destination))
    }

    func call(_ choice: NormalizationChoice) throws -> any KernelCall {
        let primitive = call(try Primitive(choice.request))
        guard choice.request.isRectified, !choice.request.isGradient else { return primitive }
        return RectifiedNormalizationCall(
            primitive: primitive, request: choice.request, images: try floats(.source),
            result: try floats(.destination), mean: try floats(.mean), variance: try floats(.variance),
            scale: try floats(.scale), offset: try floats(.offset))
    }

    func call(_ choice: PoolingChoice) throws -> any KernelCall {
        guard let pool = fovea_max_pool(choice.request) else { return call(try Primitive(choice.request)) }
        return MaxPoolCall(
            pool: pool, images: try floats(.source), pooled: try floats(.destination),
            winners: addresses[.winners],
            isGradient: choice.request.isGradient)
    }
}

extension fovea_argument {
    /// The library's name for an operand; nil for those of other kernels.
    fileprivate init?(_ role: Plan.Operand.Role) {
        switch role {
        case .source: self = FOVEA_ARG_SOURCE
        case .weights: self = FOVEA_ARG_WEIGHTS
        case .bias: self = FOVEA_ARG_BIAS
        case .destination: self = FOVEA_ARG_DESTINATION
        case .winners: self = FOVEA_ARG_WORKSPACE
        case .rectifiedMask: self = FOVEA_ARG_WORKSPACE
        case .scratchpad: self = FOVEA_ARG_SCRATCHPAD
        case .mean: self = FOVEA_ARG_MEAN
        case .variance: self = FOVEA_ARG_VARIANCE
        case .scale: self = FOVEA_ARG_SCALE
        case .offset: self = FOVEA_ARG_OFFSET
        case .sourceGradient: self = FOVEA_ARG_SOURCE_GRADIENT
        case .scaleGradient: self = FOVEA_ARG_SCALE_GRADIENT
        case .offsetGradient: self = FOVEA_ARG_OFFSET_GRADIENT
        case .otherSource, .packedWeights, .indices, .element: return nil
        }
    }
}
