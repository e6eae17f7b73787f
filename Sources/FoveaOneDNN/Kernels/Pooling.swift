import CKernels
import FoveaGraph
import FoveaPlanner
import FoveaRuntime

extension OneDNNCatalog {
    func kernel(for request: PoolingRequest) throws -> any PoolingKernel {
        switch request.kind {
        case .max(let isRectified):
            guard let pool = fovea_max_pool(request, isRectified: isRectified) else {
                throw RunError.kernel("max-pooling of images whose channels lie in no blocks")
            }
            return MaxPooling(request: request, pool: pool)
        case .average(let countsPadding):
            return AveragePooling(
                primitive: try PartedPrimitive(
                    averagePooling: request, countsPadding: countsPadding, threads: threads))
        }
    }
}

// MARK: - Largest elements

/// oneDNN's max-pooling takes three times the time, cannot rectify, and loses NaN.
private struct MaxPooling: PoolingKernel, OneDNNKernel {
    let request: PoolingRequest
    let pool: fovea_max_pool

    var implementation: String { "max_pool:\(OneDNNBackend.vectorKind)" }

    var winnersBytes: Int { request.outputLayout.memoryCount(request.output) * pool.winnerBytes }

    func call(_ operands: Operands) throws -> any KernelCall {
        MaxPoolCall(
            pool: pool, images: try operands.floats(.source), pooled: try operands.floats(.destination),
            winners: operands.addresses[.winners], isGradient: request.isGradient)
    }
}

extension fovea_max_pool {
    /// The kernel's form of a max-pooling or its gradient; nil for layouts that are not planes of neighbouring channels.
    fileprivate init?(_ request: PoolingRequest, isRectified: Bool) {
        guard let block = request.imagesLayout.channelBlock(of: request.images) else { return nil }
        let window = request.window
        self.init()
        planes = Int64(request.images[0] * ((request.images.channels + block - 1) / block))
        lanes = Int64(block)
        (height, width) = (Int64(request.images[1]), Int64(request.images[2]))
        (pooled_height, pooled_width) = (Int64(request.output[1]), Int64(request.output[2]))
        self.window = (Int64(window.window.height), Int64(window.window.width))
        strides = (Int64(window.strides.height), Int64(window.strides.width))
        padding = (Int64(window.padding.top), Int64(window.padding.left))
        is_rectified = isRectified ? 1 : 0
    }

    fileprivate var winnerBytes: Int { withUnsafePointer(to: self) { Int(fovea_max_pool_winner_bytes($0)) } }
}

private struct MaxPoolCall: KernelCall {
    let pool: fovea_max_pool
    let images: UnsafeMutablePointer<Float>
    let pooled: UnsafeMutablePointer<Float>
    let winners: UnsafeMutableRawPointer?
    let isGradient: Bool

    func run() {
        withUnsafePointer(to: pool) { pool in
            if isGradient {
                fovea_max_pool_backward(pool, pooled, winners, images)
            } else {
                fovea_max_pool_forward(pool, images, pooled, winners)
            }
        }
    }
}

// MARK: - Averages

private struct AveragePooling: PoolingKernel, PrimitiveKernel {
    let primitive: PartedPrimitive

    var winnersBytes: Int { 0 }
}

extension PartedPrimitive {
    /// Parts are images, or where there is one, its blocks of channels.
    fileprivate init(averagePooling request: PoolingRequest, countsPadding: Bool, threads: Int) throws {
        guard
            let source = fovea_memory(request.images, request.imagesLayout, order: AxisOrder.images),
            let destination = fovea_memory(request.output, request.outputLayout, order: AxisOrder.images)
        else { throw RunError.kernel("oneDNN: pooling of images in a layout that it cannot be told") }
        var spec = fovea_pooling()
        spec.direction = request.isGradient ? FOVEA_BACKWARD_DATA : FOVEA_FORWARD
        spec.counts_padding = countsPadding ? 1 : 0
        spec.window = pair(request.window.window)
        spec.strides = pair(request.window.strides)
        spec.padding_before = (Int64(request.window.padding.top), Int64(request.window.padding.left))
        spec.padding_after = (Int64(request.window.padding.bottom), Int64(request.window.padding.right))
        let nanoseconds = 0.3 * Double(request.images.elementCount + request.output.elementCount)
        let (images, axisOfChannels) = (request.images[0], Int32(1))
        let parts = try Part.ranges(
            source, images > 1 ? 0 : axisOfChannels, wanted: Self.count(nanoseconds: nanoseconds)
        ).reduce([] as [Part]?) { parts, range in
            let axis = images > 1 ? 0 : axisOfChannels
            guard let parts, let from = source.part(axis, range.first, range.count),
                let to = destination.part(axis, range.first, range.count)
            else { return nil }
            (spec.source, spec.destination) = (from.memory, to.memory)
            let primitive = try Primitive(fovea_pooling_create(&spec))
            return parts + [
                Part(primitive: primitive, offsets: [.source: from.offset, .destination: to.offset])
            ]
        }
        if let parts {
            self.init(parts, nanoseconds: nanoseconds, threads: threads)
        } else {
            (spec.source, spec.destination) = (source, destination)
            self.init(whole: try Primitive(fovea_pooling_create(&spec)))
        }
    }
}
