#if ProtocolBuffers
    import FoveaGraph

    extension ONNXLowering {
        mutating func reshape(_ tensor: Tensor) throws -> ONNXValue {
            let (x, shape) = (tensor.inputs[0], tensor.shape)
            let isFlattened = shape.rank == 2 && x.shape.rank > 2 && x.shape[0] == shape[0] && shape[0] < 0
            if case .ordered(let order) = form(of: x) {
                let name = try self.name(of: x, as: .ordered(order))
                if x.shape.longAxes(order) == x.shape.longAxes(Array(0..<x.shape.rank)) {
                    let rows =
                        isFlattened
                        ? add("Flatten", [name], [.int("axis", 1)], for: tensor)
                        : try reshaped(name, to: shape.dimensions, for: tensor)
                    return ONNXValue(rows, .natural(shape.rank))
                }
                if let moved = x.shape.order(order, movedTo: shape) {
                    return ONNXValue(
                        try reshaped(name, to: moved.map { shape[$0] }, for: tensor), .ordered(moved))
                }
                if isFlattened, order[0] == 0 {
                    return ONNXValue(
                        add("Flatten", [name], [.int("axis", 1)], for: tensor),
                        .flattened(
                            extents: Array(x.shape.dimensions.dropFirst()),
                            order: order.dropFirst().map { $0 - 1 }))
                }
            }
            let natural = try name(of: x, as: .natural(x.shape.rank))
            return ONNXValue(
                try reshaped(natural, to: shape.dimensions, for: tensor), .natural(shape.rank))
        }

        private mutating func reshaped(_ name: String, to extents: [Int], for tensor: Tensor) throws -> String
        {
            guard extents.count(where: { $0 < 0 }) <= 1 else {
                throw problem(tensor, "two axes of a tensor depend on the size of the batch")
            }
            let shape = integers(extents.map { max($0, -1) }, "shape", for: tensor)
            return add("Reshape", [name, shape], for: tensor)
        }

        /// Nothing moves before something needs its axes in an order.
        mutating func transpose(_ tensor: Tensor, _ rule: Transpose) throws -> ONNXValue {
            let (name, order) = try anyOrder(of: tensor.inputs[0])
            return ONNXValue(name, .ordered(order.compactMap(rule.permutation.firstIndex)))
        }

        mutating func broadcast(_ tensor: Tensor) throws -> ONNXValue {
            let source = tensor.inputs[0]
            let form =
                source.shape.rank == tensor.shape.rank && !folding.contains(source)
                ? AxisForm.ordered(try anyOrder(of: source).order) : .natural(tensor.shape.rank)
            let name = try operand(source, rank: tensor.shape.rank, as: form)
            return ONNXValue(try expanded(name, from: source.unbroadcast.shape, form, for: tensor), form)
        }

        /// A value repeated along axes of extent 1.
        ///
        /// - Parameter present: the shape of what is repeated, in our order of axes.
        mutating func expanded(
            _ name: String, from present: Shape, _ form: AxisForm, for tensor: Tensor
        ) throws -> String {
            let shape = tensor.shape
            guard case .ordered(let order) = form else {
                throw problem(tensor, "flattened images cannot be repeated")
            }
            let added = shape.rank - present.rank
            let isKnown = shape.dimensions.indices.allSatisfy { axis in
                shape[axis] >= 0 || (axis >= added && present[axis - added] == shape[axis])
            }
            // An extent of 1 keeps that of the value, so the size of the batch need not be known where it is there already.
            let extents = order.map { max(shape[$0], 1) }
            if isKnown { return add("Expand", [name, integers(extents, "shape", for: tensor)], for: tensor) }
            guard let input = graph.inputs.first, order.first == 0, shape[0] == Shape.batch,
                shape.dimensions.dropFirst().allSatisfy({ $0 >= 0 })
            else { throw problem(tensor, "an axis other than the first depends on the size of the batch") }
            let whole = add(
                "Shape", [try self.name(of: input.tensor, as: .natural(input.tensor.shape.rank))], for: tensor
            )
            let batch = add("Gather", [whole, integers([0], "axis", for: tensor)], for: tensor)
            let target = add(
                "Concat", [batch, integers(Array(extents.dropFirst()), "shape", for: tensor)],
                [.int("axis", 0)],
                for: tensor)
            return add("Expand", [name, target], for: tensor)
        }

        mutating func slice(_ tensor: Tensor, _ rule: Slice) throws -> ONNXValue {
            let x = tensor.inputs[0]
            let (name, order) = try anyOrder(of: x)
            let cut = order.indices.filter { place in
                let axis = order[place]
                return rule.extents[axis] != x.shape[axis] || rule.strides[axis] != 1
            }
            if cut.isEmpty { return ONNXValue(name, .ordered(order)) }
            let starts = cut.map { rule.starts[order[$0]] }
            let ends = cut.map { place in
                let axis = order[place]
                return rule.starts[axis] + (rule.extents[axis] - 1) * rule.strides[axis] + 1
            }
            let part = add(
                "Slice",
                [
                    name, integers(starts, "starts", for: tensor), integers(ends, "ends", for: tensor),
                    integers(cut, "axes", for: tensor),
                    integers(cut.map { rule.strides[order[$0]] }, "steps", for: tensor),
                ], for: tensor)
            return ONNXValue(part, .ordered(order))
        }

        mutating func pad(_ tensor: Tensor, _ rule: Pad) throws -> ONNXValue {
            guard rule.interior.allSatisfy({ $0 == 0 }) else {
                throw problem(tensor, "it puts values between the elements of a tensor")
            }
            let (name, order) = try anyOrder(of: tensor.inputs[0])
            let pads = integers(order.map { rule.low[$0] } + order.map { rule.high[$0] }, "pads", for: tensor)
            var inputs = [name, pads]
            if rule.value != 0 { inputs.append(number(rule.value, "value", for: tensor)) }
            return ONNXValue(add("Pad", inputs, for: tensor), .ordered(order))
        }

        mutating func concatenate(_ tensor: Tensor, _ rule: Concatenate) throws -> ONNXValue {
            var order = Array(0..<tensor.shape.rank)
            for input in tensor.inputs where !folding.contains(input) {
                let found = try anyOrder(of: input).order
                if !found.elementsEqual(found.indices) {
                    order = found
                    break
                }
            }
            var names: [String] = []
            for input in tensor.inputs { names.append(try name(of: input, as: .ordered(order))) }
            let axis = order.firstIndex(of: rule.axis) ?? rule.axis
            return ONNXValue(add("Concat", names, [.int("axis", axis)], for: tensor), .ordered(order))
        }
    }
#endif
