import CKernels
import FoveaGraph
import FoveaPlanner
import FoveaRuntime

extension OneDNNCatalog {
    func kernel(for request: NormalizationRequest) throws -> any PreparedKernel {
        guard let normalization = fovea_normalization(request) else {
            throw RunError.kernel("batch normalisation of images whose channels lie in no blocks")
        }
        return NormalizationKernel(request: request, normalization: normalization)
    }

}

private struct NormalizationKernel: OneDNNKernel {
    let request: NormalizationRequest
    let normalization: fovea_normalization

    var implementation: String { "normalization:\(OneDNNBackend.vectorKind)" }

    var scratchpadBytes: Int { withUnsafePointer(to: normalization) { fovea_normalization_scratch($0) } }

    func call(_ operands: Operands) throws -> any KernelCall {
        try NormalizationCall(normalization, isGradient: request.isGradient, operands)
    }
}

extension fovea_normalization {
    /// The kernel's form of a batch normalisation; nil for images of other layouts than its own.
    fileprivate init?(_ request: NormalizationRequest) {
        let shape = request.images
        guard let block = request.layout.channelBlock(of: shape) else { return nil }
        self.init()
        batch = Int64(shape.rank > 1 ? shape[0] : 1)
        channels = Int64(shape.channels)
        pixels = Int64(shape.dimensions.dropFirst().dropLast().reduce(1, *))
        lanes = Int64(block)
        epsilon = request.epsilon
        relu = request.isRectified ? 1 : 0
    }
}

private struct NormalizationCall: KernelCall {
    private let normalization: fovea_normalization
    private let isGradient: Bool
    private let images, mean, variance, scale, offset: UnsafeMutablePointer<Float>
    /// The result, or the gradient with respect to it.
    private let result: UnsafeMutablePointer<Float>
    private let gradients:
        (
            images: UnsafeMutablePointer<Float>, scale: UnsafeMutablePointer<Float>,
            offset: UnsafeMutablePointer<Float>
        )?
    private let scratch: UnsafeMutableRawPointer

    init(_ normalization: fovea_normalization, isGradient: Bool, _ operands: Operands) throws {
        (self.normalization, self.isGradient) = (normalization, isGradient)
        (images, result) = (try operands.floats(.source), try operands.floats(.destination))
        (mean, variance) = (try operands.floats(.mean), try operands.floats(.variance))
        (scale, offset) = (try operands.floats(.scale), try operands.floats(.offset))
        scratch = try operands.address(.scratchpad)
        gradients =
            isGradient
            ? (
                try operands.floats(.sourceGradient), try operands.floats(.scaleGradient),
                try operands.floats(.offsetGradient)
            ) : nil
    }

    func run() {
        withUnsafePointer(to: normalization) { normalization in
            if let gradients {
                fovea_normalize_gradient(
                    normalization, images, result, mean, variance, scale, offset, gradients.images,
                    gradients.scale, gradients.offset, scratch)
            } else {
                fovea_normalize(
                    normalization, images, scale, offset, result, mean, variance, scratch)
            }
        }
    }
}
