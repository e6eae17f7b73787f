/// What is normalized over the batch and all axes but that of the channels:
///
///     y = scale · (x - mean) / √(variance + epsilon) + offset
///
/// with the mean of a channel's elements and the mean of their squared deviations from it; rectified, negative elements of y
/// become zero. Inputs: x, and scale and offset as vectors of a number for each channel.
///
/// Whoever wants y wants the moments too. An operation has one result, so each of the three is an operation of its own, of
/// equal inputs; a kernel computes all at once.
///
/// Ioffe and Szegedy 2015, arXiv:1502.03167.
public struct BatchNorm: OperationRule {
    public enum Result: String, Sendable, CaseIterable { case normalized, mean, variance }

    public let result: Result
    /// That of the channels.
    public let axis: Int
    public let epsilon: Float
    public let isRectified: Bool

    public init(_ result: Result, axis: Int, epsilon: Float, isRectified: Bool = false) {
        self.result = result
        self.axis = axis
        self.epsilon = epsilon
        self.isRectified = isRectified
    }

    public var name: String {
        switch result {
        case .normalized: isRectified ? "batchNorm + relu" : "batchNorm"
        case .mean: "batchNorm mean"
        case .variance: "batchNorm variance"
        }
    }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try expect(3, inputs)
        try checkNormalized(axis, inputs)
        return result == .normalized ? inputs[0] : inputs[1]
    }

    public func gradients(inputs: [Tensor], output: Tensor, upstream: Tensor) throws -> [Tensor?] {
        guard result == .normalized else {
            return try gradientsOfComposed(inputs, upstream, composed)
        }
        return try BatchNormGradient.Result.allCases.map {
            let rule = BatchNormGradient($0, of: self)
            return try Tensor(.batchNormGradient(rule), inputs + [upstream])
        }
    }

    /// The same from other operations.
    public func composed(_ inputs: [Tensor]) throws(ShapeError) -> Tensor {
        let x = inputs[0]
        let others = x.shape.axes(but: axis)
        let moments = try x.moments(axes: others, keepDims: true)
        switch result {
        case .mean: return try moments.mean.reshaped(to: inputs[1].shape)
        case .variance: return try moments.variance.reshaped(to: inputs[1].shape)
        case .normalized:
            let channels = x.shape.reduced(over: others, keepDims: true)
            let y = try x.normalized(
                mean: moments.mean, variance: moments.variance, epsilon: epsilon,
                scale: inputs[1].reshaped(to: channels), offset: inputs[2].reshaped(to: channels))
            return isRectified ? try y.relu() : y
        }
    }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) -> TensorValue {
        let moments = ChannelMoments(inputs[0], axis: axis, epsilon: epsilon)
        let numbers: [Double]
        switch result {
        case .mean: numbers = moments.mean
        case .variance: numbers = moments.variance
        case .normalized:
            let y = moments.normalized(scale: inputs[1].doubles, offset: inputs[2].doubles)
            numbers = isRectified ? y.map { $0 < 0 ? 0 : $0 } : y
        }
        return TensorValue(shape: type.shape, dtype: type.dtype, doubles: numbers)
    }
}

/// The gradients of `BatchNorm`. Inputs: those of it, and the upstream gradient g, of which a rectified one takes
/// what is behind positive elements. With x̂ = (x - mean) / √(variance + epsilon) and N elements for each channel:
///
///     offset: Σ g    scale: Σ g·x̂    x: scale / √(variance + epsilon) · (g - Σ g / N - x̂ · Σ(g·x̂) / N)
public struct BatchNormGradient: OperationRule {
    /// In the order of the inputs.
    public enum Result: String, Sendable, CaseIterable { case x, scale, offset }

    public let result: Result
    public let axis: Int
    public let epsilon: Float
    public let isRectified: Bool

    public init(_ result: Result, of forward: BatchNorm) {
        self.result = result
        axis = forward.axis
        epsilon = forward.epsilon
        isRectified = forward.isRectified
    }

    public var name: String { "batchNormGradient of \(result)" }

    /// What this is the gradient of.
    public var forward: BatchNorm {
        BatchNorm(.normalized, axis: axis, epsilon: epsilon, isRectified: isRectified)
    }

    public func infer(_ inputs: [TensorType]) throws(ShapeError) -> TensorType {
        try expect(4, inputs)
        try checkNormalized(axis, Array(inputs[..<3]))
        guard inputs[3] == inputs[0] else {
            throw error("the upstream gradient is not shaped like what is normalized", inputs)
        }
        return inputs[result == .x ? 0 : 1]
    }

    public func gradients(inputs: [Tensor], output: Tensor, upstream: Tensor) throws -> [Tensor?] {
        try gradientsOfComposed(inputs, upstream, composed)
    }

    /// The same from other operations.
    public func composed(_ inputs: [Tensor]) throws(ShapeError) -> Tensor {
        let (x, scale, channels) = (inputs[0], inputs[1], inputs[1].shape)
        let others = x.shape.axes(but: axis)
        let moments = try x.moments(axes: others, keepDims: true)
        let factor = try (moments.variance + epsilon).unary(.rsqrt)
        let normalized = try (x - moments.mean) * factor
        var g = inputs[3]
        if isRectified {
            let y = try forward.composed(Array(inputs[..<3]))
            g = try .select(y.greater(0), g, .filled(0, g.shape))
        }
        switch result {
        case .offset: return try g.sum(axes: others)
        case .scale: return try (g * normalized).sum(axes: others)
        case .x:
            let mean = try g.mean(axes: others, keepDims: true)
            let projection = try (g * normalized).mean(axes: others, keepDims: true)
            let kept = x.shape.reduced(over: others, keepDims: true)
            return try (g - mean - normalized * projection)
                * (factor * scale.reshaped(to: channels).reshaped(to: kept))
        }
    }

    public func evaluate(_ inputs: [TensorValue], _ type: TensorType) -> TensorValue {
        let moments = ChannelMoments(inputs[0], axis: axis, epsilon: epsilon)
        let scale = inputs[1].doubles
        var g = inputs[3].doubles
        if isRectified {
            let y = moments.normalized(scale: scale, offset: inputs[2].doubles)
            for place in g.indices where !(y[place] > 0) { g[place] = 0 }
        }
        let channel = moments.channel
        let normalized = moments.normalized(
            scale: scale.map { _ in 1 }, offset: scale.map { _ in 0 })
        var (offsetSums, scaleSums) = (scale.map { _ in 0.0 }, scale.map { _ in 0.0 })
        for place in g.indices {
            offsetSums[channel[place]] += g[place]
            scaleSums[channel[place]] += g[place] * normalized[place]
        }
        let numbers: [Double]
        switch result {
        case .offset: numbers = offsetSums
        case .scale: numbers = scaleSums
        case .x:
            let count = Double(g.count / scale.count)
            numbers = g.indices.map { place in
                let c = channel[place]
                let deviation = g[place] - offsetSums[c] / count - normalized[place] * scaleSums[c] / count
                return scale[c] * moments.factor[c] * deviation
            }
        }
        return TensorValue(shape: type.shape, dtype: type.dtype, doubles: numbers)
    }
}

extension OperationRule {
    fileprivate func checkNormalized(_ axis: Int, _ inputs: [TensorType]) throws(ShapeError) {
        try checkAxes([axis], inputs)
        guard inputs.allSatisfy({ $0.dtype == .float32 }) else {
            throw error("needs float32 elements; cast first", inputs)
        }
        let channels: Shape = [inputs[0].shape[axis]]
        guard inputs[1].shape == channels, inputs[2].shape == channels else {
            throw error("scale and offset must have the shape \(channels), that of axis \(axis)", inputs)
        }
    }

    /// The gradients of what stands for an operation, with respect to the operation's inputs.
    fileprivate func gradientsOfComposed(
        _ inputs: [Tensor], _ upstream: Tensor, _ composed: ([Tensor]) throws -> Tensor
    ) throws -> [Tensor?] {
        // Stand-ins that nothing else depends on: one input may depend on another.
        let inputs = inputs.map { Tensor(known: .reshape(Reshape(shape: $0.shape)), [$0], $0.node.type) }
        return try gradient(of: (composed(inputs) * upstream).sum(), withRespectTo: inputs)
    }
}

/// The moments of each channel, in `Double`.
private struct ChannelMoments {
    let x: [Double]
    /// The channel of each element.
    let channel: [Int]
    private(set) var mean: [Double]
    private(set) var variance: [Double]
    /// `1 / √(variance + epsilon)`.
    let factor: [Double]

    init(_ value: TensorValue, axis: Int, epsilon: Float) {
        let (shape, x) = (value.shape, value.doubles)
        let step = shape.rowMajorStrides[axis]
        let channel = x.indices.map { $0 / step % shape[axis] }
        let count = Double(x.count / max(shape[axis], 1))
        var (mean, variance) = (
            [Double](repeating: 0, count: shape[axis]), [Double](repeating: 0, count: shape[axis])
        )
        for place in x.indices { mean[channel[place]] += x[place] / count }
        for place in x.indices {
            let deviation = x[place] - mean[channel[place]]
            variance[channel[place]] += deviation * deviation / count
        }
        (self.x, self.channel, self.mean, self.variance) = (x, channel, mean, variance)
        factor = variance.map { 1 / ($0 + Double(epsilon)).squareRoot() }
    }

    func normalized(scale: [Double], offset: [Double]) -> [Double] {
        x.indices.map { place in
            let c = channel[place]
            return (x[place] - mean[c]) * factor[c] * scale[c] + offset[c]
        }
    }
}

extension Shape {
    /// All axes but one.
    fileprivate func axes(but axis: Int) -> [Int] { (0..<rank).filter { $0 != axis } }
}

extension Tensor {
    /// `(self - mean) · scale / √(variance + epsilon) + offset`, each of them seen under a shape that can be broadcast.
    public func normalized(
        mean: Tensor, variance: Tensor, epsilon: Float, scale: Tensor? = nil, offset: Tensor? = nil
    ) throws(ShapeError) -> Tensor {
        var factor = try (variance + epsilon).unary(.rsqrt)
        if let scale { factor = try factor * scale }
        let scaled = try (self - mean) * factor
        return try offset.map { (offset) throws(ShapeError) in try scaled + offset } ?? scaled
    }

    /// Batch normalisation with the moments of this batch, and these moments. `scale` and `offset` have a number for each
    /// channel; `axis`, that of the channels, may count from the end.
    public func batchNormalized(
        scale: Tensor, offset: Tensor, axis: Int = -1, epsilon: Float
    ) throws(ShapeError) -> (normalized: Tensor, mean: Tensor, variance: Tensor) {
        let axis = axis < 0 ? axis + shape.rank : axis
        func result(_ result: BatchNorm.Result) throws(ShapeError) -> Tensor {
            let rule = BatchNorm(result, axis: axis, epsilon: epsilon)
            return try Tensor(.batchNorm(rule), [self, scale, offset])
        }
        return (try result(.normalized), try result(.mean), try result(.variance))
    }
}
