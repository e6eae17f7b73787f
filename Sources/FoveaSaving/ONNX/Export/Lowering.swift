#if ProtocolBuffers
    import FoveaGraph

    /// Turns the operations of a model in inference into nodes of an ONNX graph.
    ///
    /// Images keep the order of axes that the nodes want as long as nothing needs another: what only moves axes makes no node, and
    /// the rows of constants take the order in which images are flattened.
    struct ONNXLowering {
        let graph: InferenceGraph
        var writer = ONNXGraphWriter()
        var folding: ConstantFolding
        /// How many operations and outputs read each tensor.
        let uses: [Tensor: Int]
        private let order: [Tensor]
        private var values: [Tensor: ONNXValue] = [:]
        private var idioms: [Tensor: Idiom] = [:]
        private var conversions: [Conversion: String] = [:]

        private struct Conversion: Hashable {
            let tensor: Tensor
            let form: AxisForm
            /// Of a constant that is joined with tensors of more axes.
            let rank: Int
        }

        init(_ graph: InferenceGraph, variables: [Variable: TensorValue]) {
            self.graph = graph
            order = topologicalOrder(of: graph.outputs.map(\.tensor) + graph.inputs.map(\.tensor))
            folding = ConstantFolding(order, variables: variables)
            uses = (order.flatMap(\.inputs) + graph.outputs.map(\.tensor)).reduce(into: [:]) {
                $0[$1, default: 0] += 1
            }
        }

        /// Makes all nodes. Returns the names of the graph's outputs.
        mutating func run() throws -> [String] {
            for (name, tensor) in graph.inputs {
                values[tensor] = ONNXValue(writer.freeName(name), .natural(tensor.shape.rank))
            }
            let outputNames = graph.outputs.map { writer.freeName($0.name) }
            let needed = findNeeded()
            for tensor in order where needed.contains(tensor) && values[tensor] == nil {
                values[tensor] = try idioms[tensor]?.lower(&self) ?? lower(tensor)
            }
            for ((_, tensor), name) in zip(graph.outputs, outputNames) {
                writer.rename(try self.name(of: tensor, as: .natural(tensor.shape.rank)), to: name)
            }
            return outputNames
        }

        /// What must have a value, going back from the outputs: inside an idiom nothing does.
        private mutating func findNeeded() -> Set<Tensor> {
            var needed = Set(graph.outputs.map(\.tensor))
            for tensor in order.reversed() where needed.contains(tensor) && !folding.contains(tensor) {
                let idiom = Idiom(tensor, in: self)
                idioms[tensor] = idiom
                needed.formUnion(
                    idiom?.inputs ?? (tensor.isElementwise ? tensor.inputs.map(\.unbroadcast) : tensor.inputs)
                )
            }
            return needed.filter { !folding.contains($0) }
        }

        func owner(of tensor: Tensor) -> String { graph.owners[tensor] ?? "" }

        mutating func add(
            _ operation: String, _ inputs: [String], _ attributes: [ONNXAttributeProto] = [],
            for tensor: Tensor
        ) -> String {
            writer.add(operation, inputs, attributes, owner: owner(of: tensor))
        }

        /// Integers that a node takes as an input.
        mutating func integers(_ numbers: [Int], _ name: String, for tensor: Tensor) -> String {
            writer.integers(numbers, named: constantName(name, for: tensor))
        }

        mutating func number(_ value: Float, _ name: String, for tensor: Tensor) -> String {
            writer.constant(TensorValue(value), named: constantName(name, for: tensor))
        }

        private func constantName(_ name: String, for tensor: Tensor) -> String {
            owner(of: tensor).isEmpty ? name : "\(owner(of: tensor))/\(name)"
        }

        // MARK: Values

        /// How a tensor that is computed is held.
        func form(of tensor: Tensor) -> AxisForm { values[tensor]?.form ?? .natural(tensor.shape.rank) }

        /// The name of a tensor with its axes in some order, and that order.
        mutating func anyOrder(of tensor: Tensor) throws -> (name: String, order: [Int]) {
            if case .ordered(let order) = form(of: tensor) {
                return (try name(of: tensor, as: .ordered(order)), order)
            }
            let order = Array(0..<tensor.shape.rank)
            return (try name(of: tensor, as: .ordered(order)), order)
        }

        /// The name under which a tensor is found in a form, into which it is brought if need be.
        mutating func name(of tensor: Tensor, as form: AxisForm) throws -> String {
            let key = Conversion(tensor: tensor, form: form, rank: tensor.shape.rank)
            if let name = conversions[key] { return name }
            let name: String
            if folding.contains(tensor) {
                name = try constant(tensor, as: form, rank: tensor.shape.rank)
            } else {
                guard let value = values[tensor] else {
                    throw ONNXExportProblem("'\(tensor.operation.rule.name)' is used before it is computed")
                }
                name = value.form == form ? value.name : try converted(value, of: tensor, to: form)
            }
            conversions[key] = name
            return name
        }

        private mutating func converted(
            _ value: ONNXValue, of tensor: Tensor, to form: AxisForm
        ) throws -> String {
            switch (value.form, form) {
            case (.ordered(let present), .ordered(let wanted)):
                return transposed(value.name, wanted.compactMap(present.firstIndex), for: tensor)
            case (.flattened(let extents, let order), .ordered(let wanted)):
                let images = add(
                    "Reshape",
                    [value.name, integers([-1] + order.map { extents[$0] }, "shape", for: tensor)],
                    for: tensor)
                let back = order.indices.compactMap(order.firstIndex).map { $0 + 1 }
                let rows = add(
                    "Flatten", [transposed(images, [0] + back, for: tensor)], [.int("axis", 1)], for: tensor)
                return transposed(rows, wanted, for: tensor)
            case (_, .flattened):
                throw ONNXExportProblem("rows cannot be brought into the order of an image's axes")
            }
        }

        private mutating func transposed(_ name: String, _ permutation: [Int], for tensor: Tensor) -> String {
            permutation.elementsEqual(permutation.indices)
                ? name : add("Transpose", [name], [.ints("perm", permutation)], for: tensor)
        }

        /// The name of what an elementwise operation reads, to be joined with tensors of `rank` axes in a form.
        mutating func operand(_ tensor: Tensor, rank: Int, as form: AxisForm) throws -> String {
            let source = tensor.unbroadcast
            if folding.contains(source) {
                let key = Conversion(tensor: source, form: form, rank: rank)
                if let name = conversions[key] { return name }
                let name = try constant(source, as: form, rank: rank)
                conversions[key] = name
                return name
            }
            if source.shape.rank == rank { return try name(of: source, as: form) }
            let ones = [Int](repeating: 1, count: rank - source.shape.rank)
            let natural = try name(of: source, as: .natural(source.shape.rank))
            let extents = ones + source.shape.dimensions.map { max($0, -1) }
            let raised = add("Reshape", [natural, integers(extents, "shape", for: tensor)], for: tensor)
            guard case .ordered(let order) = form else {
                throw ONNXExportProblem("rows cannot be joined with what has fewer axes")
            }
            return transposed(raised, order, for: tensor)
        }

        /// A constant with its axes in the order of tensors of `rank` axes in a form.
        private mutating func constant(_ tensor: Tensor, as form: AxisForm, rank: Int) throws -> String {
            var value = try folding.value(of: tensor)
            let present = value.shape
            let raised = Shape([Int](repeating: 1, count: rank - present.rank) + present.dimensions)
            switch form {
            case .ordered(let order):
                value = value.reshaped(known: raised).transposed(order)
            case .flattened(let extents, let order):
                if let last = present.dimensions.last, last > 1 {
                    let split = raised.dimensions.dropLast() + extents
                    let places = Array(0..<(rank - 1)) + order.map { $0 + rank - 1 }
                    value = value.reshaped(known: Shape(Array(split))).transposed(places)
                        .reshaped(known: raised)
                }
            }
            if rank > present.rank {
                // Axes of extent 1 in front say nothing.
                value = value.reshaped(known: Shape(Array(value.shape.dimensions.drop { $0 == 1 })))
            }
            return writer.constant(value, named: constantPath(of: tensor))
        }

        /// A constant of any rank as one that fills a shape: with all its elements, or with its only one repeated.
        mutating func constant(_ tensor: Tensor, filling shape: Shape) throws -> String {
            let key = Conversion(tensor: tensor, form: .natural(shape.rank), rank: -shape.rank)
            if let name = conversions[key] { return name }
            let value = try folding.value(of: tensor)
            let filled =
                value.shape.elementCount == shape.elementCount
                ? value.reshaped(known: shape) : TensorValue(repeating: value.scalar, shape: shape)
            let name = writer.constant(filled, named: constantPath(of: tensor))
            conversions[key] = name
            return name
        }

        /// A constant matrix with its rows, which belong to the elements of an image, in another order of the image's axes.
        mutating func rows(of tensor: Tensor, _ extents: [Int], _ order: [Int]) throws -> String {
            let key = Conversion(
                tensor: tensor, form: .flattened(extents: extents, order: order), rank: tensor.shape.rank)
            if let name = conversions[key] { return name }
            let value = try folding.value(of: tensor).reshaped(known: Shape(extents + [tensor.shape[1]]))
                .transposed(order + [extents.count]).reshaped(known: tensor.shape)
            let name = writer.constant(value, named: constantPath(of: tensor))
            conversions[key] = name
            return name
        }

        /// That of the parameter which a constant is made of, or one after its layer.
        private func constantPath(of tensor: Tensor) -> String {
            var source = tensor
            while source.inputs.count == 1 { source = source.inputs[0] }
            if case .source(.variable(let variable)) = source.operation {
                return graph.parameterPaths[variable] ?? variable.name
            }
            return constantName("constant", for: tensor)
        }
    }

    /// What stands for a tensor of ours in an ONNX graph.
    struct ONNXValue {
        let name: String
        let form: AxisForm

        init(_ name: String, _ form: AxisForm) {
            self.name = name
            self.form = form
        }
    }

    /// Why a model cannot be written.
    struct ONNXExportProblem: Error {
        let description: String

        init(_ description: String) { self.description = description }
    }

    extension Tensor {
        /// Whether each element of it is made of the elements at the same place.
        var isElementwise: Bool {
            switch operation {
            case .unary, .binary, .comparison, .select, .cast: true
            default: false
            }
        }
    }
#endif
