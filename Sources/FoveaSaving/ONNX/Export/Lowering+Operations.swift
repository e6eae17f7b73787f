#if ProtocolBuffers
    import FoveaGraph

    extension ONNXLowering {
        /// The node or nodes of an operation.
        mutating func lower(_ tensor: Tensor) throws -> ONNXValue {
            switch tensor.operation {
            case .unary, .binary, .comparison, .select, .cast: return try elementwise(tensor)
            case .reduction(let rule): return try reduction(tensor, rule)
            case .argMax(let rule): return try argMax(tensor, rule)
            case .reshape: return try reshape(tensor)
            case .transpose(let rule): return try transpose(tensor, rule)
            case .broadcast: return try broadcast(tensor)
            case .slice(let rule): return try slice(tensor, rule)
            case .pad(let rule): return try pad(tensor, rule)
            case .concatenate(let rule): return try concatenate(tensor, rule)
            case .oneHot(let rule): return try oneHot(tensor, rule)
            case .gather(let rule): return try gather(tensor, rule)
            case .matmul(let rule): return try matmul(tensor, rule)
            case .convolution(let rule): return try convolution(tensor, rule)
            case .convolutionInputGradient(let rule): return try transposedConvolution(tensor, rule)
            case .maxPool(let rule): return try maxPool(tensor, rule)
            case .averagePool(let rule): return try averagePool(tensor, rule)
            case .softmax(let rule): return try softmax(tensor, rule)
            case .random, .source(.randomKey):
                throw problem(
                    tensor, "it draws random numbers in inference, too, which an ONNX model should not")
            default:
                throw problem(
                    tensor, "it uses '\(tensor.operation.rule.name)', for which ONNX has no operator")
            }
        }

        /// Why a layer cannot be written.
        func problem(_ tensor: Tensor, _ text: String) -> ONNXExportProblem {
            ONNXExportProblem("layer '\(owner(of: tensor))' cannot be written as ONNX: \(text)")
        }

        // MARK: Reductions

        private mutating func reduction(_ tensor: Tensor, _ rule: Reduction) throws -> ONNXValue {
            let x = tensor.inputs[0]
            let (name, order) = try anyOrder(of: x)
            let places = order.indices.filter { rule.axes.contains(order[$0]) }
            let isWholeImage =
                x.shape.rank == 4 && rule.axes == [1, 2] && order == AxisForm.channelsFirstOrder(4)
            let kept = order.filter { !rule.axes.contains($0) }
            let rest = kept.map { axis in axis - rule.axes.count { $0 < axis } }
            let form = AxisForm.ordered(rule.keepDims ? order : rest)
            if isWholeImage, rule.kind != .sum {
                let pooled = add(
                    rule.kind == .mean ? "GlobalAveragePool" : "GlobalMaxPool", [name], for: tensor)
                return ONNXValue(
                    rule.keepDims ? pooled : add("Flatten", [pooled], [.int("axis", 1)], for: tensor), form)
            }
            let keep = ONNXAttributeProto.int("keepdims", rule.keepDims ? 1 : 0)
            switch rule.kind {
            // Of the three, only the sum has its axes as an input in the operator set that is written.
            case .sum:
                let axes = integers(places, "axes", for: tensor)
                return ONNXValue(add("ReduceSum", [name, axes], [keep], for: tensor), form)
            case .mean, .max:
                let operation = rule.kind == .mean ? "ReduceMean" : "ReduceMax"
                return ONNXValue(add(operation, [name], [.ints("axes", places), keep], for: tensor), form)
            }
        }

        private mutating func argMax(_ tensor: Tensor, _ rule: ArgMax) throws -> ONNXValue {
            let x = tensor.inputs[0]
            let natural = try name(of: x, as: .natural(x.shape.rank))
            let places = add(
                "ArgMax", [natural], [.int("axis", rule.axis), .int("keepdims", rule.keepDims ? 1 : 0)],
                for: tensor)
            return ONNXValue(
                add("Cast", [places], [.int("to", Int(ONNXElementType.int32.rawValue))], for: tensor),
                .natural(tensor.shape.rank))
        }

        private mutating func softmax(_ tensor: Tensor, _ rule: Softmax) throws -> ONNXValue {
            let (name, order) = try anyOrder(of: tensor.inputs[0])
            let axis = order.firstIndex(of: rule.axis) ?? rule.axis
            return ONNXValue(
                add(rule.isLogarithmic ? "LogSoftmax" : "Softmax", [name], [.int("axis", axis)], for: tensor),
                .ordered(order))
        }

        // MARK: Products

        private mutating func matmul(_ tensor: Tensor, _ rule: MatMul) throws -> ONNXValue {
            ONNXValue(try product(tensor, rule, bias: nil, for: tensor), .natural(tensor.shape.rank))
        }

        /// A product of matrices, with a vector added to each row where there is one.
        mutating func product(_ tensor: Tensor, _ rule: MatMul, bias: Tensor?, for owner: Tensor) throws
            -> String
        {
            let (a, b) = (tensor.inputs[0], tensor.inputs[1])
            var left: String
            let right: String
            if !rule.transposeA, !rule.transposeB, folding.contains(b), b.shape.rank == 2,
                case .flattened(let extents, let order) = form(of: a)
            {
                // The rows of the constant take the order that the features have.
                left = try name(of: a, as: .flattened(extents: extents, order: order))
                right = try rows(of: b, extents, order)
            } else {
                left = try matrices(a, rule.transposeA && a.shape.rank > 2)
                right = try matrices(b, rule.transposeB && (a.shape.rank > 2 || folding.contains(b)))
            }
            guard a.shape.rank == 2, b.shape.rank == 2 else {
                let products = add("MatMul", [left, right], for: owner)
                guard let bias else { return products }
                return add(
                    "Add",
                    [products, try operand(bias, rank: tensor.shape.rank, as: .natural(tensor.shape.rank))],
                    for: owner)
            }
            let transposeB = rule.transposeB && !folding.contains(b)
            guard bias != nil || rule.transposeA || transposeB else {
                return add("MatMul", [left, right], for: owner)
            }
            var inputs = [left, right]
            if let bias { inputs.append(try operand(bias, rank: 2, as: .natural(2))) }
            var attributes: [ONNXAttributeProto] = []
            if rule.transposeA { attributes.append(.int("transA", 1)) }
            if transposeB { attributes.append(.int("transB", 1)) }
            left = add("Gemm", inputs, attributes, for: owner)
            return left
        }

        /// Matrices, the last two axes exchanged if asked.
        private mutating func matrices(_ tensor: Tensor, _ isTransposed: Bool) throws -> String {
            var order = Array(0..<tensor.shape.rank)
            if isTransposed { order.swapAt(order.count - 1, order.count - 2) }
            return try name(of: tensor, as: .ordered(order))
        }

        // MARK: Places

        private mutating func oneHot(_ tensor: Tensor, _ rule: OneHot) throws -> ONNXValue {
            let x = tensor.inputs[0]
            let column = add(
                "Unsqueeze",
                [try name(of: x, as: .natural(x.shape.rank)), integers([-1], "axes", for: tensor)],
                for: tensor)
            let places = writer.constant(
                TensorValue((0..<rule.depth).map { Int32(clamping: $0) }),
                named: "\(owner(of: tensor))/places")
            let isThere = add("Equal", [column, places], for: tensor)
            return ONNXValue(
                add("Cast", [isThere], [.int("to", rule.dtype.onnxNumber)], for: tensor),
                .natural(tensor.shape.rank))
        }

        private mutating func gather(_ tensor: Tensor, _ rule: Gather) throws -> ONNXValue {
            let (table, indices) = (tensor.inputs[0], tensor.inputs[1])
            guard rule.sharedAxes == 0 else {
                throw problem(tensor, "it picks other places for each example")
            }
            var (name, order) = try anyOrder(of: table)
            if indices.shape.rank != 1 {
                order = Array(0..<table.shape.rank)
                name = try self.name(of: table, as: .ordered(order))
            }
            let places = try self.name(of: indices, as: .natural(indices.shape.rank))
            let axis = order.firstIndex(of: rule.axis) ?? rule.axis
            return ONNXValue(
                add("Gather", [name, places], [.int("axis", axis)], for: tensor),
                indices.shape.rank == 1 ? .ordered(order) : .natural(tensor.shape.rank))
        }
    }

    extension DType {
        /// The number of the type in ONNX files.
        var onnxNumber: Int {
            let type: ONNXElementType =
                switch self {
                case .float32: .float32
                case .bfloat16: .bfloat16
                case .int32: .int32
                case .uint8: .uint8
                case .bool: .bool
                }
            return Int(type.rawValue)
        }
    }
#endif
