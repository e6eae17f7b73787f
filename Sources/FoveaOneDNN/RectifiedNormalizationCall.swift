import FoveaGraph
import FoveaPlanner

/// Batch normalisation with ReLU. oneDNN's makes zeros of NaN, so that a network whose weights have become NaN would still
/// have a loss that looks sound; here NaN stays NaN.
struct RectifiedNormalizationCall: KernelCall {
    let primitive: any KernelCall
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
