#if ProtocolBuffers
    import FoveaGraph
    import FoveaLayers

    extension ONNXImporter {
        mutating func convertBatchNormalization(_ node: ONNXNode) throws {
            var x = try value(node)
            guard node.int("training_mode") == 0, node.int("spatial", 1) == 1 else {
                throw node.problem("it takes moments of the batch, or of each pixel")
            }
            if x.isRows { x = try inOrder(x) }
            let channels = x.shape[1]
            var parts: [ONNXConstant] = []
            for place in 1...4 {
                guard let part = try vector(node, place, count: channels) else {
                    throw node.problem("it has no input \(place)")
                }
                parts.append(part)
            }
            // Scales and shifts behind it become part of it.
            let (rest, output) = try scaleAndShift(behind: node.outputs.first ?? "", shape: x.shape)
            var next = output
            if rest.axis == nil || rest.axis == 1 {
                if output != node.outputs.first {
                    func numbers(_ list: [Float]) -> [Float] {
                        list.count == channels ? list : [Float](repeating: list[0], count: channels)
                    }
                    let (scale, shift) = (numbers(rest.scale), numbers(rest.shift))
                    let (gamma, beta) = (try parts[0].floats(), try parts[1].floats())
                    parts[0].replace(zip(gamma, scale).map { $0 * $1 })
                    parts[1].replace(zip(zip(beta, scale), shift).map { $0.0 * $0.1 + $1 })
                }
            } else {
                throw node.problem("constants along another axis than the channels' follow it")
            }
            let place = x.order.firstIndex(of: 1) ?? 1
            if next.isEmpty { next = node.outputs.first ?? "" }
            let layer = BatchNormalization(
                axis: place == x.shape.rank - 1 ? -1 : place, momentum: Double(node.float("momentum", 0.9)),
                epsilon: Double(node.float("epsilon", 1e-5)), betaInitializer: initializer(parts[1], .zeros),
                gammaInitializer: initializer(parts[0], .ones),
                movingMeanInitializer: initializer(parts[2], .zeros),
                movingVarianceInitializer: initializer(parts[3], .ones),
                name: layerName(node, weight: try optionalConstant(node, 1), output: next))
            let parameters = [layer.gamma, layer.beta, layer.movingMean, layer.movingVariance]
            for (part, parameter) in zip(parts, parameters) { try keep(part, for: parameter) }
            try set(next, x.replacing(layer(x.output)))
        }

        mutating func convertLayerNormalization(_ node: ONNXNode) throws {
            let x = try inOrder(value(node))
            let rank = x.shape.rank
            let axis = node.int("axis", -1) < 0 ? node.int("axis", -1) + rank : node.int("axis", -1)
            guard (1..<rank).contains(axis) else {
                throw node.problem("its axis \(axis) is none of an example")
            }
            let shape = Shape(Array(x.shape.dimensions[axis...]))
            guard node.outputs.count == 1 else { throw node.problem("it gives its moments, too") }
            func part(_ place: Int) throws -> ONNXConstant? {
                guard let constant = try optionalConstant(node, place) else { return nil }
                guard constant.shape.elementCount == shape.elementCount else {
                    throw node.problem("its input \(place) is \(constant.shape), not \(shape)")
                }
                return try constant.reshaped(to: shape)
            }
            let (scale, offset) = (try part(1), try part(2))
            let layer = LayerNormalization(
                axes: axis == rank - 1 ? [-1] : Array(axis..<rank),
                epsilon: Double(node.float("epsilon", 1e-5)),
                center: offset != nil, scale: scale != nil, betaInitializer: initializer(offset, .zeros),
                gammaInitializer: initializer(scale, .ones), name: layerName(node, weight: scale))
            try keep(scale, for: layer.gamma)
            try keep(offset, for: layer.beta)
            try set(node, x.replacing(layer(x.output)))
        }

        mutating func convertLocalResponseNormalization(_ node: ONNXNode) throws {
            let x = try images(node)
            let size = node.int("size")
            guard size > 0, size % 2 == 1, size < 1 << 20 else {
                throw node.problem("its size \(size) is no odd number of channels")
            }
            // The mean over the window there, the sum here.
            let layer = LocalResponseNormalization(
                depthRadius: size / 2, bias: Double(node.float("bias", 1)),
                alpha: Double(node.float("alpha", 1e-4)) / Double(size),
                beta: Double(node.float("beta", 0.75)),
                name: layerName(node))
            try set(
                node, try restored(x.replacing(layer(x.output), isNotNegative: x.isNotNegative), node))
        }
    }

    extension ONNXConstant {
        /// Other numbers of the same shape.
        fileprivate mutating func replace(_ numbers: [Float]) {
            self = ONNXConstant(
                shape: shape, elements: .value(TensorValue(unchecked: shape, .float32(numbers))), name: name)
        }
    }
#endif
