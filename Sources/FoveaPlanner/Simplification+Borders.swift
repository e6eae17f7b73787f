import FoveaGraph

extension BoundGraph {
    /// Borders of zeros around images as the padding of the convolution or max-pooling that reads them, so that no copy of
    /// the images is made; likewise where a gradient's border is cut off.
    func withBordersAsPadding() throws -> BoundGraph {
        try rewritten { tensor, inputs in
            try bordersAsPadding(tensor.operation, inputs)
                ?? Tensor(known: tensor.operation, inputs, tensor.node.type)
        }
    }
}

private func bordersAsPadding(_ operation: Operation, _ inputs: [Tensor]) throws -> Tensor? {
    switch operation {
    case .convolution(let rule):
        guard let (images, border) = bordered(inputs[0]),
            let widened = rule.padded(by: border, kernel: Size2D(inputs[1].shape[0], inputs[1].shape[1]))
        else { return nil }
        return try Tensor(.convolution(widened), [images, inputs[1]])

    case .convolutionKernelGradient(let rule):
        guard let (images, border) = bordered(inputs[0]),
            let widened = rule.convolution.padded(by: border, kernel: rule.kernelSize)
        else { return nil }
        return try Tensor(
            .convolutionKernelGradient(.init(convolution: widened, kernelSize: rule.kernelSize)),
            [images, inputs[1]])

    case .maxPool(let rule):
        // Zeros are never larger than what ReLU gives.
        guard let (images, border) = bordered(inputs[0]), case .unary(.relu) = images.operation,
            let window = rule.window.padded(by: border)
        else { return nil }
        return try Tensor(.maxPool(MaxPool(window, isRectified: rule.isRectified)), [images])

    case .slice(let rule):
        guard let border = rule.border(of: inputs[0].shape) else { return nil }
        let gradient = inputs[0]
        switch gradient.operation {
        case .convolutionInputGradient(let whole):
            let kernel = gradient.inputs[0].shape
            guard let widened = whole.convolution.padded(by: border, kernel: Size2D(kernel[0], kernel[1]))
            else { return nil }
            return try Tensor(
                .convolutionInputGradient(.init(convolution: widened, inputSize: rule.extents.imageSize)),
                gradient.inputs)
        case .maxPoolGradient(let whole):
            // The pooling's images are those of its forward pass, from which the border is gone too.
            guard let (images, ownBorder) = bordered(gradient.inputs[0]), ownBorder == border,
                case .unary(.relu) = images.operation, let window = whole.window.padded(by: border)
            else { return nil }
            return try Tensor(
                .maxPoolGradient(MaxPoolGradient(window, isRectified: whole.isRectified)),
                [images, gradient.inputs[1]])
        default: return nil
        }

    default: return nil
    }
}

/// The images inside a border of zeros, and the border.
private func bordered(_ tensor: Tensor) -> (images: Tensor, border: Padding2D)? {
    guard case .pad(let pad) = tensor.operation, tensor.shape.rank == 4, pad.value == 0,
        pad.interior.allSatisfy({ $0 == 0 }), pad.low[0] == 0, pad.high[0] == 0, pad.low[3] == 0,
        pad.high[3] == 0
    else { return nil }
    return (
        tensor.inputs[0],
        Padding2D(top: pad.low[1], bottom: pad.high[1], left: pad.low[2], right: pad.high[2])
    )
}

extension Slice {
    /// What it cuts off from images, when that is a border and nothing else.
    fileprivate func border(of shape: Shape) -> Padding2D? {
        guard shape.rank == 4, strides.allSatisfy({ $0 == 1 }), extents[0] == shape[0], extents[3] == shape[3]
        else { return nil }
        return Padding2D(
            top: starts[1], bottom: shape[1] - starts[1] - extents[1], left: starts[2],
            right: shape[2] - starts[2] - extents[2])
    }
}

extension Padding2D {
    fileprivate static func + (a: Padding2D, b: Padding2D) -> Padding2D {
        Padding2D(
            top: a.top + b.top, bottom: a.bottom + b.bottom, left: a.left + b.left, right: a.right + b.right)
    }

    /// Whether every window of this size sees at least one pixel: kernels ask for that.
    fileprivate func isLess(than window: Size2D) -> Bool {
        max(top, bottom) < window.height && max(left, right) < window.width
    }
}

extension Convolution {
    fileprivate func padded(by border: Padding2D, kernel: Size2D) -> Convolution? {
        var widened = self
        widened.padding = padding + border
        let reach = Size2D(
            (kernel.height - 1) * dilations.height + 1, (kernel.width - 1) * dilations.width + 1)
        return widened.padding.isLess(than: reach) ? widened : nil
    }
}

extension SlidingWindow {
    fileprivate func padded(by border: Padding2D) -> SlidingWindow? {
        let padding = padding + border
        guard padding.isLess(than: window) else { return nil }
        return SlidingWindow(window, strides: strides, dilations: dilations, padding: padding)
    }
}
