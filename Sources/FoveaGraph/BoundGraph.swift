/// What a graph is compiled for.
public enum Mode: String, Sendable, Codable {
    case training, inference
}

/// A graph with everything known but the values: batch size, mode and the numbers of its random streams.
public struct BoundGraph: Sendable {
    public var outputs: [Tensor]
    /// Variables and the tensors whose values they take after a run.
    public var updates: [Update]

    /// Binds a graph that was built for any batch size and mode.
    ///
    /// For training, what layers attached to their outputs joins the updates (`Tensor.updating(_:to:)`).
    ///
    /// Equal operations on equal inputs become one. Shapes are inferred again, so a batch size that does not fit is a
    /// `ShapeError` here.
    public init(outputs: [Tensor], updates: [Update] = [], mode: Mode, batch: Int) throws {
        guard batch > 0 else { throw ShapeError("compile", "the batch size must be positive, not \(batch)") }
        var rewriter = GraphRewriter()
        var streams: [Random.Stream: UInt32] = [:]
        var attached: [(variable: Variable, value: Tensor)] = []
        try rewriter.visit(outputs + updates.map(\.value)) { tensor, inputs in
            switch tensor.operation {
            case .source(.isTraining):
                return .constant(
                    TensorValue(shape: .scalar, dtype: .bool, doubles: [mode == .training ? 1 : 0]))
            case .source(.input(let name)):
                let shape = tensor.shape.bound(batch: batch)
                guard !tensor.shape.hasOpenExtents else {
                    throw ShapeError(
                        "input '\(name)'", "it leaves extents open, but a graph has a size; say which",
                        shapes: [tensor.shape])
                }
                guard shape.isAddressable else {
                    throw ShapeError(
                        "input '\(name)'", "has too many elements for any memory", shapes: [shape])
                }
                return .argument(name, shape, tensor.dtype)
            case .random(let rule):
                let number = streams[rule.stream] ?? UInt32(streams.count)
                streams[rule.stream] = number
                let shape = rule.shape.bound(batch: batch)
                return try Tensor(
                    .random(Random(rule.distribution, shape: shape, stream: .numbered(number))), inputs)
            case .source(.elementCount):
                guard case .source(.constant(let value)) = tensor.operation.bound(batch: batch) else {
                    return tensor
                }
                return .constant(value)
            case .source: return tensor
            case .attachment(let rule):
                if case .update(let variable) = rule.kind, mode == .training {
                    attached.append((variable, inputs[1]))
                }
                return inputs[0]
            default: return try Tensor(tensor.operation.bound(batch: batch), inputs)
            }
        }
        try self.init(rewriter, outputs, updates)
        try add(attached)
    }

    /// Adds updates that came with the graph.
    private mutating func add(_ attached: [(variable: Variable, value: Tensor)]) throws {
        let given = Set(updates.map(\.variable))
        for update in try successiveUpdates(attached) {
            guard !given.contains(update.variable) else {
                throw ShapeError(
                    "compile",
                    "variable '\(update.variable.name)' has an update of its own and one by a layer; leave it to the layer"
                )
            }
            updates.append(update)
        }
    }

    package init(_ rewriter: GraphRewriter, _ outputs: [Tensor], _ updates: [Update]) throws {
        self.outputs = outputs.map { rewriter[$0] }
        self.updates = try updates.map { try Update($0.variable, to: rewriter[$0.value]) }
    }

    /// Every tensor whose value a run needs, in the order in which they are computed.
    public var roots: [Tensor] { outputs + updates.map(\.value) }

    /// The same graph after `transform` has replaced tensors, given each with its already replaced inputs.
    package func rewritten(_ transform: (_ old: Tensor, _ inputs: [Tensor]) throws -> Tensor) throws
        -> BoundGraph
    {
        var rewriter = GraphRewriter()
        try rewriter.visit(roots, transform)
        return try BoundGraph(rewriter, outputs, updates)
    }

    /// The types of the inputs that a run must be given, by name.
    ///
    /// - Throws: `ShapeError` when two inputs of one name differ in type.
    public func inputs() throws(ShapeError) -> [String: TensorType] {
        var types: [String: TensorType] = [:]
        for tensor in topologicalOrder(of: roots) {
            guard case .source(.input(let name)) = tensor.operation else { continue }
            if let other = types[name], other != tensor.node.type {
                throw ShapeError(
                    "input '\(name)'", "two inputs share this name but not their type",
                    shapes: [other.shape, tensor.shape])
            }
            types[name] = tensor.node.type
        }
        return types
    }

    /// The variables that are read or updated, in the order in which the graph reaches them.
    public var variables: [Variable] {
        var seen = Set<Variable>()
        let read = topologicalOrder(of: roots).compactMap { tensor -> Variable? in
            if case .source(.variable(let variable)) = tensor.operation { variable } else { nil }
        }
        return (read + updates.map(\.variable)).filter { seen.insert($0).inserted }
    }
}

/// Rebuilds a graph bottom-up. Tensors that come out with equal operations and inputs become one.
package struct GraphRewriter {
    private var replacements: [Tensor: Tensor] = [:]
    private var unique: [Key: Tensor] = [:]
    private var known = Set<Tensor>()

    private struct Key: Hashable {
        let operation: Operation
        let inputs: [Tensor]
        let type: TensorType
    }

    package init() {}

    package subscript(_ old: Tensor) -> Tensor { replacements[old] ?? old }

    package mutating func visit(_ roots: [Tensor], _ transform: (Tensor, [Tensor]) throws -> Tensor) rethrows
    {
        for tensor in topologicalOrder(of: roots) {
            replacements[tensor] = merged(try transform(tensor, tensor.inputs.map { self[$0] }))
        }
    }

    /// The one tensor that stands for all equal to this. A transform may return a small graph: its new inner tensors are
    /// merged first.
    private mutating func merged(_ tensor: Tensor) -> Tensor {
        if known.contains(tensor) { return tensor }
        let inputs = tensor.inputs.map { merged($0) }
        let key = Key(operation: tensor.operation, inputs: inputs, type: tensor.node.type)
        if let same = unique[key] { return same }
        let result =
            inputs == tensor.inputs ? tensor : Tensor(known: tensor.operation, inputs, tensor.node.type)
        unique[key] = result
        known.insert(result)
        return result
    }
}
