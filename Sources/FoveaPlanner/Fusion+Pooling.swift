import FoveaGraph

/// Max-poolings that a convolution in front, or behind in the gradient, may take over, so that what is pooled is never stored.
extension FusedGraph {
    /// For results of convolutions that nothing but one max-pooling reads: this. Its gradient may, because it only needs to know the
    /// winners.
    func poolingsOfConvolutions() -> [Tensor: Tensor] {
        kernels.reduce(into: [:]) { result, kernel in
            guard let convolution = kernel.members.first, case .convolution = convolution.operation,
                let images = kernel.members.last, !roots.contains(images)
            else { return }
            var pooled: Tensor?
            for consumer in consumers[images] ?? [] {
                switch consumer.operation {
                case .maxPool where pooled == nil: pooled = consumer
                case .maxPoolGradient where consumer.inputs[0] == images && consumer.inputs[1] != images:
                    break
                default: return
                }
            }
            if let pooled { result[images] = pooled }
        }
    }

    /// Gradients of max-poolings that nothing but gradients of convolutions read, and the bias's that comes with the kernel's.
    func poolingGradientsForConvolutions() -> Set<Tensor> {
        let biasGradients = Set(kernels.compactMap(\.biasGradient))
        func isUpstream(_ tensor: Tensor, of consumer: Tensor) -> Bool {
            switch consumer.operation {
            case .convolutionKernelGradient, .convolutionInputGradient:
                consumer.inputs[1] == tensor && consumer.inputs[0] != tensor
            default: biasGradients.contains(consumer)
            }
        }
        return Set(
            kernels.flatMap(\.members).filter { tensor in
                guard case .maxPoolGradient = tensor.operation, !roots.contains(tensor) else { return false }
                return (consumers[tensor] ?? []).allSatisfy { isUpstream(tensor, of: $0) }
            })
    }
}
