import FoveaGraph

extension Model {
    /// Inputs, layers with their names, calls and outputs: enough to make the model again, but for the values of its
    /// parameters. Inputs and calls are numbered in one row; a place is such a number with that of an output.
    public var configuration: Configuration {
        get throws(ConfigurationError) {
            var layers: [ConfigurationValue] = []
            for (name, layer) in graph.layers { layers.append(try layer.envelope(name: name)) }
            func places(_ places: [LayerGraph.Place]) -> ConfigurationValue {
                .list(places.map { [.integer($0.node), .integer($0.output)] })
            }
            return [
                "name": name.map { .string($0) } ?? .null,
                "inputs": .list(
                    graph.inputs.map {
                        ["name": .string($0.name), "shape": $0.shape.configuration]
                    }),
                "layers": .list(layers),
                "calls": .list(
                    graph.calls.map { ["layer": .integer($0.layer), "inputs": places($0.inputs)] }),
                "outputs": places(graph.outputs),
            ]
        }
    }

    /// A model to be put inside another, which builds it.
    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        do {
            self.init(try LayerGraph(&configuration), name: name)
        } catch { throw error.inside(name ?? "model") }
    }
}

extension LayerGraph {
    /// - Throws: `ConfigurationError` for a key that is missing or of the wrong type, and for a call that reads what comes
    ///   later, so that the graph has no cycles.
    fileprivate init(_ reader: inout ConfigurationReader) throws(ConfigurationError) {
        var inputs: [ModelInput] = []
        for value in try reader.list("inputs") {
            var input = try reader.nested(value, owner: "input")
            let name = try input.string("name")
            guard let shape = try input.optionalShape("shape") else {
                throw ConfigurationError(owner: "input", key: "shape", "an input needs a shape")
            }
            try input.finish()
            inputs.append(ModelInput(name, shape))
        }
        var layers: [(name: String, layer: any Layer)] = []
        for (index, value) in try reader.list("layers").enumerated() {
            do throws(ConfigurationError) {
                let layer = try makeLayer(value, layerTypes: reader.layerTypes)
                guard let name = layer.name else {
                    throw ConfigurationError(
                        owner: "layer", key: "name", "it is null; layers of a graph need names")
                }
                layers.append((name, layer))
            } catch {
                throw error.inside("layers[\(index)]")
            }
        }
        /// Places among the first `count` nodes.
        func places(_ values: [ConfigurationValue], before count: Int) throws(ConfigurationError) -> [Place] {
            var places: [Place] = []
            for value in values {
                guard case .list(let pair) = value, pair.count == 2, case .integer(let node) = pair[0],
                    case .integer(let output) = pair[1], node >= 0, output >= 0
                else {
                    throw ConfigurationError(
                        owner: reader.owner, "expected a place [node, output], not \(value.summary)")
                }
                guard node < count, output < (node < inputs.count ? 1 : outputCounts[node - inputs.count])
                else {
                    throw ConfigurationError(
                        owner: reader.owner,
                        "the place [\(node), \(output)] does not exist or comes later: a model has no cycles")
                }
                places.append(Place(node: node, output: output))
            }
            return places
        }
        var outputCounts: [Int] = []
        var calls: [Call] = []
        var called = Set<Int>()
        for (index, value) in try reader.list("calls").enumerated() {
            do throws(ConfigurationError) {
                var call = try reader.nested(value, owner: "call")
                let layer = try call.integer("layer")
                guard layers.indices.contains(layer) else {
                    throw ConfigurationError(
                        owner: "call", key: "layer", "there are \(layers.count) layers, there is no \(layer)")
                }
                let sources = try places(try call.list("inputs"), before: inputs.count + calls.count)
                try call.finish()
                calls.append(Call(layer: layer, inputs: sources))
                outputCounts.append(layers[layer].layer.outputCount)
                called.insert(layer)
            } catch {
                throw error.inside("calls[\(index)]")
            }
        }
        let outputs = try places(try reader.list("outputs"), before: inputs.count + calls.count)
        guard !inputs.isEmpty, !outputs.isEmpty else {
            throw ConfigurationError(owner: reader.owner, "a model needs at least one input and one output")
        }
        if let idle = layers.indices.first(where: { !called.contains($0) }) {
            throw ConfigurationError(owner: reader.owner, "layer \(layers[idle].name.quoted) is never called")
        }
        self.init(inputs: inputs, layers: layers, calls: calls, outputs: outputs)
    }
}

extension LayerGraph {
    /// The same for inputs that have the extents of a shape where theirs are open.
    fileprivate func filled(from shape: Shape?) -> LayerGraph {
        LayerGraph(
            inputs: inputs.map { ModelInput($0.name, $0.shape.filled(from: shape)) }, layers: layers,
            calls: calls, outputs: outputs)
    }
}

extension Shape {
    /// With the extents of another shape of as many axes where they are open.
    fileprivate func filled(from other: Shape?) -> Shape {
        guard let other, other.rank == rank else { return self }
        return Shape(zip(dimensions, other.dimensions).map { $0 == Shape.open ? $1 : $0 })
    }
}

/// A model from `{"class_name": …, "config": …}`, built.
///
/// - Parameters:
///   - configuration: it may come from a file; nothing in it is trusted.
///   - seed: for the parameters' first values.
///   - layerTypes: the kinds of layers that may occur.
///   - elementLimit: how many numbers the parameters may hold, checked before memory is taken for them.
///   - inputShape: one example's shape; inputs with as many axes have its extents where theirs are open.
/// - Throws: `ConfigurationError` for a key that is missing, unknown or of the wrong type, or a layer that is no model;
///   `ShapeError` when the layers do not fit together.
public func makeModel(
    _ configuration: Configuration, seed: UInt64 = 0, layerTypes: [any Layer.Type] = builtInLayers,
    elementLimit: Int = BuildScope.elementLimit, inputShape: Shape? = nil
) throws -> any ModelProtocol {
    var (className, settings) = try ConfigurationReader.opened(
        configuration, owner: "model", layerTypes: layerTypes)
    let name = try settings.optionalString("name")
    switch className {
    case Sequential.typeName:
        let (model, input) = try Sequential.withInput(name: name, &settings)
        try settings.finish()
        if let input {
            try model.build(
                example: input.filled(from: inputShape), seed: seed, elementLimit: elementLimit)
        }
        return model
    case Model.typeName:
        let open = try Model(name: name, configuration: &settings)
        try settings.finish()
        let model = Model(open.graph.filled(from: inputShape), name: name)
        try model.build(seed: seed, elementLimit: elementLimit)
        return model
    default:
        throw settings.unknown(
            "model", className, among: [Sequential.typeName, Model.typeName], key: "class_name")
    }
}

extension ModelProtocol {
    /// The model as `{"class_name": …, "config": …}`, which `makeModel` reads.
    ///
    /// - Throws: `ConfigurationError` when it has a layer that a file cannot hold.
    public var architecture: Configuration {
        get throws(ConfigurationError) {
            guard case .object(let envelope) = try envelope(name: name) else { return [:] }
            return envelope
        }
    }
}
