import FoveaGraph
import FoveaLayers

/// What a layer gives, as part of a graph.
struct TracedLayer: Sendable {
    /// Names of the layer and of those around it, as `base/conv2d`.
    let path: String
    let layer: any Layer
    let inputs: [Tensor]
    /// The first output of the first call.
    let output: Tensor
    /// Where images have their channels there: as the layer says, or the last one before that says it.
    let dataFormat: DataFormat

    /// The output with the channels last and a height, `[batch, height, width, channels]`; sequences have the height 1.
    ///
    /// - Throws: `InsightError.notSpatial` for anything but images and sequences.
    var images: Tensor {
        get throws { try spatial(output) }
    }

    /// A tensor shaped as the output, such as its gradient, as `images`.
    func spatial(_ tensor: Tensor) throws -> Tensor {
        guard output.shape.rank == 3 || output.shape.rank == 4 else {
            throw InsightError.notSpatial(layer: path, shape: output.shape)
        }
        let last = try dataFormat.channelsLast(tensor)
        guard last.shape.rank == 3 else { return last }
        return try last.reshaped(to: [last.shape[0], 1, last.shape[1], last.shape[2]])
    }

    /// Height and width of the output; nil for anything but images and sequences.
    var size: Size2D? { (try? images).map(\.shape.imageSize) }
}

/// A model called on tensors, with what every layer inside gives on the way.
struct TracedModel: Sendable {
    let name: String
    let outputs: [Tensor]
    /// Those that were called, in the order of their first calls, each after those inside it.
    let layers: [TracedLayer]
    private let model: any ModelProtocol
    private let places: [ObjectIdentifier: Int]

    /// - Parameters:
    ///   - model: built.
    ///   - arguments: one for each input.
    ///   - layer: the path of one layer that alone is wanted: then what comes behind it need not fit, such as layers that take
    ///     images of one size only.
    /// - Throws: `ShapeError` when the model does not take the arguments; `InsightError` for an unknown layer.
    init(_ model: any ModelProtocol, on arguments: [Tensor], upTo layer: String? = nil) throws {
        try model.checkBuilt()
        self.model = model
        name = model.displayName
        let (calls, result) = LayerTrace.calls(of: model, for: arguments)
        let paths = Self.paths(in: model)
        var layers: [TracedLayer] = []
        var places: [ObjectIdentifier: Int] = [:]
        var format = DataFormat.channelsLast
        for call in calls {
            format = (call.layer as? any SpatialLayer)?.dataFormat ?? format
            let identity = ObjectIdentifier(call.layer)
            guard let path = paths[identity], places[identity] == nil, let output = call.outputs.first else {
                continue
            }
            places[identity] = layers.count
            layers.append(
                TracedLayer(
                    path: path, layer: call.layer, inputs: call.inputs, output: output, dataFormat: format))
        }
        self.layers = layers
        self.places = places
        switch result {
        case .success(let outputs): self.outputs = outputs
        case .failure(let error):
            outputs = []
            guard let layer, try places[ObjectIdentifier(Self.layer(at: layer, in: model))] != nil else {
                throw error
            }
        }
    }

    /// The layer with that path.
    ///
    /// - Throws: `InsightError` with the nearest path.
    func layer(at path: String) throws -> TracedLayer {
        guard let place = places[ObjectIdentifier(try Self.layer(at: path, in: model))] else {
            throw InsightError.layerNotCalled(path)
        }
        return layers[place]
    }

    // MARK: Paths

    /// The first path to every layer inside.
    private static func paths(in model: any Layer) -> [ObjectIdentifier: String] {
        var paths: [ObjectIdentifier: String] = [:]
        for (path, layer) in named(in: model) { paths[ObjectIdentifier(layer)] = path }
        return paths
    }

    /// Every layer inside once, each before those inside it.
    static func named(in model: any Layer) -> [(path: String, layer: any Layer)] {
        var found: [(path: String, layer: any Layer)] = []
        var seen = Set<ObjectIdentifier>()
        var stack: [(path: String, layer: any Layer)] = []
        func add(_ layers: [(name: String, layer: any Layer)], in path: String) {
            for (name, layer) in layers.reversed() { stack.append((path + name, layer)) }
        }
        add(model.namedLayers, in: "")
        while let next = stack.popLast() {
            guard seen.insert(ObjectIdentifier(next.layer)).inserted else { continue }
            found.append(next)
            add(next.layer.namedLayers, in: next.path + "/")
        }
        return found
    }

    /// A layer may have several paths, so the names are followed.
    private static func layer(at path: String, in model: any ModelProtocol) throws -> any Layer {
        var layer: any Layer = model
        for name in path.split(separator: "/", omittingEmptySubsequences: false) {
            guard let next = layer.namedLayers.first(where: { $0.name == name }) else {
                throw InsightError.unknownLayer(
                    path, model: model.displayName, known: named(in: model).map(\.path))
            }
            layer = next.layer
        }
        return layer
    }
}

extension TracedModel {
    /// The same with other variables in place of some.
    func replacing(_ replacements: [Variable: Variable]) -> TracedModel {
        let ends = outputs + layers.flatMap { [$0.output] + $0.inputs }
        var tensors: [Tensor: Tensor] = [:]
        for tensor in topologicalOrder(of: ends) {
            guard case .source(.variable(let variable)) = tensor.operation,
                let replacement = replacements[variable]
            else { continue }
            tensors[tensor] = Tensor(replacement)
        }
        var results = Tensor.substituting(tensors, in: ends)[...]
        return TracedModel(
            self, outputs: outputs.map { _ in results.removeFirst() },
            layers: layers.map { layer in
                let output = results.removeFirst()
                let inputs = layer.inputs.map { _ in results.removeFirst() }
                return TracedLayer(
                    path: layer.path, layer: layer.layer, inputs: inputs, output: output,
                    dataFormat: layer.dataFormat)
            })
    }

    private init(_ other: TracedModel, outputs: [Tensor], layers: [TracedLayer]) {
        name = other.name
        model = other.model
        places = other.places
        self.outputs = outputs
        self.layers = layers
    }
}
