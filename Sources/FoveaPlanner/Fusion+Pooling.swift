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

    /// Gradients of max-poolings that nothing but the gradient of a convolution's kernel reads, with the bias's that comes with it.
    func poolingGradientsForKernels() -> Set<Tensor> {
        Set(
            kernels.compactMap { kernel -> Tensor? in
                guard let gradient = kernel.members.first,
                    case .convolutionKernelGradient = gradient.operation,
                    case .maxPoolGradient = gradient.inputs[1].operation, !roots.contains(gradient.inputs[1]),
                    gradient.inputs[0] != gradient.inputs[1]
                else { return nil }
                let upstream = gradient.inputs[1]
                let isAlone = (consumers[upstream] ?? []).allSatisfy {
                    $0 == gradient || $0 == kernel.biasGradient
                }
                return isAlone ? upstream : nil
            })
    }
}
