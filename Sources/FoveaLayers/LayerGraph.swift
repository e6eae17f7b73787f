import FoveaGraph

/// The calls of layers that lead from a model's inputs to its outputs, as a list in which each comes after what it reads.
struct LayerGraph: Sendable {
    /// One output of an input or call: nodes are numbered, first the inputs, then the calls.
    struct Place: Hashable, Sendable {
        let node: Int
        let output: Int
    }

    struct Call: Sendable {
        /// Its place among `layers`.
        let layer: Int
        let inputs: [Place]
    }

    let inputs: [ModelInput]
    /// Every layer once, in the order in which they are first called.
    let layers: [(name: String, layer: any Layer)]
    let calls: [Call]
    let outputs: [Place]
    let cost: CallCost

    init(
        inputs: [ModelInput], layers: [(name: String, layer: any Layer)], calls: [Call], outputs: [Place]
    ) {
        self.inputs = inputs
        self.layers = layers
        self.calls = calls
        self.outputs = outputs
        cost = CallCost(calls.map { layers[$0.layer].layer })
    }

    /// Follows the outputs back to the inputs.
    ///
    /// - Throws: `ShapeError` when an output needs an input that is not listed, when an input is used by no output, or when
    ///   something is listed as an input that is none.
    init(from inputs: [LayerOutput], to outputs: [LayerOutput]) throws(ShapeError) {
        func error(_ message: String) -> ShapeError { ShapeError("Model", message) }
        guard !inputs.isEmpty, !outputs.isEmpty else {
            throw error("a model needs at least one input and one output")
        }
        var modelInputs: [ModelInput] = []
        var nodes: [LayerOutput.Origin: Int] = [:]
        for input in inputs {
            guard case .input(let source) = input.origin else {
                throw error(
                    "'\(input.sourceName)' is a layer, no input; start from LayerOutput.input, or from the inputs of "
                        + "the model it belongs to")
            }
            guard nodes.updateValue(modelInputs.count, forKey: input.origin) == nil else {
                throw error("input '\(source.name)' is listed twice")
            }
            modelInputs.append(source)
        }

        var layers: [(layer: any Layer, earlierName: String?)] = []
        var places: [ObjectIdentifier: Int] = [:]
        var calls: [Call] = []
        var used = Set<LayerOutput.Origin>()
        // An explicit stack: models may be deeper than the call stack allows.
        var stack: [(origin: LayerOutput.Origin, next: Int)] = []
        for output in outputs {
            stack.append((output.origin, 0))
            while let (origin, next) = stack.last {
                used.insert(origin)
                guard nodes[origin] == nil else {
                    stack.removeLast()
                    continue
                }
                guard case .call(let call) = origin else {
                    throw error(
                        "output '\(output.sourceName)' needs the input "
                            + "'\(LayerOutput(origin: origin, index: 0).sourceName)', which is not among the model's "
                            + "inputs \(modelInputs.map(\.name).joined(separator: ", ")); add it")
                }
                let callInputs = call.inputs
                if next < callInputs.count {
                    stack[stack.count - 1].next += 1
                    stack.append((callInputs[next].origin, 0))
                    continue
                }
                let identity = ObjectIdentifier(call.layer)
                let layer = places[identity] ?? layers.count
                if places.updateValue(layer, forKey: identity) == nil {
                    layers.append((call.layer, call.name))
                }
                let sources = callInputs.compactMap { input in
                    nodes[input.origin].map { Place(node: $0, output: input.index) }
                }
                nodes[origin] = modelInputs.count + calls.count
                calls.append(Call(layer: layer, inputs: sources))
                stack.removeLast()
            }
        }
        for input in inputs where !used.contains(input.origin) {
            throw error("input '\(input.sourceName)' is used by no output; remove it, or connect it")
        }
        self.init(
            inputs: modelInputs, layers: namedLayers(layers), calls: calls,
            outputs: outputs.compactMap { output in
                nodes[output.origin].map { Place(node: $0, output: output.index) }
            })
    }

    func name(of node: Int) -> String {
        node < inputs.count ? inputs[node].name : layers[calls[node - inputs.count].layer].name
    }

    /// The result of every node, inputs included; `prepare` sees each call's layer and input shapes first.
    func run(
        _ x: [Tensor], prepare: (String, any Layer, [Shape]) throws(ShapeError) -> Void
    ) throws(ShapeError) -> [[Tensor]] {
        guard x.count == inputs.count else {
            throw ShapeError(
                "Model",
                "it has \(inputs.count) inputs (\(inputs.map(\.name).joined(separator: ", "))), not \(x.count)",
                shapes: x.map(\.shape))
        }
        var results = x.map { [$0] }
        for call in calls {
            let (name, layer) = layers[call.layer]
            do {
                var arguments: [Tensor] = []
                for place in call.inputs { arguments.append(try result(place, results)) }
                try prepare(name, layer, arguments.map(\.shape))
                results.append(try layer.apply(to: arguments))
            } catch {
                throw error.inside(name)
            }
        }
        return results
    }

    func result(_ place: Place, _ results: [[Tensor]]) throws(ShapeError) -> Tensor {
        let outputs = results[place.node]
        guard outputs.indices.contains(place.output) else {
            throw ShapeError(
                "Model", "'\(name(of: place.node))' has \(outputs.count) outputs, there is no \(place.output)"
            )
        }
        return outputs[place.output]
    }
}

/// How many calls of layers a layer makes, those of models inside included.
struct CallCost {
    /// In a call of it.
    private var calls = 1
    /// To build it: what is inside is built and called for each call.
    private var building = 1

    /// Of a model that calls these layers.
    init(_ layers: [any Layer]) {
        (calls, building) = (0, 0)
        for layer in layers {
            let inner = CallCost(of: layer)
            calls = min(Self.most, calls + inner.calls)
            building = min(Self.most, building + inner.building + inner.calls)
        }
    }

    private init(of layer: any Layer) {
        switch layer {
        case let model as Model: self = model.graph.cost
        case let model as Sequential: self = model.cost
        default: break
        }
    }

    /// Beyond all limits, so that sums cannot overflow.
    private static let most = 1 << 32

    func check(_ model: any ModelProtocol) throws(ShapeError) {
        let limit = BuildScope.callLimit
        guard calls <= limit else {
            throw model.error("it calls more than \(limit) layers; models inside are used too often")
        }
        guard building <= 5 * limit else {
            throw model.error("models are nested too deep: building it calls more than \(5 * limit) layers")
        }
    }
}
