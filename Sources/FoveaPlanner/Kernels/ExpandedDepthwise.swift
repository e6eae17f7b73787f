import FoveaGraph

/// A 1×1 convolution that expands channels, and the depthwise convolution that alone reads its result: how blocks of MobileNetV2
/// begin. The large images between the two need not exist.
public struct ExpandedDepthwiseRequest: KernelRequest, Hashable {
    public var expansion: ConvolutionRequest
    public var depthwise: ConvolutionRequest

    public init(expansion: ConvolutionRequest, depthwise: ConvolutionRequest) {
        self.expansion = expansion
        self.depthwise = depthwise
    }

    public var name: String { "expanded depthwise convolution" }

    public var operationCount: Int? {
        expansion.operationCount.flatMap { expansion in depthwise.operationCount.map { expansion + $0 } }
    }
}

/// A kernel for both convolutions, and how it wants its operands laid out.
public protocol ExpandedDepthwiseKernel: PreparedKernel {
    var imagesLayout: Layout { get }
    var expansionLayout: Layout { get }
    var depthwiseLayout: Layout { get }
    var outputLayout: Layout { get }
}

extension FusedGraph {
    /// For results of 1×1 convolutions that nothing but one depthwise convolution reads: this.
    func depthwiseBehindExpansions() -> [Tensor: FusedKernel] {
        var kernelOfConvolution: [Tensor: FusedKernel] = [:]
        for kernel in kernels {
            if case .convolution = kernel.members[0].operation {
                kernelOfConvolution[kernel.members[0]] = kernel
            }
        }
        // The expansion waits for the depthwise convolution, but an update in place only for what reads the variable.
        let written = Set(inPlace.values)
        func isWritten(_ tensor: Tensor) -> Bool {
            guard case .source(.variable(let variable)) = views.source(tensor).operation else { return false }
            return written.contains(variable)
        }
        return kernelOfConvolution.values.reduce(into: [:]) { result, kernel in
            guard case .convolution(let rule) = kernel.members[0].operation, rule.isPointwise,
                kernel.members[0].inputs[1].shape.dimensions.prefix(2) == [1, 1],
                let expanded = kernel.members.last, !roots.contains(expanded),
                let readers = consumers[expanded], readers.count == 1,
                case .convolution(let second) = readers[0].operation, readers[0].inputs[0] == expanded,
                readers[0].inputs[1] != expanded, second.groups == expanded.shape.channels,
                let depthwise = kernelOfConvolution[readers[0]],
                !kernel.members.flatMap(\.inputs).contains(where: isWritten)
            else { return }
            result[expanded] = depthwise
        }
    }
}

extension Convolution {
    /// Whether each pixel of the result is one of the images', if the window is a pixel.
    fileprivate var isPointwise: Bool { groups == 1 && strides == 1 && padding == .none }
}

extension PlanBuilder {
    /// A convolution whose call waits for the depthwise one behind it, which one kernel computes as well.
    struct Expansion {
        let kernel: FusedKernel
        let request: ExpandedDepthwiseRequest
        let chosen: any ExpandedDepthwiseKernel
    }

    /// What computes a convolution together with the depthwise one behind it, if that is possible.
    func expansion(_ kernel: FusedKernel, _ request: ConvolutionRequest) throws -> Expansion? {
        guard let expanded = kernel.members.last, let depthwise = depthwiseOf[expanded],
            case .convolution(let rule) = depthwise.members[0].operation
        else { return nil }
        let request = ExpandedDepthwiseRequest(
            expansion: request, depthwise: depthwise.forwardRequest(rule))
        return try catalog.kernel(for: request).map {
            Expansion(kernel: kernel, request: request, chosen: $0)
        }
    }

    /// Adds the call for a depthwise convolution and the expansion in front of it.
    mutating func addExpandedDepthwise(
        _ kernel: FusedKernel, bias: Tensor?, behind expansion: Expansion
    ) throws {
        let (first, second) = (expansion.kernel.members[0], kernel.members[0])
        let chosen = expansion.chosen
        let output = addValue(second.operation.rule.name, second.node.type, chosen.outputLayout)
        valueOf[kernel.members[kernel.members.count - 1]] = output
        var operands: [(Plan.Operand.Role, Plan.ValueID, Bool)] = [
            (.source, try value(value(first.inputs[0]), in: chosen.imagesLayout), false),
            (.weights, try value(value(first.inputs[1]), in: chosen.expansionLayout), false),
            (.depthwiseWeights, try value(value(second.inputs[1]), in: chosen.depthwiseLayout), false),
            (.destination, output, true),
        ]
        if case .contraction(let bias?, _, _) = expansion.kernel.kind {
            operands.append((.bias, try rowMajorValue(bias), false))
        }
        if let bias { operands.append((.depthwiseBias, try rowMajorValue(bias), false)) }
        func text(_ request: ConvolutionRequest) -> String {
            (request.hasBias ? " + bias" : "") + request.reluText
        }
        let request = expansion.request
        addCall(
            request, chosen, operands,
            note: chosen.implementation + text(request.expansion) + " + depthwise" + text(request.depthwise))
    }
}
