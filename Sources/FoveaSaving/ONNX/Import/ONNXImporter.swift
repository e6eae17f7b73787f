#if ProtocolBuffers
    import FoveaFiles
    import FoveaGraph
    import FoveaLayers

    /// Makes a model of the nodes of an ONNX graph.
    struct ONNXImporter {
        let file: String
        /// What the operators mean depends on it.
        let operatorSet: Int
        /// Whether Fovea wrote the file, with the order of axes that its models have.
        let isOwn: Bool
        /// One example's shape in the model, where the file leaves extents open.
        private let inputShape: Shape?
        private(set) var nodes: [ONNXNode]
        var reader: ONNXTensorReader
        var constants: [String: ONNXConstant] = [:]
        var values: [String: ImportedValue] = [:]
        var names: LayerNames
        /// What parameters will be, once the model has been built.
        var weights: [(parameter: Parameter, value: TensorValue)] = []
        /// The nodes that read each value; -1 for the graph's outputs.
        private var readers: [String: [Int]] = [:]
        private var done = Set<Int>()
        private let graph: ONNXGraphProto

        /// How many nodes there may be; constants are nodes, too.
        static let nodeLimit = 50_000
        private static let inputLimit = 1000
        /// How many numbers may be copied out of the file: tensors may be used more than once, but not without end.
        private var copyLimit = 1 << 24

        init(_ message: ONNXModelProto, file: String, inputShape: Shape? = nil) throws {
            self.file = file
            self.inputShape = inputShape
            graph = message.graph
            isOwn = message.producerName == "fovea"
            reader = ONNXTensorReader(file: file)
            let standard = message.opsetImport.filter { $0.domain.isEmpty || $0.domain == "ai.onnx" }
            operatorSet = ONNXConstant.sensible(standard.map(\.version).max() ?? 1)
            guard (6...ONNXFile.newestOperatorSet).contains(operatorSet) else {
                throw ModelFileError(
                    file: file,
                    problem: "it uses version \(operatorSet) of ONNX's operators, Fovea reads 6 to "
                        + "\(ONNXFile.newestOperatorSet); convert it with onnx.version_converter")
            }
            guard graph.node.count <= Self.nodeLimit else {
                throw ModelFileError(
                    file: file,
                    problem: "its \(graph.node.count) nodes are more than Fovea reads, \(Self.nodeLimit)")
            }
            names = LayerNames(reserved: graph.output.map(\.name))
            do {
                nodes = []
                for (index, node) in graph.node.enumerated() {
                    nodes.append(try ONNXNode(node, index: index))
                }
            } catch {
                throw ModelFileError(file: file, problem: error.description)
            }
        }

        // MARK: Reading

        mutating func model() throws -> any ModelProtocol {
            do { return try makeModel() } catch let problem as ONNXImportProblem {
                throw ModelFileError(file: file, problem: problem.description)
            } catch let problem as ShapeError {
                throw ModelFileError(file: file, problem: "its model cannot be built: \(problem)")
            }
        }

        private mutating func makeModel() throws -> any ModelProtocol {
            for tensor in graph.initializer {
                let constant = try reader.constant(tensor)
                copyLimit += 2 * constant.shape.elementCount
                guard constants.updateValue(constant, forKey: tensor.name) == nil else {
                    throw ONNXImportProblem("two tensors are named \(quoted(tensor.name))")
                }
            }
            try replaceGelu()
            for node in nodes {
                for input in node.inputs where !input.isEmpty {
                    readers[input, default: []].append(node.index)
                }
            }
            for output in graph.output { readers[output.name, default: []].append(-1) }
            let inputs = try makeInputs()
            // Constants first, wherever they are: what comes behind a layer may become part of it.
            for node in nodes { try attempt(node) { try $0.foldConstants(node) } }
            for node in nodes where !done.contains(node.index) {
                try attempt(node) { importer in
                    // What follows from shapes may have become constant.
                    try importer.foldConstants(node)
                    if !importer.isDone(node) { try importer.convert(node) }
                }
                done.insert(node.index)
            }
            var outputs: [LayerOutput] = []
            for output in graph.output { outputs.append(try makeOutput(output.name)) }
            let name = LayerNames.name(graph.name)
            return try Model(inputs: inputs, outputs: outputs, name: name)
        }

        /// What a node says is wrong, said of it.
        private mutating func attempt(_ node: ONNXNode, _ body: (inout Self) throws -> Void) throws {
            do { try body(&self) } catch let problem as ONNXImportProblem {
                throw problem.description.hasPrefix("node ") ? problem : node.problem(problem.description)
            } catch let problem as ShapeError {
                throw node.problem("\(problem)")
            }
        }

        private mutating func makeInputs() throws -> [LayerOutput] {
            var inputs: [LayerOutput] = []
            // Older files list the constants among the inputs.
            for input in graph.input where constants[input.name] == nil {
                guard values[input.name] == nil else {
                    throw ONNXImportProblem("two inputs are named \(quoted(input.name))")
                }
                let type = input.type.tensorType
                var extents = type.shape.dim.map { $0.hasDimValue ? ONNXConstant.sensible($0.dimValue) : 0 }
                guard [1, 10, 11, 16].contains(type.elemType) else {
                    throw ONNXImportProblem(
                        "input \(quoted(input.name)) is not made of floating-point numbers")
                }
                let order =
                    !isOwn && hasChannelsFirst(input.name, rank: extents.count)
                    ? ImportedValue.channelsLastOrder(extents.count) : Array(0..<extents.count)
                let stated = extents
                if let inputShape, inputShape.rank == extents.count - 1 {
                    for (place, axis) in order.enumerated().dropFirst() where extents[axis] <= 0 {
                        extents[axis] = inputShape[place - 1]
                    }
                }
                guard extents.count >= 2, extents.dropFirst().allSatisfy({ $0 > 0 }) else {
                    let example = order.dropFirst().map { extents[$0] > 0 ? extents[$0] : 224 }
                    throw ONNXImportProblem(
                        "input \(quoted(input.name)) has the extents \(stated), where 0 is unknown; a model of Fovea's is built for "
                            + "one size, channels last. Say which: inputShape: \(example), or --input-shape "
                            + example.map { "\($0)" }.joined(separator: "x"))
                }
                let shape = Shape([Shape.batch] + extents.dropFirst())
                guard shape.isAddressable, inputs.count < Self.inputLimit else {
                    throw ONNXImportProblem(
                        "input \(quoted(input.name)) is larger than any memory, or one of too many")
                }
                let own = Shape(order.dropFirst().map { shape[$0] })
                let made = LayerOutput.input(LayerNames.name(input.name) ?? "input_\(inputs.count)", own)
                values[input.name] = ImportedValue(
                    output: made, shape: shape, order: order)
                inputs.append(made)
            }
            return inputs
        }

        /// Whether images come with their channels first: that is so unless they are turned before anything else minds the order of
        /// their axes. Sequences must be read by what minds it.
        private func hasChannelsFirst(_ name: String, rank: Int) -> Bool {
            var (pending, seen) = ([name], Set<String>())
            while let value = pending.popLast() {
                for reader in readers[value] ?? [] where reader >= 0 {
                    let node = nodes[reader]
                    switch node.operation {
                    case "Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalAveragePool",
                        "GlobalMaxPool",
                        "BatchNormalization", "LRN":
                        return true
                    case "Transpose": return node.ints("perm") != [0, 3, 1, 2]
                    case "Add", "Sub", "Mul", "Div", "Clip", "Cast", "Identity", "Pad":
                        pending += node.outputs.filter { seen.insert($0).inserted }
                    default: break
                    }
                }
            }
            return rank == 4
        }

        /// A result as it is given to who uses the model: with its channels last, and without rows and columns where there is only
        /// one of each.
        private mutating func makeOutput(_ name: String) throws -> LayerOutput {
            guard let value = values[name] else {
                throw ONNXImportProblem(
                    constants[name] == nil
                        ? "its output \(quoted(name)) is made by no node"
                        : "its output \(quoted(name)) is a constant")
            }
            if isOwn || value.isRows || value.shape.rank < 4 { return try inOrder(value).output }
            if value.shape.dimensions.dropFirst(2).allSatisfy({ $0 == 1 }) { return Flatten()(value.output) }
            return try arranged(value, ImportedValue.channelsLastOrder(value.shape.rank)).output
        }

        // MARK: Following the graph

        /// The value that a node reads.
        func value(_ node: ONNXNode, _ place: Int = 0) throws -> ImportedValue {
            let name = try node.requiredInput(place)
            if let value = values[name] { return value }
            throw node.problem(
                constants[name] == nil
                    ? "it reads \(quoted(name)), which no node before it makes"
                    : "it computes with constants only")
        }

        /// The constant that a node reads.
        func constant(_ node: ONNXNode, _ place: Int) throws -> ONNXConstant {
            let name = try node.requiredInput(place)
            guard let constant = constants[name] else {
                throw node.problem(
                    "its input \(place), \(quoted(name)), is no constant, which Fovea needs it to be")
            }
            return constant
        }

        func optionalConstant(_ node: ONNXNode, _ place: Int) throws -> ONNXConstant? {
            try node.input(place).map { _ in try constant(node, place) }
        }

        /// Gives the first output of a node its value.
        mutating func set(_ node: ONNXNode, _ value: ImportedValue) throws {
            guard let name = node.outputs.first, !name.isEmpty else { throw node.problem("it has no output") }
            try set(name, value)
        }

        mutating func set(_ name: String, _ value: ImportedValue) throws {
            guard constants[name] == nil, values.updateValue(value, forKey: name) == nil else {
                throw ONNXImportProblem("two nodes or inputs make \(quoted(name))")
            }
            // Tries the layer out, so that what does not fit is found here.
            _ = try value.output.shape
        }

        func isGraphOutput(_ name: String) -> Bool { readers[name]?.contains(-1) ?? false }

        /// The output of the graph that a value is, or that is made of it by turning it.
        func graphOutput(of name: String) -> String? {
            var name = name
            for _ in 0..<4 {
                if isGraphOutput(name) { return name }
                guard let next = onlyReader(of: name), ["Transpose", "Identity"].contains(next.operation),
                    let output = next.outputs.first
                else { return nil }
                name = output
            }
            return nil
        }

        /// The node that alone reads a value, if there is one and the value is not needed otherwise.
        func onlyReader(of name: String) -> ONNXNode? {
            guard let readers = readers[name], readers.count == 1, readers[0] >= 0, !done.contains(readers[0])
            else { return nil }
            return nodes[readers[0]]
        }

        /// Leaves a node out because another has done its work.
        mutating func skip(_ node: ONNXNode) { done.insert(node.index) }

        func isDone(_ node: ONNXNode) -> Bool { done.contains(node.index) }

        mutating func replace(_ node: ONNXNode) { nodes[node.index] = node }

        /// What a parameter starts from: a constant is kept for later, and one number everywhere is an initializer.
        func initializer(_ constant: ONNXConstant?, _ standard: Initializer) -> Initializer {
            guard case .filled(let number)? = constant?.elements else { return standard }
            return .constant(number)
        }

        /// Keeps the value of a parameter until the model has been built.
        mutating func keep(_ constant: ONNXConstant?, for parameter: Parameter?) throws {
            guard let constant, let parameter, !constant.isFilled else { return }
            try countCopy(constant.shape.elementCount)
            weights.append(
                (parameter, TensorValue(unchecked: constant.shape, .float32(try constant.floats()))))
        }

        /// Counts numbers that take memory of their own.
        mutating func countCopy(_ count: Int) throws(ONNXImportProblem) {
            copyLimit -= count
            guard copyLimit >= 0 else {
                throw ONNXImportProblem("the same constants are used more often than Fovea gives memory for")
            }
        }
    }
#endif
