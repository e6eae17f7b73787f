import CKernels
import FoveaGraph
import FoveaPlanner

extension fovea_max_pool {
    /// The kernel's form of a max-pooling or its gradient; nil for other poolings and for layouts that are not planes of
    /// neighbouring channels.
    ///
    /// The library's kernels do the same in three times the time: they keep the winners in a form of their own, cannot
    /// rectify, and lose NaN.
    init?(_ request: PoolingRequest) {
        guard case .max(let isRectified) = request.kind,
            let block = request.imagesLayout.channelBlock(of: request.images)
        else { return nil }
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

    var winnerBytes: Int { withUnsafePointer(to: self) { Int(fovea_max_pool_winner_bytes($0)) } }
}

struct MaxPoolCall: KernelCall {
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
