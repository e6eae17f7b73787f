#if ProtocolBuffers
    import FoveaGraph
    import FoveaLayers

    /// `(x - mean) · factor + offset`, the offset being optional.
    private struct ShiftedAndScaled {
        let x: Tensor
        let mean: Tensor
        let factor: Tensor
        let offset: Tensor?

        init?(_ tensor: Tensor) {
            let sum = tensor.operands(of: .add)
            guard let (centered, factor) = (sum?.first ?? tensor).operands(of: .multiply),
                let (x, mean) = centered.operands(of: .subtract)
            else { return nil }
            (self.x, self.mean, self.factor) = (x, mean.unbroadcast, factor.unbroadcast)
            offset = sum?.second.unbroadcast
        }

        /// What `factor` is made of: `scale / √(variance + epsilon)`, the scale being optional.
        var parts: (variance: Tensor, epsilon: Float, scale: Tensor?)? {
            var (root, scale): (Tensor, Tensor?) = (factor, nil)
            if let (first, second) = factor.operands(of: .multiply) {
                (root, scale) = (first.unbroadcast, second.unbroadcast)
            }
            guard let (variance, epsilon) = root.operand(of: .rsqrt)?.operands(of: .add),
                let epsilon = epsilon.onlyNumber
            else { return nil }
            return (variance.unbroadcast, epsilon, scale)
        }
    }

    /// With fixed numbers for each channel.
    func batchNormalization(_ tensor: Tensor, _ lowering: ONNXLowering) -> Idiom? {
        guard let match = ShiftedAndScaled(tensor), let (variance, epsilon, scale) = match.parts,
            lowering.folding.contains(match.mean), lowering.folding.contains(match.factor),
            match.offset.map(lowering.folding.contains) ?? true, tensor.shape.rank >= 2
        else { return nil }
        let (x, rank) = (match.x, tensor.shape.rank)
        // All numbers must lie along one axis.
        let axes = Set(
            [match.mean, variance, scale, match.offset].compactMap(\.self).flatMap { part in
                part.shape.dimensions.indices.filter { part.shape[$0] != 1 }.map {
                    $0 + rank - part.shape.rank
                }
            })
        guard axes.count <= 1, axes.first != 0, x.shape == tensor.shape else {
            return nil
        }
        let axis = axes.first ?? rank - 1
        let channels: Shape = [x.shape[axis]]
        return Idiom([x]) { lowering in
            let order = [0, axis] + (1..<rank).filter { $0 != axis }
            var names = [try lowering.name(of: x, as: .ordered(order))]
            for (part, name, neutral) in [
                (scale, "scale", Float(1)), (match.offset, "offset", 0), (match.mean, "mean", 0),
                (variance, "variance", 1),
            ] {
                names.append(
                    try lowering.vector(part, named: name, neutral: neutral, shape: channels, for: tensor))
            }
            return ONNXValue(
                lowering.add("BatchNormalization", names, [.float("epsilon", epsilon)], for: tensor),
                .ordered(order))
        }
    }

    /// With the moments of each example along its last axes.
    func layerNormalization(_ tensor: Tensor, _ lowering: ONNXLowering) -> Idiom? {
        guard let match = ShiftedAndScaled(tensor), let (_, epsilon, scale) = match.parts,
            case .reduction(let rule) = match.mean.operation, rule.kind == .mean, rule.keepDims,
            match.mean.inputs[0] == match.x, let first = rule.axes.first, first > 0,
            rule.axes == Array(first..<tensor.shape.rank),
            [scale, match.offset].compactMap(\.self).allSatisfy(lowering.folding.contains)
        else { return nil }
        let x = match.x
        let learned = Shape(Array(tensor.shape.dimensions[first...]))
        /// Whether a constant has a number for each place of what is normalized.
        func fits(_ part: Tensor?) -> Bool {
            part.map {
                Shape(Array($0.shape.dimensions.drop { $0 == 1 }))
                    == Shape(Array(learned.dimensions.drop { $0 == 1 }))
            } ?? true
        }
        guard fits(scale), fits(match.offset) else { return nil }
        let placeholder = Tensor.argument("x", x.shape)
        var replacements = [placeholder: x]
        func standing(for part: Tensor?) -> Tensor? {
            part.map { part in
                let placeholder = Tensor.argument("part", part.shape)
                replacements[placeholder] = part
                return placeholder
            }
        }
        let (standingScale, standingOffset) = (standing(for: scale), standing(for: match.offset))
        guard let moments = try? placeholder.moments(axes: rule.axes, keepDims: true),
            let pattern = try? placeholder.normalized(
                mean: moments.mean, variance: moments.variance, epsilon: epsilon, scale: standingScale,
                offset: standingOffset),
            pattern.isBuilt(as: tensor, replacements)
        else { return nil }
        return Idiom([x]) { lowering in
            var names = [try lowering.name(of: x, as: .natural(x.shape.rank))]
            names.append(try lowering.vector(scale, named: "scale", neutral: 1, shape: learned, for: tensor))
            if match.offset != nil {
                names.append(
                    try lowering.vector(
                        match.offset, named: "offset", neutral: 0, shape: learned, for: tensor))
            }
            return ONNXValue(
                lowering.add(
                    "LayerNormalization", names, [.int("axis", first), .float("epsilon", epsilon)],
                    for: tensor),
                .natural(x.shape.rank))
        }
    }

    /// `x · (bias + alpha · Σ x²)^-beta` over neighbouring channels of images.
    func localResponseNormalization(_ tensor: Tensor, _ lowering: ONNXLowering) -> Idiom? {
        guard tensor.shape.rank == 4, let (x, power) = tensor.operands(of: .multiply),
            let (divisor, exponent) = power.operands(of: .power), let exponent = exponent.onlyNumber,
            let (scaled, bias) = divisor.operands(of: .add), let bias = bias.onlyNumber,
            let (sums, alpha) = scaled.operands(of: .multiply), let alpha = alpha.onlyNumber,
            case .matmul = sums.operation, case .source(.constant(let band)) = sums.inputs[1].operation,
            band.shape == [x.shape[3], x.shape[3]]
        else { return nil }
        let radius = band.floats.prefix(x.shape[3]).count { $0 == 1 } - 1
        let layer = LocalResponseNormalization(
            depthRadius: max(0, radius), bias: Double(bias), alpha: Double(alpha), beta: Double(-exponent))
        let placeholder = Tensor.argument("x", x.shape)
        guard let pattern = try? layer.call(placeholder), pattern.isBuilt(as: tensor, [placeholder: x]) else {
            return nil
        }
        let size = 2 * radius + 1
        return Idiom([x]) { lowering in
            let images = try lowering.name(of: x, as: .channelsFirst(4))
            return ONNXValue(
                lowering.add(
                    "LRN", [images],
                    [
                        .int("size", size), .float("alpha", alpha * Float(size)), .float("beta", -exponent),
                        .float("bias", bias),
                    ], for: tensor), .channelsFirst(4))
        }
    }

    extension ONNXLowering {
        /// A constant with its elements in the shape that a node wants.
        ///
        /// - Parameters:
        ///   - tensor: the constant; nil for one that changes nothing.
        ///   - shape: what all its elements fill, or one is repeated to fill.
        fileprivate mutating func vector(
            _ tensor: Tensor?, named name: String, neutral: Float, shape: Shape, for owner: Tensor
        ) throws -> String {
            guard let tensor else {
                return writer.constant(
                    TensorValue(repeating: neutral, shape: shape), named: "\(self.owner(of: owner))/\(name)")
            }
            return try constant(tensor, filling: shape)
        }
    }
#endif
