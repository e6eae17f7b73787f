import CKernels
import FoveaGraph
import FoveaPlanner
import FoveaRuntime

extension OneDNNCatalog {
    func kernel(for request: NormalizationRequest) throws -> any NormalizationKernel {
        LibraryNormalization(request: request, primitive: try Primitive(request))
    }

    /// Only what oneDNN has vectors for: its other kernels are slower than elementwise passes.
    func canNormalize(_ images: Shape) -> Bool {
        let request = NormalizationRequest(
            isGradient: true, isRectified: true, epsilon: 1e-3, images: images, layout: .rowMajor(images))
        return (try? Primitive(request))?.implementation.contains("jit") ?? false
    }
}

private struct LibraryNormalization: NormalizationKernel, PrimitiveKernel {
    let request: NormalizationRequest
    let primitive: Primitive

    var maskBytes: Int { primitive.byteCount(FOVEA_ARG_WORKSPACE) }

    func call(_ operands: Operands) throws -> any KernelCall {
        let call = try PrimitiveCall(primitive, operands)
        guard request.isRectified, !request.isGradient else { return call }
        return RectifiedNormalizationCall(
            primitive: call, request: request, images: try operands.floats(.source),
            result: try operands.floats(.destination), mean: try operands.floats(.mean),
            variance: try operands.floats(.variance), scale: try operands.floats(.scale),
            offset: try operands.floats(.offset))
    }
}

/// Batch normalisation with ReLU. oneDNN's makes zeros of NaN, so that a network whose weights have become NaN would still
/// have a loss that looks sound; here NaN stays NaN.
private struct RectifiedNormalizationCall: KernelCall {
    let primitive: PrimitiveCall
    let request: NormalizationRequest
    let images, result: UnsafeMutablePointer<Float>
    let mean: UnsafePointer<Float>
    let variance: UnsafePointer<Float>
    let scale: UnsafePointer<Float>
    let offset: UnsafePointer<Float>

    func run() throws {
        try primitive.run()
        let channels = request.images.channels
        // A channel with one NaN, or with infinite elements, has no variance.
        for channel in 0..<channels
        where variance[channel].isNaN || !scale[channel].isFinite || offset[channel].isNaN {
            computeAgain(channel)
        }
    }

    private func computeAgain(_ channel: Int) {
        let shape = request.images
        let block = request.layout.channelBlock(of: shape) ?? shape.channels
        let blocks = (shape.channels + block - 1) / block
        let pixels = shape.rank == 4 ? shape[1] * shape[2] : 1
        let planes = shape.elementCount / max(shape.channels * pixels, 1)
        let factor = scale[channel] / (variance[channel] + request.epsilon).squareRoot()
        for plane in 0..<planes {
            let start = (plane * blocks + channel / block) * pixels * block + channel % block
            for place in stride(from: start, to: start + pixels * block, by: block) {
                let y = (images[place] - mean[channel]) * factor + offset[channel]
                result[place] = y < 0 ? 0 : y
            }
        }
    }
}

extension Primitive {
    fileprivate convenience init(_ request: NormalizationRequest) throws {
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
}
