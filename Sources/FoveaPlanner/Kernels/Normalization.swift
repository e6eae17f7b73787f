import FoveaGraph

/// Batch normalisation of images, or its gradients.
public struct NormalizationRequest: KernelRequest, Hashable {
    public var isGradient: Bool
    /// Negative results become zero and have no gradient.
    public var isRectified: Bool
    public var epsilon: Float
    /// Channels last.
    public var images: Shape
    /// Of the images, of the result and of their gradients.
    public var layout: Layout

    public init(isGradient: Bool, isRectified: Bool, epsilon: Float, images: Shape, layout: Layout) {
        self.isGradient = isGradient
        self.isRectified = isRectified
        self.epsilon = epsilon
        self.images = images
        self.layout = layout
    }

    public var name: String { isGradient ? "batch normalisation gradient" : "batch normalisation" }
}

extension BatchNorm: SingleOperation {
    func addCalls(for tensor: Tensor, to builder: inout PlanBuilder) throws {
        try builder.addNormalization(tensor, self)
    }
}

extension BatchNormGradient: SingleOperation {
    func addCalls(for tensor: Tensor, to builder: inout PlanBuilder) throws {
        try builder.addNormalizationGradient(tensor, self)
    }
}

/// Batch normalisation: operations of equal inputs are the results of one call.
extension PlanBuilder {
    struct NormalizationKey: Hashable {
        /// Images, scale and offset.
        let inputs: [Tensor]
        let epsilon: Float
        let isRectified: Bool
    }

    struct Normalization {
        let images: Plan.ValueID
        let mean: Plan.ValueID
        let variance: Plan.ValueID
        let normalized: Plan.ValueID
        let request: NormalizationRequest
    }

    struct NormalizationGradientKey: Hashable {
        let forward: NormalizationKey
        let upstream: Tensor
        let isRectified: Bool
    }

    struct NormalizationGradients {
        let images: Plan.ValueID
        let scale: Plan.ValueID
        let offset: Plan.ValueID
    }

    fileprivate mutating func addNormalization(_ tensor: Tensor, _ rule: BatchNorm) throws {
        // The moments come from whichever call there is.
        let isRectified =
            rule.isRectified
            || rule.result != .normalized && rectifiedNormalizations.contains(tensor.inputs)
        let forward = try normalization(
            NormalizationKey(inputs: tensor.inputs, epsilon: rule.epsilon, isRectified: isRectified))
        valueOf[tensor] =
            switch rule.result {
            case .normalized: forward.normalized
            case .mean: forward.mean
            case .variance: forward.variance
            }
    }

    private mutating func normalization(_ key: NormalizationKey) throws -> Normalization {
        if let known = normalizations[key] { return known }
        let (images, vector) = (key.inputs[0], key.inputs[1].node.type)
        let source = try imagesByChannel(images)
        let request = NormalizationRequest(
            isGradient: false, isRectified: key.isRectified, epsilon: key.epsilon, images: images.shape,
            layout: layout(source))
        let kernel = try catalog.kernel(for: request)
        let forward = Normalization(
            images: source, mean: addValue("mean", vector, .rowMajor(vector.shape)),
            variance: addValue("variance", vector, .rowMajor(vector.shape)),
            normalized: addValue("batchNorm", images.node.type, request.layout), request: request)
        let operands: [(Plan.Operand.Role, Plan.ValueID, Bool)] = [
            (.source, source, false), (.scale, try rowMajorValue(key.inputs[1]), false),
            (.offset, try rowMajorValue(key.inputs[2]), false), (.destination, forward.normalized, true),
            (.mean, forward.mean, true), (.variance, forward.variance, true),
        ]
        addCall(
            request, kernel, operands, note: kernel.implementation + (key.isRectified ? " + relu" : ""))
        normalizations[key] = forward
        return forward
    }

    fileprivate mutating func addNormalizationGradient(_ tensor: Tensor, _ rule: BatchNormGradient) throws {
        let inputs = Array(tensor.inputs[..<3])
        // Without ReLU only the moments of the forward call matter, which one with ReLU has too.
        let isRectified = rule.isRectified || rectifiedNormalizations.contains(inputs)
        let key = NormalizationGradientKey(
            forward: NormalizationKey(inputs: inputs, epsilon: rule.epsilon, isRectified: isRectified),
            upstream: tensor.inputs[3], isRectified: rule.isRectified)
        let gradients = try normalizationGradients(key)
        valueOf[tensor] =
            switch rule.result {
            case .x: gradients.images
            case .scale: gradients.scale
            case .offset: gradients.offset
            }
    }

    private mutating func normalizationGradients(_ key: NormalizationGradientKey) throws
        -> NormalizationGradients
    {
        if let known = normalizationGradients[key] { return known }
        let forward = try normalization(key.forward)
        var request = forward.request
        request.isGradient = true
        request.isRectified = key.isRectified
        let kernel = try catalog.kernel(for: request)
        let (type, vector) = (key.upstream.node.type, key.forward.inputs[1].node.type)
        let upstream = try value(value(key.upstream), in: request.layout)
        let gradients = NormalizationGradients(
            images: addValue("batchNormGradient", type, request.layout),
            scale: addValue("scale gradient", vector, .rowMajor(vector.shape)),
            offset: addValue("offset gradient", vector, .rowMajor(vector.shape)))
        let operands: [(Plan.Operand.Role, Plan.ValueID, Bool)] = [
            (.source, forward.images, false), (.destination, upstream, false), (.mean, forward.mean, false),
            (.variance, forward.variance, false),
            (.scale, try rowMajorValue(key.forward.inputs[1]), false),
            (.offset, try rowMajorValue(key.forward.inputs[2]), false),
            (.sourceGradient, gradients.images, true), (.scaleGradient, gradients.scale, true),
            (.offsetGradient, gradients.offset, true),
        ]
        addCall(
            request, kernel, operands, note: kernel.implementation + (key.isRectified ? " + relu" : ""))
        normalizationGradients[key] = gradients
        return gradients
    }
}
