import FoveaGraph
import FoveaPlanner

/// A residual network (He et al. 2015, arXiv:1512.03385) written in operations: what a planner has to bring together.
///
/// A stem of convolution, batch normalisation, ReLU and perhaps max-pooling; blocks of two convolutions, each with batch
/// normalisation, around a shortcut, which is projected where the block has another number of channels; global average
/// pooling, a dense layer and a loss.
public struct ResidualNetwork {
    public private(set) var variables: [Variable] = []
    public private(set) var loss: Tensor
    public private(set) var updates: [Update] = []
    /// The input of the global average pooling.
    public private(set) var features: Tensor
    private var generator = PhiloxGenerator(seed: 21, stream: 0, step: 0)

    /// - Parameters:
    ///   - image: height, width and channels.
    ///   - channels: of the stem, which is that of the first block, and of each following block.
    ///   - poolsStem: whether max-pooling 3×3 with strides 2 follows the stem.
    public init(image: Shape, channels: [Int], poolsStem: Bool = false) throws {
        let images = Tensor.input("images", image)
        loss = images
        features = images
        var x = try normalized(convolved(images, 3, to: channels[0], by: 1)).relu()
        if poolsStem {
            x = try x.maxPooled(
                SlidingWindow(3, strides: 2, padding: Padding2D(top: 1, bottom: 1, left: 1, right: 1)))
        }
        for (place, count) in channels.enumerated() {
            let strides = place == 0 ? 1 : 2
            var y = try normalized(convolved(x, 3, to: count, by: strides)).relu()
            y = try normalized(convolved(y, 3, to: count, by: 1))
            let shortcut =
                strides == 1 && x.shape.channels == count
                ? x : try normalized(convolved(x, 1, to: count, by: strides))
            x = try (y + shortcut).relu()
        }
        features = x
        let pooled = try x.mean(axes: [1, 2])
        let logits = try Tensor.matmul(pooled, variable([x.shape.channels, 5], 0.5)) + variable([5], 0.1)
        let labels = Tensor.input("labels", .scalar, .int32)
        loss = try (logits.logSoftmax() * labels.oneHot(depth: 5)).sum(axes: [1]).mean().negated()
        let gradients = try gradient(of: loss, withRespectTo: variables.map { Tensor($0) })
        for (variable, gradient) in zip(variables, gradients) {
            let velocity = Variable(
                name: variable.name + "/velocity",
                initial: TensorValue(repeating: 0.01, shape: variable.shape))
            let next = try Tensor(velocity) * 0.9 - gradient * 0.1
            updates += [try Update(velocity, to: next), try Update(variable, to: Tensor(variable) + next)]
        }
    }

    private mutating func variable(_ shape: Shape, _ scale: Double) throws -> Tensor {
        let values = (0..<shape.elementCount).map { _ in Float((generator.uniform() * 2 - 1) * scale) }
        let variable = Variable(
            name: "v\(variables.count)", initial: try TensorValue(shape: shape, values))
        variables.append(variable)
        return Tensor(variable)
    }

    private mutating func convolved(_ x: Tensor, _ size: Int, to channels: Int, by strides: Int) throws
        -> Tensor
    {
        let kernel = try variable(
            [size, size, x.shape.channels, channels], 1 / Double(size * size * x.shape.channels).squareRoot())
        let pixels = size / 2
        return try x.convolved(
            with: kernel,
            Convolution(
                strides: Size2D(strides, strides),
                padding: Padding2D(top: pixels, bottom: pixels, left: pixels, right: pixels)))
    }

    private mutating func normalized(_ x: Tensor) throws -> Tensor {
        let channels = x.shape.channels
        let (scale, shift) = (try variable([channels], 0.5) + 1, try variable([channels], 0.5))
        let result = try x.batchNormalized(scale: scale, offset: shift, epsilon: 1e-3)
        for moment in [result.mean, result.variance] {
            let average = Variable(
                name: "average\(updates.count)", initial: TensorValue(repeating: 0.5, shape: [channels]))
            updates.append(try Update(average, to: Tensor(average) * 0.9 + moment * 0.1))
        }
        return result.normalized
    }

    /// Values for the inputs.
    public static func values(image: Shape, batch: Int) -> [String: TensorValue] {
        var generator = PhiloxGenerator(seed: 22, stream: 0, step: 0)
        let shape = Shape([batch] + image.dimensions)
        let pixels = (0..<shape.elementCount).map { _ in generator.uniform() * 2 - 1 }
        let labels = (0..<batch).map { _ in Int32(generator.index(below: 5)) }
        return [
            "images": TensorValue(shape: shape, dtype: .float32, doubles: pixels),
            "labels": TensorValue(labels),
        ]
    }

    /// The layout changes of a plan that move images: whatever is as large as a batch of the last block's, and no kernel.
    public func changedImages(in plan: Plan, batch: Int) -> [String] {
        let kernels = Set(variables.map(\.shape))
        let count = features.shape.bound(batch: batch).elementCount
        return plan.calls.compactMap { call in
            guard call.request is ReorderRequest else { return nil }
            let type = plan.values[call.reads[0]].type
            let isInput = plan.inputs.contains { $0.value == call.reads[0] }
            return kernels.contains(type.shape) || type.shape.elementCount < count || isInput
                ? nil : "\(type): \(call.note)"
        }
    }
}
