#if ProtocolBuffers
    import FoveaGraph
    import FoveaLayers

    /// `x · scale + shift` with one number for all elements, or one for each place along an axis.
    struct ScaleAndShift {
        /// In the order of the file; nil where one number serves all.
        var axis: Int?
        var scale: [Float] = [1]
        var shift: [Float] = [0]

        /// Both in turn; nil where they lie along different axes.
        func followed(by next: ScaleAndShift) -> ScaleAndShift? {
            guard axis == nil || next.axis == nil || axis == next.axis else { return nil }
            let count = max(scale.count, next.scale.count)
            func numbers(_ list: [Float]) -> [Float] {
                list.count == count ? list : [Float](repeating: list.first ?? 0, count: count)
            }
            let (a, b, c, d) = (numbers(scale), numbers(shift), numbers(next.scale), numbers(next.shift))
            return ScaleAndShift(
                axis: axis ?? next.axis, scale: zip(a, c).map { $0 * $1 },
                shift: zip(zip(b, c), d).map { $0.0 * $0.1 + $1 })
        }
    }

    extension ONNXImporter {
        mutating func convertArithmetic(_ node: ONNXNode) throws {
            guard node.inputs.allSatisfy({ constants[$0] == nil }) else { return try convertScale(node) }
            if node.inputs.count == 1 { return try set(node, try value(node)) }
            let inputs = try alike(node)
            let name = layerName(node)
            let layer: any Layer
            switch node.operation {
            case "Add", "Sum": layer = Add(name: name)
            case "Mul": layer = Multiply(name: name)
            case "Sub" where inputs.count == 2: layer = Subtract(name: name)
            case "Max": layer = Maximum(name: name)
            case "Min": layer = Minimum(name: name)
            case "Mean": layer = Average(name: name)
            default: throw node.problem("Fovea divides by constants only")
            }
            var shape = inputs[0].shape
            for input in inputs.dropFirst() {
                guard let joined = Shape.broadcast(shape, input.shape) else {
                    throw node.problem("it joins \(shape) and \(input.shape)")
                }
                shape = joined
            }
            var result = inputs[0].replacing(
                layer(inputs.map(\.output)),
                isNotNegative: node.operation != "Sub" && inputs.allSatisfy(\.isNotNegative))
            result.shape = shape
            try set(node, result)
        }

        /// All inputs of a node with their axes in one order.
        func alike(_ node: ONNXNode) throws -> [ImportedValue] {
            var values: [ImportedValue] = []
            for place in node.inputs.indices { values.append(try value(node, place)) }
            guard let first = values.first else { throw node.problem("it has no inputs") }
            if values.allSatisfy({ $0.isRows && $0.order == first.order && $0.shape == first.shape }) {
                return values
            }
            values = try values.map { $0.isRows ? try inOrder($0) : $0 }
            guard values.allSatisfy({ $0.shape.rank == values[0].shape.rank }) else {
                throw node.problem(
                    "it joins \(values.map { "\($0.shape)" }.joined(separator: " and ")), which differ in rank"
                )
            }
            // The order that most need not leave: that of a value which is not in the file's.
            let order = (values.first { !$0.isInOrder } ?? values[0]).order
            return try values.map { try arranged($0, order) }
        }

        mutating func convertConcatenation(_ node: ONNXNode) throws {
            if let name = node.inputs.first(where: { constants[$0] != nil }) {
                throw node.problem(
                    "it joins the constant \(quoted(name)) with what is computed, for which there is no layer"
                )
            }
            guard node.inputs.count > 1 else { return try set(node, try value(node)) }
            var values = try alike(node)
            if values[0].isRows { values = try values.map { try inOrder($0) } }
            let rank = values[0].shape.rank
            let axis = node.int("axis", 1) < 0 ? node.int("axis", 1) + rank : node.int("axis", 1)
            guard let place = values[0].order.firstIndex(of: axis), axis > 0 else {
                throw node.problem("its axis \(axis) is none of an example")
            }
            let layer = Concatenate(axis: place == rank - 1 ? -1 : place, name: layerName(node))
            let output = layer(values.map(\.output))
            var result = values[0].replacing(output, isNotNegative: values.allSatisfy(\.isNotNegative))
            result.shape[axis] = try output.shape[place - 1]
            try set(node, result)
        }

        // MARK: With constants

        /// What a node does to the value of that name, if it only scales and shifts it by constants.
        private func scaleAndShift(_ node: ONNXNode, of name: String, rank: Int) throws -> ScaleAndShift? {
            guard ["Add", "Sum", "Sub", "Mul", "Div"].contains(node.operation), node.inputs.count == 2,
                let place = node.inputs.firstIndex(of: name),
                let constant = constants[node.inputs[1 - place]],
                constant.shape.rank <= rank, !node.has("broadcast")
            else { return nil }
            let long = constant.shape.dimensions.indices.filter { constant.shape[$0] != 1 }
            guard long.count <= 1 else { return nil }
            let axis = long.first.map { $0 + rank - constant.shape.rank }
            guard axis != 0 else { return nil }
            let numbers = try constant.floats()
            let (ones, zeros) = (numbers.map { _ in Float(1) }, numbers.map { _ in Float(0) })
            switch node.operation {
            case "Add", "Sum": return ScaleAndShift(axis: axis, scale: ones, shift: numbers)
            case "Mul": return ScaleAndShift(axis: axis, scale: numbers, shift: zeros)
            case "Sub" where place == 0:
                return ScaleAndShift(axis: axis, scale: ones, shift: numbers.map { -$0 })
            case "Sub": return ScaleAndShift(axis: axis, scale: ones.map { -$0 }, shift: numbers)
            case "Div" where place == 0:
                return ScaleAndShift(axis: axis, scale: numbers.map { 1 / $0 }, shift: zeros)
            default: return nil
            }
        }

        /// What the nodes behind a value do to it, as long as they scale and shift by constants and nothing else needs it, and the
        /// value that they make.
        mutating func scaleAndShift(behind name: String, shape: Shape) throws -> (
            ScaleAndShift, output: String
        ) {
            var (result, output) = (ScaleAndShift(), name)
            while let next = onlyReader(of: output), let last = next.outputs.first,
                let step = try scaleAndShift(next, of: output, rank: shape.rank),
                step.axis.map({ shape[$0] == step.scale.count }) ?? true, let both = result.followed(by: step)
            {
                skip(next)
                (result, output) = (both, last)
            }
            return (result, output)
        }

        private mutating func convertScale(_ node: ONNXNode) throws {
            guard let name = node.inputs.first(where: { values[$0] != nil }), let last = node.outputs.first
            else {
                throw node.problem("it computes with constants only")
            }
            var x = try value(node, node.inputs.firstIndex(of: name) ?? 0)
            guard let own = try scaleAndShift(node, of: name, rank: x.logicalShape.rank),
                own.axis.map({ x.logicalShape[$0] == own.scale.count }) ?? true
            else {
                throw node.problem(
                    "Fovea scales and shifts by one constant for all elements, or by one for each place along an axis"
                )
            }
            skip(node)
            let (rest, output) = try scaleAndShift(behind: last, shape: x.logicalShape)
            // Those along another axis follow in a layer of their own.
            let all = own.followed(by: rest) ?? own
            let end = own.followed(by: rest) == nil ? last : output
            guard end == output || rest.axis == nil else {
                throw node.problem("constants along two axes follow each other")
            }
            let layerName = layerName(node, output: end)
            guard let axis = all.axis else {
                let layer = Rescaling(
                    scale: Double(all.scale[0]), offset: Double(all.shift[0]), name: layerName)
                return try set(end, x.replacing(layer(x.output)))
            }
            if x.isRows { x = try inOrder(x) }
            if x.order.last != axis { x = try arranged(x, x.order.filter { $0 != axis } + [axis]) }
            try countCopy(2 * all.scale.count)
            let layer = Rescaling(
                scale: all.scale.map { Double($0) }, offset: all.shift.map { Double($0) }, name: layerName)
            try set(end, x.replacing(layer(x.output)))
        }
    }
#endif
