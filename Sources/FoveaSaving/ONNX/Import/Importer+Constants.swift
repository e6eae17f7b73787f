#if ProtocolBuffers
    import FoveaGraph

    extension ONNXImporter {
        /// Computes a node all of whose inputs are constants, where it says sizes or only moves elements.
        mutating func foldConstants(_ node: ONNXNode) throws {
            guard let output = node.outputs.first, !isDone(node) else { return }
            var inputs: [ONNXConstant] = []
            for name in node.inputs where !name.isEmpty {
                guard let constant = constants[name] else { return }
                inputs.append(constant)
            }
            guard let result = try folded(node, inputs) else { return }
            guard constants.updateValue(result, forKey: output) == nil, values[output] == nil else {
                throw node.problem("two nodes or inputs make \(quoted(output))")
            }
            skip(node)
        }

        private mutating func folded(_ node: ONNXNode, _ x: [ONNXConstant]) throws -> ONNXConstant? {
            if node.operation == "Constant" { return try constant(of: node) }
            guard let first = x.first else { return nil }
            switch node.operation {
            case "ConstantOfShape":
                let shape = Shape(try first.integers())
                guard shape.dimensions.allSatisfy({ $0 >= 0 }), shape.isAddressable else {
                    throw node.problem("it makes a tensor of the shape \(shape.dimensions)")
                }
                let value = try node.tensor("value").map { try reader.constant($0) }
                return ONNXConstant(
                    shape: shape, elements: .filled(Double(try value?.number() ?? 0)), name: node.outputs[0])
            case "Identity": return first
            case "Cast": return first
            case "Unsqueeze", "Squeeze", "Reshape":
                let axes = try integers(node, "axes", place: 1)
                return try first.reshaped(
                    to: Shape(try reshapedExtents(node, first.shape.dimensions, axes, isConstant: true)))
            case "Transpose":
                if !first.isFilled { try countCopy(first.shape.elementCount) }
                return try first.transposed(node.ints("perm") ?? Array((0..<first.shape.rank).reversed()))
            case "Shape":
                return ONNXConstant(
                    shape: [first.shape.rank], elements: .integers(first.shape.dimensions), name: "")
            case "Gather", "Concat", "Slice", "Add", "Sub", "Mul", "Div":
                return try foldedIntegers(node, x)
            default: return nil
            }
        }

        private mutating func constant(of node: ONNXNode) throws -> ONNXConstant? {
            if let tensor = node.tensor("value") {
                var constant = try reader.constant(tensor)
                constant.name = node.outputs.first ?? ""
                return constant
            }
            if node.has("value_float") {
                let value = TensorValue(node.float("value_float", 0))
                return ONNXConstant(shape: .scalar, elements: .value(value), name: node.outputs[0])
            }
            if let numbers = node.floats("value_floats") {
                return ONNXConstant(
                    shape: [numbers.count], elements: .value(TensorValue(numbers)), name: node.outputs[0])
            }
            if node.has("value_int") {
                return ONNXConstant(shape: .scalar, elements: .integers([node.int("value_int")]), name: "")
            }
            if let numbers = node.ints("value_ints") {
                return ONNXConstant(shape: [numbers.count], elements: .integers(numbers), name: "")
            }
            throw node.problem("it has no value that Fovea reads")
        }

        /// Arithmetic with sizes, as files have it that were written for images of any size.
        private func foldedIntegers(_ node: ONNXNode, _ x: [ONNXConstant]) throws -> ONNXConstant? {
            var vectors: [[Int]] = []
            for constant in x {
                guard case .integers(let numbers) = constant.elements, constant.shape.rank <= 1 else {
                    return nil
                }
                vectors.append(numbers)
            }
            func result(_ numbers: [Int], isScalar: Bool = false) -> ONNXConstant {
                ONNXConstant(
                    shape: isScalar ? .scalar : [numbers.count], elements: .integers(numbers), name: "")
            }
            switch node.operation {
            case "Concat":
                // Longer than any shape.
                return vectors.reduce(0) { $0 + $1.count } > 64 ? nil : result(vectors.flatMap(\.self))
            case "Gather":
                guard vectors.count == 2 else { return nil }
                let picked = vectors[1].map { $0 < 0 ? $0 + vectors[0].count : $0 }
                guard picked.allSatisfy(vectors[0].indices.contains) else {
                    throw node.problem("it picks elements \(vectors[1]) of \(vectors[0].count)")
                }
                return result(picked.map { vectors[0][$0] }, isScalar: x[1].shape.rank == 0)
            case "Slice":
                guard (3...5).contains(vectors.count), vectors.dropFirst().allSatisfy({ $0.count == 1 }),
                    vectors.count < 5 || vectors[4] == [1]
                else { return nil }
                let range = slice(vectors[1][0], vectors[2][0], of: vectors[0].count)
                return result(Array(vectors[0][range]))
            default:
                guard vectors.count == 2 else { return nil }
                let count = max(vectors[0].count, vectors[1].count)
                guard vectors.allSatisfy({ $0.count == count || $0.count == 1 }) else { return nil }
                var numbers: [Int] = []
                for index in 0..<count {
                    let (a, b) = (
                        vectors[0][vectors[0].count == 1 ? 0 : index],
                        vectors[1][vectors[1].count == 1 ? 0 : index]
                    )
                    guard a != ONNXConstant.batch, b != ONNXConstant.batch else { return nil }
                    let (number, overflow): (Int, Bool) =
                        switch node.operation {
                        case "Add": a.addingReportingOverflow(b)
                        case "Sub": a.subtractingReportingOverflow(b)
                        case "Mul": a.multipliedReportingOverflow(by: b)
                        default: b == 0 ? (0, true) : a.dividedReportingOverflow(by: b)
                        }
                    guard !overflow else { throw node.problem("the sizes \(a) and \(b) make no size") }
                    numbers.append(number)
                }
                return result(numbers, isScalar: x.allSatisfy { $0.shape.rank == 0 })
            }
        }

        /// The shape of what a layer gives, in which the size of the batch stays open.
        mutating func convertShape(_ node: ONNXNode) throws {
            let extents = try value(node).logicalShape.dimensions
            let range = slice(
                node.int("start"), node.has("end") ? node.int("end") : extents.count, of: extents.count)
            let numbers = extents[range].map { $0 < 0 ? ONNXConstant.batch : $0 }
            let result = ONNXConstant(shape: [numbers.count], elements: .integers(numbers), name: "")
            guard let name = node.outputs.first, constants.updateValue(result, forKey: name) == nil,
                values[name] == nil
            else { throw node.problem("it has no output of its own") }
        }

        /// What lies between two places, which may count from the end or be beyond it.
        func slice(_ start: Int, _ end: Int, of count: Int) -> Range<Int> {
            func place(_ place: Int) -> Int { max(0, min(count, place < 0 ? place + count : place)) }
            return place(start)..<max(place(start), place(end))
        }

        /// Integers that are an attribute in older files and an input in newer ones; nil where they are neither.
        func integers(_ node: ONNXNode, _ attribute: String, place: Int) throws -> [Int]? {
            if let numbers = node.ints(attribute) { return numbers }
            return try optionalConstant(node, place)?.integers()
        }
    }
#endif
