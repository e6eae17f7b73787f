import FoveaGraph
import FoveaLayers

/// What a model computes in inference, for batches of any size: the graph of operations, and which layer each comes from.
struct InferenceGraph {
    let inputs: [(name: String, tensor: Tensor)]
    let outputs: [(name: String, tensor: Tensor)]
    /// The path of the layer that made a tensor, such as `base/conv2d_1`.
    private(set) var owners: [Tensor: String] = [:]
    /// The path of each parameter.
    let parameterPaths: [Variable: String]

    /// - Throws: `ShapeError` when the model has not been built, or for inputs of any size.
    init(of model: any ModelProtocol) throws(ShapeError) {
        try model.checkBuilt()
        guard !model.hasOpenInputs else {
            throw ShapeError(
                model.displayName,
                "its input leaves extents open (nil), and what is written is for one size; read it with inputShape, convert it "
                    + "with --input-shape, or write Sequential(input: [224, 224, 3]) { model }",
                shapes: model.modelInputs.map(\.shape))
        }
        let inputs = model.modelInputs.map { ($0.name, Tensor.input($0.name, $0.shape)) }
        var walk = LayerWalk()
        let results = try walk.outputs(of: model, for: inputs.map(\.1), path: [])
        var rewriter = GraphRewriter()
        do { try rewriter.visit(results, Self.inInference) } catch {
            throw (error as? ShapeError) ?? ShapeError(model.displayName, "\(error)")
        }
        self.inputs = inputs.map { ($0.0, rewriter[$0.1]) }
        outputs = zip(model.namedOutputs, results).map { ($0.name, rewriter[$1]) }
        parameterPaths = Dictionary(
            model.parameters.compactMap { path, parameter in parameter.variable.map { ($0, path) } },
            uniquingKeysWith: { first, _ in first })
        for tensor in topologicalOrder(of: results) {
            guard let path = walk.owners[tensor], owners[rewriter[tensor]] == nil else { continue }
            owners[rewriter[tensor]] = path
        }
    }

    /// An operation without what only training needs.
    private static func inInference(_ old: Tensor, _ inputs: [Tensor]) throws(ShapeError) -> Tensor {
        switch old.operation {
        case .source(.isTraining):
            return .constant(TensorValue(shape: .scalar, dtype: .bool, doubles: [0]))
        case .source: return old
        case .attachment: return inputs[0]
        case .batchNorm(let rule): return try rule.composed(inputs)
        case .select:
            if case .source(.constant(let value)) = inputs[0].unbroadcast.operation, value.shape == .scalar {
                return value.scalar != 0 ? inputs[1] : inputs[2]
            }
        case .reshape(let rule):
            // There and back: sequences are images of height 1 inside each layer.
            if case .reshape = inputs[0].operation, inputs[0].inputs[0].shape == rule.shape {
                return inputs[0].inputs[0]
            }
        default: break
        }
        return inputs == old.inputs ? old : try Tensor(old.operation, inputs)
    }
}

/// Calls a model layer by layer, so that it is known what each makes.
private struct LayerWalk {
    private(set) var owners: [Tensor: String] = [:]

    mutating func outputs(
        of model: any ModelProtocol, for inputs: [Tensor], path: [String]
    ) throws(ShapeError) -> [Tensor] {
        claim(inputs, path)
        var known: [LayerOutput: Tensor] = [:]
        func found(_ outputs: [LayerOutput]) throws(ShapeError) -> [Tensor] {
            try outputs.map { output throws(ShapeError) in
                guard let tensor = known[output] else {
                    throw ShapeError(model.displayName, "a layer is called before what it reads")
                }
                return tensor
            }
        }
        for (input, tensor) in zip(model.inputs, inputs) { known[input] = tensor }
        for call in model.calls {
            let inside = path + [call.layerName]
            let arguments = try found(call.inputs)
            let results: [Tensor]
            if let inner = call.layer as? any ModelProtocol {
                results = try outputs(of: inner, for: arguments, path: inside)
            } else {
                results = try call.layer.outputs(for: arguments)
                claim(results, inside)
            }
            for (output, tensor) in zip(call.outputs, results) { known[output] = tensor }
        }
        return try found(model.outputs)
    }

    /// Notes for all that leads to these tensors, and that nobody has made yet, that it is the work of the layer at the path.
    private mutating func claim(_ tensors: [Tensor], _ path: [String]) {
        let path = path.joined(separator: "/")
        var pending = tensors
        while let tensor = pending.popLast() {
            guard owners[tensor] == nil else { continue }
            owners[tensor] = path
            pending += tensor.inputs
        }
    }
}

extension Tensor {
    /// What is repeated to make this tensor, if it is a repetition.
    var unbroadcast: Tensor {
        var tensor = self
        while case .broadcast = tensor.operation { tensor = tensor.inputs[0] }
        return tensor
    }
}
