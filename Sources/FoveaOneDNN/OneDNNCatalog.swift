import FoveaGraph
import FoveaPlanner
import FoveaRuntime

/// Answers the planner's questions: what the CPU's bfloat16 kernels do goes to them where that is allowed and faster, and
/// for the rest oneDNN is asked what it would run. Each family of kernels has its answers in a file of its own, with what
/// runs them.
struct OneDNNCatalog: KernelCatalog {
    let precision: Precision
    let threads: Int
    /// Algorithms to take instead of those that follow from the request alone.
    var tuned: [ContractionRequest: Algorithm] = [:]

    /// Every kernel that the precision allows for a request and that computes it, the usual one first.
    func candidates(_ request: ContractionRequest) throws -> [any ContractionKernel] {
        switch request {
        case .convolution(let request):
            // There is one way to pool at once.
            if request.pooling != nil, let pooled = pooledKernel(for: request) as? any ContractionKernel {
                return [pooled]
            }
            let usual = try usualKernel(for: request)
            let others = allowedAlgorithms(isForwardConvolution: request.direction == .forward)
            return [usual]
                + others.filter { $0 != usual.algorithm }.compactMap { try? kernel(for: request, $0) }
        case .matmul(let request):
            let usual = try usualKernel(for: request)
            let others = allowedAlgorithms(isForwardConvolution: false)
            return [usual]
                + others.filter { $0 != usual.algorithm }.compactMap { try? kernel(for: request, $0) }
        }
    }

    /// bfloat16 terms for each number where `float32` was asked for.
    ///
    /// Forward convolutions get all of float32's bits: they decide which elements win a max-pooling or pass a ReLU, where the
    /// smallest error may change a gradient by much. Gradients and products of matrices, of which there is nothing to
    /// decide or little, get 16.
    private static func terms(isForwardConvolution: Bool) -> Int { isForwardConvolution ? 3 : 2 }

    private func allowedAlgorithms(isForwardConvolution: Bool) -> [Algorithm] {
        let float32: [Algorithm] = precision == .strict ? [.direct] : [.direct, .winograd]
        guard precision != .strict, OneDNNBackend.bfloat16Unit != "none" else { return float32 }
        let split = Algorithm.bfloat16(terms: Self.terms(isForwardConvolution: isForwardConvolution))
        return float32 + (precision == .mixedBFloat16 ? [split, .bfloat16(terms: 1)] : [split])
    }

    /// How sums of products are usually computed on the CPU's bfloat16 unit, if at all. Several products for one pay on
    /// matrix tiles only.
    func usualBFloat16(isForwardConvolution: Bool) -> Algorithm? {
        switch (precision, OneDNNBackend.bfloat16Unit) {
        case (.strict, _), (_, "none"): nil
        case (.mixedBFloat16, _): .bfloat16(terms: 1)
        case (.float32, "amx"): .bfloat16(terms: Self.terms(isForwardConvolution: isForwardConvolution))
        case (.float32, _): nil
        }
    }
}
