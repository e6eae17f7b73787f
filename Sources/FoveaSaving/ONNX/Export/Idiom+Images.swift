#if ProtocolBuffers
    import FoveaGraph
    import FoveaLayers

    /// A convolution or product of matrices with a bias.
    func biased(_ tensor: Tensor, _ lowering: ONNXLowering) -> Idiom? {
        guard let (sum, bias) = tensor.operands(of: .add), lowering.uses[sum] == 1 else { return nil }
        let vector = bias.unbroadcast
        guard lowering.folding.contains(vector), vector.shape == [tensor.shape.channels] else { return nil }
        switch sum.operation {
        case .convolution(let rule):
            return Idiom(sum.inputs) { try $0.convolution(sum, rule, bias: vector, for: tensor) }
        case .convolutionInputGradient(let rule):
            return Idiom(sum.inputs) { try $0.transposedConvolution(sum, rule, bias: vector, for: tensor) }
        case .matmul(let rule) where !lowering.folding.contains(sum):
            return Idiom(sum.inputs) {
                ONNXValue(
                    try $0.product(sum, rule, bias: vector, for: tensor), .natural(tensor.shape.rank))
            }
        default: return nil
        }
    }

    /// Each pixel repeated along rows, columns or both.
    func enlargement(_ tensor: Tensor, _ lowering: ONNXLowering) -> Idiom? {
        guard let last = repetition(tensor) else { return nil }
        var scales: [Float] = [1, 1, 1, 1]
        scales[last.axis] = Float(last.factor)
        var x = last.x
        if let inner = repetition(x), inner.axis != last.axis, lowering.uses[x] == 1 {
            scales[inner.axis] = Float(inner.factor)
            x = inner.x
        }
        let images = x
        let factors = [scales[0], scales[3], scales[1], scales[2]]
        return Idiom([images]) { lowering in
            let name = try lowering.name(of: images, as: .channelsFirst(4))
            let sizes = lowering.writer.constant(
                TensorValue(factors), named: "\(lowering.owner(of: tensor))/scales")
            return ONNXValue(
                lowering.add(
                    "Resize", [name, "", sizes],
                    [
                        .string("mode", "nearest"), .string("nearest_mode", "floor"),
                        .string("coordinate_transformation_mode", "asymmetric"),
                    ], for: tensor), .channelsFirst(4))
        }
    }

    /// Images resized so that pixels between pixels lie on straight lines.
    func interpolation(_ tensor: Tensor, _ lowering: ONNXLowering) -> Idiom? {
        guard tensor.shape.rank == 4, isInterpolated(tensor) else { return nil }
        let size = tensor.shape.imageSize
        var source: Tensor?
        var x = tensor
        // The longest way that the library's own layers explain.
        for _ in 0..<40 {
            guard let input = x.inputs.first else { break }
            x = input
            guard x.shape.rank == 4, x.shape[0] == tensor.shape[0], x.shape[3] == tensor.shape[3] else {
                continue
            }
            let placeholder = Tensor.argument("x", x.shape)
            let present = x.shape.imageSize
            let factors = Size2D(size.height / present.height, size.width / present.width)
            let patterns = [
                try? UpSampling2D(size: factors, interpolation: .bilinear).call(images: placeholder),
                try? Resizing(height: size.height, width: size.width).call(images: placeholder),
            ]
            if patterns.contains(where: { $0?.isBuilt(as: tensor, [placeholder: x]) ?? false }) { source = x }
        }
        guard let images = source else { return nil }
        /// What an extent is multiplied with, never too little for the result.
        func scale(_ from: Int, _ to: Int) -> Float {
            var scale = Float(to) / Float(from)
            // Programs multiply in float32 or float64, and round down.
            while Double(from) * Double(scale) < Double(to) { scale = scale.nextUp }
            return scale
        }
        let scales = [
            1, 1, scale(images.shape[1], size.height), scale(images.shape[2], size.width),
        ]
        return Idiom([images]) { lowering in
            let name = try lowering.name(of: images, as: .channelsFirst(4))
            let sizes = lowering.writer.constant(
                TensorValue(scales), named: "\(lowering.owner(of: tensor))/scales")
            return ONNXValue(
                lowering.add(
                    "Resize", [name, "", sizes],
                    [
                        .string("mode", "linear"), .string("coordinate_transformation_mode", "half_pixel"),
                    ], for: tensor), .channelsFirst(4))
        }
    }

    /// Whether a tensor ends as those do which `interpolation` looks for.
    private func isInterpolated(_ tensor: Tensor) -> Bool {
        if case .reshape = tensor.operation {
            return tensor.inputs[0].operands(of: .add)?.first.operands(of: .add) != nil
        }
        guard let (_, change) = tensor.operands(of: .add), let (distance, _) = change.operands(of: .multiply),
            let (after, _) = distance.operands(of: .subtract), case .gather = after.operation
        else { return false }
        return true
    }

    /// What is repeated, along which axis, and how often, where each pixel of images becomes several.
    private func repetition(_ tensor: Tensor) -> (x: Tensor, axis: Int, factor: Int)? {
        guard case .reshape = tensor.operation, case .broadcast = tensor.inputs[0].operation,
            case .reshape = tensor.inputs[0].inputs[0].operation
        else { return nil }
        let (long, thin) = (tensor.inputs[0].shape, tensor.inputs[0].inputs[0].shape)
        let x = tensor.inputs[0].inputs[0].inputs[0]
        guard x.shape.rank == 4, tensor.shape.rank == 4, long.rank == 5, thin.rank == 5 else { return nil }
        for axis in [1, 2] {
            var (split, repeated, result) = (x.shape.dimensions, x.shape.dimensions, x.shape)
            let factor = long[axis + 1]
            split.insert(1, at: axis + 1)
            repeated.insert(factor, at: axis + 1)
            result[axis] *= factor
            if thin.dimensions == split, long.dimensions == repeated, tensor.shape == result {
                return (x, axis, factor)
            }
        }
        return nil
    }
#endif
