#if ProtocolBuffers
    import FoveaGraph
    import FoveaLayers

    extension ONNXImporter {
        /// A vector of numbers for each channel or unit that a node has as an input; nil where it has none.
        func vector(_ node: ONNXNode, _ place: Int, count: Int) throws -> ONNXConstant? {
            guard let constant = try optionalConstant(node, place) else { return nil }
            guard constant.shape.elementCount == count else {
                throw node.problem(
                    "its input \(place), \(quoted(constant.name)), is \(constant.shape), not [\(count)]")
            }
            return try constant.reshaped(to: [count])
        }

        /// What a bias and an activation that follow a node make of its layer.
        struct Continuation {
            var vector: ONNXConstant?
            var activation = ActivationFunction.linear
            /// The value that is made then.
            var output: String
        }

        /// Looks for a bias and an activation function behind a node, which then become part of its layer.
        ///
        /// - Parameters:
        ///   - bias: what the node has itself.
        ///   - channels: how many numbers a bias has.
        ///   - axisFromEnd: that of the channels, 1 for the last.
        ///   - isRows: whether the result is `[batch, channels]`.
        mutating func biased(
            _ node: ONNXNode, _ bias: ONNXConstant?, channels: Int, axisFromEnd: Int, isRows: Bool = false
        ) throws -> Continuation {
            guard let output = node.outputs.first else { throw node.problem("it has no output") }
            var result = Continuation(vector: bias, output: output)
            if bias == nil, let next = onlyReader(of: output), next.operation == "Add",
                let constant = next.inputs.compactMap({ constants[$0] }).first,
                constant.shape.elementCount == channels,
                channels == 1
                    || constant.shape.rank >= axisFromEnd
                        && constant.shape.dimensions[constant.shape.rank - axisFromEnd] == channels
            {
                result.vector = try constant.reshaped(to: [channels])
                result.output = next.outputs.first ?? output
                skip(next)
            }
            if let next = onlyReader(of: result.output), let function = try activation(next),
                function != .softmax && function != .logSoftmax || isRows
            {
                result.activation = function
                result.output = next.outputs.first ?? output
                skip(next)
            }
            return result
        }

        mutating func convertGemm(_ node: ONNXNode) throws {
            let x = try value(node)
            let kernel = try constant(node, 1)
            guard x.logicalShape.rank == 2, kernel.shape.rank == 2, node.int("transA") == 0 else {
                throw node.problem("it is no product of rows [batch, features] with a constant matrix")
            }
            let isTransposed = node.int("transB") != 0
            var weights = isTransposed ? try kernel.transposed([1, 0]) : kernel
            let (alpha, beta) = (node.float("alpha", 1), node.float("beta", 1))
            if alpha != 1 { weights = try weights.mapped { $0 * alpha } }
            let units = weights.shape[1]
            var bias: ONNXConstant?
            if var constant = try optionalConstant(node, 2) {
                guard [1, units].contains(constant.shape.elementCount),
                    constant.shape.channels == constant.shape.elementCount
                else {
                    throw node.problem("its bias is \(constant.shape), not [\(units)]")
                }
                if beta != 1 { constant = try constant.mapped { $0 * beta } }
                bias =
                    constant.shape.elementCount == units
                    ? try constant.reshaped(to: [units])
                    : ONNXConstant(
                        shape: [units], elements: .filled(Double(try constant.number())), name: constant.name)
            }
            try dense(node, x, weights, bias: bias)
        }

        mutating func convertMatMul(_ node: ONNXNode) throws {
            let kernel = try constant(node, 1)
            guard kernel.shape.rank == 2 else {
                throw node.problem("its second operand is \(kernel.shape), Fovea multiplies with matrices")
            }
            try dense(node, try value(node), kernel, bias: nil)
        }

        private mutating func dense(
            _ node: ONNXNode, _ x: ImportedValue, _ kernel: ONNXConstant, bias: ONNXConstant?
        ) throws {
            var (x, kernel) = (x, kernel)
            guard x.logicalShape.channels == kernel.shape[0] else {
                throw node.problem(
                    "\(kernel.shape) does not fit the \(x.logicalShape.channels) features of its input")
            }
            if x.isRows {
                // The rows of the matrix take the order in which the features come.
                let extents = Array(x.shape.dimensions.dropFirst())
                let units = kernel.shape[1]
                kernel = try kernel.reshaped(to: Shape(extents + [units]))
                    .transposed(x.order.dropFirst().map { $0 - 1 } + [extents.count])
                    .reshaped(to: [kernel.shape[0], units])
                x = ImportedValue(
                    output: Flatten()(x.output), shape: x.logicalShape, order: [0, 1],
                    isNotNegative: x.isNotNegative)
            } else {
                x = try inOrder(x)
            }
            let units = kernel.shape[1]
            let next = try biased(node, bias, channels: units, axisFromEnd: 1, isRows: x.shape.rank == 2)
            let layer = Dense(
                units: units, activation: next.activation, useBias: next.vector != nil,
                kernelInitializer: initializer(kernel, .glorotUniform),
                biasInitializer: initializer(next.vector, .zeros),
                name: layerName(node, weight: try optionalConstant(node, 1), output: next.output))
            try keep(kernel, for: layer.kernel)
            try keep(next.vector, for: layer.bias)
            var shape = x.shape
            shape[shape.rank - 1] = units
            try set(
                next.output,
                ImportedValue(
                    output: layer(x.output), shape: shape, order: x.order,
                    isNotNegative: next.activation.isNeverNegative))
        }
    }
#endif
