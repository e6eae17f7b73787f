#if ProtocolBuffers
    import FoveaGraph
    import FoveaLayers

    extension ActivationFunction {
        /// Whether no result is negative.
        var isNeverNegative: Bool {
            switch self {
            case .relu, .relu6, .sigmoid, .hardSigmoid, .softplus, .exponential, .softmax: true
            default: false
            }
        }
    }

    extension ONNXImporter {
        /// The activation function that a node is; nil for other nodes. Softmax is one for rows only.
        func activation(_ node: ONNXNode) throws -> ActivationFunction? {
            func isClose(_ name: String, _ standard: Float, to number: Float) -> Bool {
                abs(node.float(name, standard) - number) < 1e-6
            }
            guard let known = Self.attributes[node.operation], node.inputs.count <= 3 else { return nil }
            try node.checkAttributes(known)
            switch node.operation {
            case "Relu": return .relu
            case "Sigmoid": return .sigmoid
            case "Tanh": return .tanh
            case "Softplus": return .softplus
            case "Softsign": return .softsign
            case "Exp": return .exponential
            case "HardSwish": return .hardSwish
            case "Mish": return .mish
            case "Gelu": return node.string("approximate", "none") == "tanh" ? .geluTanh : .gelu
            case "Selu":
                return isClose("alpha", 1.673_263_2, to: 1.673_263_2)
                    && isClose("gamma", 1.050_701, to: 1.050_701)
                    ? .selu : nil
            case "Elu": return isClose("alpha", 1, to: 1) ? .elu : nil
            case "Celu": return isClose("alpha", 1, to: 1) ? .celu : nil
            case "LeakyRelu": return isClose("alpha", 0.01, to: 0.2) ? .leakyRelu : nil
            case "HardSigmoid":
                return isClose("alpha", 0.2, to: 1 / 6) && isClose("beta", 0.5, to: 0.5) ? .hardSigmoid : nil
            case "Clip":
                let (least, most) = try limits(node)
                return least == 0 && most == 6 ? .relu6 : least == -1 && most == 1 ? .hardTanh : nil
            case "Softmax", "LogSoftmax":
                guard let output = node.inputs.first,
                    values[output].map({ $0.logicalShape.rank == 2 }) ?? true,
                    node.int("axis", operatorSet < 13 ? 1 : -1) == -1
                        || node.int("axis", operatorSet < 13 ? 1 : -1) == 1
                else { return nil }
                return node.operation == "Softmax" ? .softmax : .logSoftmax
            default: return nil
            }
        }

        mutating func convertActivation(_ node: ONNXNode) throws {
            let x = try value(node)
            if let function = try activation(node) {
                let name = layerName(node)
                let layer: any Layer =
                    function == .relu ? ReLU(name: name) : Activation(function, name: name)
                return try set(node, x.replacing(layer(x.output), isNotNegative: function.isNeverNegative))
            }
            switch node.operation {
            case "LeakyRelu":
                let layer = LeakyReLU(negativeSlope: Double(node.float("alpha", 0.01)), name: layerName(node))
                try set(node, x.replacing(layer(x.output)))
            case "Elu":
                let layer = ELU(alpha: Double(node.float("alpha", 1)), name: layerName(node))
                try set(node, x.replacing(layer(x.output)))
            case "HardSigmoid":
                let line = Rescaling(
                    scale: Double(node.float("alpha", 0.2)), offset: Double(node.float("beta", 0.5)))
                let y = ReLU(maxValue: 1, name: layerName(node))(line(x.output))
                try set(node, x.replacing(y, isNotNegative: true))
            case "Neg": try set(node, x.replacing(Rescaling(scale: -1, name: layerName(node))(x.output)))
            default: throw node.problem("Fovea has no activation function with these settings")
            }
        }

        /// The least and the largest number that a node lets pass.
        private func limits(_ node: ONNXNode) throws -> (least: Float, most: Float) {
            let ends = try [1, 2].map { try optionalConstant(node, $0)?.number() }
            return (
                ends[0] ?? node.float("min", -.greatestFiniteMagnitude),
                ends[1] ?? node.float("max", .greatestFiniteMagnitude)
            )
        }

        mutating func convertClip(_ node: ONNXNode) throws {
            if try activation(node) != nil { return try convertActivation(node) }
            let x = try value(node)
            let (least, most) = try limits(node)
            guard least <= most, !least.isNaN, !most.isNaN else {
                throw node.problem("it keeps numbers from \(least) to \(most)")
            }
            let name = layerName(node)
            let limit = Float.greatestFiniteMagnitude
            guard least > -limit else {
                guard most < limit else { return try set(node, x) }
                // min(x, b) = b - max(b - x, 0)
                let distance = ReLU()(Rescaling(scale: -1, offset: Double(most))(x.output))
                let y = Rescaling(scale: -1, offset: Double(most), name: name)(distance)
                return try set(node, x.replacing(y))
            }
            let ceiling = most < limit ? Double(most) - Double(least) : nil
            if least == 0 {
                return try set(
                    node, x.replacing(ReLU(maxValue: ceiling, name: name)(x.output), isNotNegative: true))
            }
            let above = ReLU(maxValue: ceiling)(Rescaling(scale: 1, offset: -Double(least))(x.output))
            let y = Rescaling(scale: 1, offset: Double(least), name: name)(above)
            try set(node, x.replacing(y, isNotNegative: least >= 0))
        }

        mutating func convertSoftmax(_ node: ONNXNode) throws {
            let value = try value(node)
            let rank = value.logicalShape.rank
            var axis = node.int("axis", operatorSet < 13 ? 1 : -1)
            if axis < 0 { axis += rank }
            guard (1..<rank).contains(axis) else {
                throw node.problem("its axis \(axis) is none of an example")
            }
            let isLogarithmic = node.operation == "LogSoftmax"
            var x = value.isRows ? try inOrder(value) : value
            // Older operators look at all axes from this one on together.
            if operatorSet < 13, x.shape.dimensions[(axis + 1)...].contains(where: { $0 != 1 }) {
                guard axis == 1 else { throw node.problem("it is over several axes, not all of an example") }
                x = try inOrder(x)
                let rows = Activation(isLogarithmic ? .logSoftmax : .softmax)(Flatten()(x.output))
                let y = Reshape(
                    targetShape: Array(x.shape.dimensions.dropFirst()), name: layerName(node))(rows)
                return try set(node, x.replacing(y, isNotNegative: !isLogarithmic))
            }
            if isLogarithmic {
                x = try arranged(x, x.order.filter { $0 != axis } + [axis])
                let y = Activation(.logSoftmax, name: layerName(node))(x.output)
                return try set(node, x.replacing(y))
            }
            let place = x.order.firstIndex(of: axis) ?? axis
            let name = layerName(node)
            let layer: any Layer =
                place == rank - 1 ? Activation(.softmax, name: name) : Softmax(axis: place, name: name)
            try set(node, x.replacing(layer(x.output), isNotNegative: true))
        }

        mutating func convertParametricRectifier(_ node: ONNXNode) throws {
            var x = try value(node)
            if x.isRows { x = try inOrder(x) }
            let slope = try constant(node, 1)
            let rank = x.shape.rank
            guard slope.shape.rank <= rank else {
                throw node.problem("its slopes are \(slope.shape) for \(x.shape)")
            }
            let extents = [Int](repeating: 1, count: rank - slope.shape.rank) + slope.shape.dimensions
            guard extents[0] == 1, (1..<rank).allSatisfy({ extents[$0] == 1 || extents[$0] == x.shape[$0] })
            else {
                throw node.problem("its slopes are \(slope.shape) for \(x.shape)")
            }
            let shared = (1..<rank).filter { extents[x.order[$0]] == 1 && x.shape[x.order[$0]] != 1 }
            let layer = PReLU(
                sharedAxes: shared, alphaInitializer: initializer(slope, .zeros),
                name: layerName(node, weight: slope))
            let alpha = try slope.reshaped(to: Shape(extents)).transposed(x.order)
            try keep(alpha.reshaped(to: Shape(Array(alpha.shape.dimensions.dropFirst()))), for: layer.alpha)
            try set(node, x.replacing(layer(x.output)))
        }

        mutating func convertDropout(_ node: ONNXNode) throws {
            let x = try value(node)
            let ratio = try optionalConstant(node, 1)?.number() ?? node.float("ratio", 0.5)
            guard ratio >= 0, ratio < 1 else {
                throw node.problem("its ratio \(ratio) is not from 0 to below 1")
            }
            guard ratio > 0 else { return try set(node, x) }
            let y = Dropout(rate: Double(ratio), name: layerName(node))(x.output)
            try set(node, x.replacing(y, isNotNegative: x.isNotNegative))
        }

        mutating func convertCast(_ node: ONNXNode) throws {
            guard [1, 10, 11, 16].contains(node.int("to", 1)) else {
                throw node.problem("it makes something else of numbers than numbers")
            }
            try set(node, try value(node))
        }
    }
#endif
