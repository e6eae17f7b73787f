import FoveaGraph

public enum ConvolutionDirection: String, Hashable, Sendable {
    case forward = "convolution"
    case inputGradient = "convolution input gradient"
    case kernelGradient = "convolution kernel gradient"
}

/// A convolution to be computed. Whatever the direction, shapes are those of the forward convolution.
public struct ConvolutionRequest: KernelRequest, Hashable {
    public var direction: ConvolutionDirection
    public var convolution: Convolution
    public var images: Shape
    public var kernel: Shape
    public var output: Shape
    /// Forward: a bias is added. Kernel gradient: the bias's gradient is computed as well.
    public var hasBias = false
    /// Forward only: negative results become zero.
    public var hasReLU = false
    /// With a ReLU: what larger results become.
    public var ceiling: Float?

    /// Forward: max-pooling of the output, of which only the result is stored. Gradients: the upstream gradient is that of this result.
    public var pooling: Pooling?

    public struct Pooling: Hashable, Sendable {
        public var window: SlidingWindow
        public var isRectified: Bool
        /// The shape of the result.
        public var output: Shape
        /// Remember the winners for the gradient.
        public var keepsWinners: Bool
    }

    public var name: String { direction.rawValue }

    var reluText: String {
        guard hasReLU else { return "" }
        return " + relu" + (ceiling.map { " to \($0)" } ?? "")
    }

    public var operationCount: Int? { 2 * output.elementCount * kernel[0] * kernel[1] * kernel[2] }
}

/// A kernel that says how it wants its operands laid out, and how it lays out its result.
public protocol ConvolutionKernel: PreparedKernel {
    var imagesLayout: Layout { get }
    var kernelLayout: Layout { get }
    var outputLayout: Layout { get }
    /// Memory for the convolution's kernel in a form of the implementation's own, which is made anew when that changes; 0 for
    /// none.
    var packedKernelBytes: Int { get }
}

/// A kernel that pools as well. Its output layout is that of pooled images.
public protocol PooledConvolutionKernel: ConvolutionKernel {
    /// Bytes that remember the winners, as max-pooling of images in this layout does; 0 when none are kept.
    var winnersBytes: Int { get }
}

extension PlanBuilder {
    /// The layout in which a forward convolution wants to read one of the tensors, if memory in that layout has no
    /// padding.
    func layoutForConvolution(of tensors: [Tensor]) throws -> Layout? {
        for tensor in tensors {
            guard let kernel = convolutionOf[tensor],
                case .convolution(let rule) = kernel.members[0].operation
            else { continue }
            let request = kernel.forwardRequest(rule)
            let expansion = try expansion(kernel, request)?.chosen.imagesLayout
            if case .dense? = expansion { return expansion }
            let pooled = try pooledKernel(for: request, of: kernel.members[kernel.members.count - 1])
            let wanted = try (pooled ?? catalog.kernel(for: request)).imagesLayout
            if case .dense = wanted { return wanted }
        }
        return nil
    }

    mutating func addConvolution(_ kernel: FusedKernel, bias: Tensor?) throws {
        let tensor = kernel.members[0]
        let result = kernel.members[kernel.members.count - 1]
        let shapes = tensor.inputs.map(\.shape)
        switch tensor.operation {
        case .convolution(let rule):
            let request = kernel.forwardRequest(rule)
            if let expansion = expansions.removeValue(forKey: tensor.inputs[0]) {
                return try addExpandedDepthwise(kernel, bias: bias, behind: expansion)
            }
            if let expansion = try expansion(kernel, request) {
                expansions[result] = expansion
                return
            }
            if try addPooled(request, tensor, of: result, bias: bias) { return }
            let chosen = try catalog.kernel(for: request)
            let images = try value(value(tensor.inputs[0]), in: chosen.imagesLayout)
            let weights = try value(value(tensor.inputs[1]), in: chosen.kernelLayout)
            let output = addValue(tensor.operation.rule.name, tensor.node.type, chosen.outputLayout)
            valueOf[result] = output
            var operands: [(Plan.Operand.Role, Plan.ValueID, Bool)] = [
                (.source, images, false), (.weights, weights, false), (.destination, output, true),
            ]
            if let bias { operands.append((.bias, try rowMajorValue(bias), false)) }
            operands += packedWeights(chosen)
            let fused = (bias != nil ? " + bias" : "") + request.reluText
            addCall(request, chosen, operands, note: chosen.implementation + fused)

        case .convolutionInputGradient(let rule):
            let request = ConvolutionRequest(
                direction: .inputGradient, convolution: rule.convolution, images: tensor.shape,
                kernel: shapes[0], output: shapes[1])
            let pooled = try upstreamOfPooled(request, tensor)
            let chosen = try pooled?.kernel ?? catalog.kernel(for: request)
            let weights = try value(value(tensor.inputs[0]), in: chosen.kernelLayout)
            let upstream = try pooled?.upstream ?? value(value(tensor.inputs[1]), in: chosen.outputLayout)
            let output = addValue(tensor.operation.rule.name, tensor.node.type, chosen.imagesLayout)
            valueOf[result] = output
            var operands: [(Plan.Operand.Role, Plan.ValueID, Bool)] = [
                (.destination, upstream, false), (.weights, weights, false), (.source, output, true),
            ]
            if let pooled { operands.append((.winners, pooled.winners, false)) }
            operands += packedWeights(chosen)
            addCall(
                pooled?.request ?? request, chosen, operands,
                note: chosen.implementation + (pooled != nil ? " + pooling gradient" : ""))

        case .convolutionKernelGradient(let rule):
            let request = ConvolutionRequest(
                direction: .kernelGradient, convolution: rule.convolution, images: shapes[0],
                kernel: tensor.shape, output: shapes[1], hasBias: kernel.biasGradient != nil)
            let pooled = try upstreamOfPooled(request, tensor)
            let chosen = try pooled?.kernel ?? catalog.kernel(for: request)
            let images = try value(value(tensor.inputs[0]), in: chosen.imagesLayout)
            let upstream = try pooled?.upstream ?? value(value(tensor.inputs[1]), in: chosen.outputLayout)
            let output = addValue(tensor.operation.rule.name, tensor.node.type, chosen.kernelLayout)
            valueOf[result] = output
            var operands: [(Plan.Operand.Role, Plan.ValueID, Bool)] = [
                (.source, images, false), (.destination, upstream, false), (.weights, output, true),
            ]
            if let pooled { operands.append((.winners, pooled.winners, false)) }
            if let bias = kernel.biasGradient {
                let gradient = addValue("bias gradient", bias.node.type, .rowMajor(bias.shape))
                valueOf[bias] = gradient
                operands.append((.bias, gradient, true))
            }
            addCall(
                pooled?.request ?? request, chosen, operands,
                note: chosen.implementation + (kernel.biasGradient != nil ? " + bias gradient" : "")
                    + (pooled != nil ? " + pooling gradient" : ""))

        default: throw PlanError.unbound(tensor)
        }
    }

    mutating func packedWeights(
        _ chosen: any ConvolutionKernel
    ) -> [(Plan.Operand.Role, Plan.ValueID, Bool)] {
        guard chosen.packedKernelBytes > 0 else { return [] }
        return [(.packedWeights, addBytes("packed kernel", chosen.packedKernelBytes), true)]
    }
}

extension FusedKernel {
    /// What a forward convolution asks for.
    func forwardRequest(_ rule: Convolution) -> ConvolutionRequest {
        var request = ConvolutionRequest(
            direction: .forward, convolution: rule, images: members[0].inputs[0].shape,
            kernel: members[0].inputs[1].shape, output: members[0].shape)
        if case .contraction(let bias, let hasReLU, let ceiling) = kind {
            request.hasBias = bias != nil
            request.hasReLU = hasReLU
            request.ceiling = ceiling
        }
        return request
    }
}
