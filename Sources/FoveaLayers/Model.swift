import FoveaGraph
import Synchronization

/// A graph of layers: several inputs and outputs, branches that meet again, layers that are used more than once, and models
/// inside.
///
/// ```swift
/// let images = LayerOutput.input("images", [32, 32, 3])
/// var x = Conv2D(filters: 16, kernelSize: 3, padding: .same)(images)
/// x = ReLU()(Add()([x, Conv2D(filters: 16, kernelSize: 3, padding: .same)(x)]))
/// let classes = Dense(units: 10, activation: .softmax)(GlobalAveragePooling2D()(x))
/// let model = try Model(inputs: [images], outputs: [classes], name: "small_resnet")
/// ```
///
/// A layer called twice shares its parameters. A model made from another's `inputs`, `outputs` or `output(of:)` shares its
/// layers, trained as they are: that is how networks are cut, extended and looked into.
///
/// It is a layer itself. Layers without a name are called after their kind, as Keras does: `conv2d`, `conv2d_1`.
public final class Model: ModelProtocol {
    public static let typeName = "Model"
    public let name: String?
    public var namedLayers: [(name: String, layer: any Layer)] { graph.layers }
    public var outputCount: Int { graph.outputs.count }
    let graph: LayerGraph
    private let nodes: [[LayerOutput]]
    /// Those of every node, and whether they are for the model's own inputs: these stay when it is put into others for inputs of
    /// other shapes.
    private let built = Mutex<(shapes: [[Shape]], isOwn: Bool)?>(nil)

    /// A model, built at once.
    ///
    /// - Parameters:
    ///   - inputs: at least one, made by `LayerOutput.input` or taken from a model.
    ///   - outputs: at least one.
    ///   - name: the model's name, `model` when nil.
    ///   - seed: the same seed gives the same first values, bit for bit. Layers that have values keep them; models that
    ///     are put inside others should be given different seeds.
    /// - Throws: `ShapeError`, naming the layer, when layers do not fit together or an argument is out of range; when an
    ///   output needs an input that is not listed, an input is used by no output, or two layers have one name.
    public convenience init(
        inputs: [LayerOutput], outputs: [LayerOutput], name: String? = nil, seed: UInt64 = 0
    ) throws(ShapeError) {
        let graph: LayerGraph
        do { graph = try LayerGraph(from: inputs, to: outputs) } catch { throw error.inside(name ?? "model") }
        self.init(graph, name: name)
        try build(seed: seed)
    }

    /// A layer, such as one with a `call` of your own, as a model: built, and ready to be trained.
    ///
    /// - Parameters:
    ///   - layer: it becomes the model's only layer.
    ///   - input: the shape of one example, without the batch axis.
    ///   - name: the model's name, `model` when nil.
    ///   - seed: the same seed gives the same first values, bit for bit.
    /// - Throws: `ShapeError` when layers do not fit together or an argument is out of range.
    public convenience init(
        _ layer: some UnaryLayer, input: Shape, name: String? = nil, seed: UInt64 = 0
    ) throws(ShapeError) {
        let input = LayerOutput.input("inputs", input)
        try self.init(inputs: [input], outputs: [layer(input)], name: name, seed: seed)
    }

    init(_ graph: LayerGraph, name: String?) {
        self.graph = graph
        self.name = name
        var nodes = graph.inputs.map { [LayerOutput(origin: .input($0), index: 0)] }
        for call in graph.calls {
            let (name, layer) = graph.layers[call.layer]
            let made = LayerCall(layer, call.inputs.map { nodes[$0.node][$0.output] }, name: name)
            nodes.append((0..<layer.outputCount).map { LayerOutput(origin: .call(made), index: $0) })
        }
        self.nodes = nodes
    }

    // MARK: What was built

    public var inputs: [LayerOutput] { nodes.prefix(graph.inputs.count).map { $0[0] } }

    /// Each is named after the layer that gives it, with a number where one layer gives several.
    public var namedOutputs: [(name: String, output: LayerOutput, shape: Shape)] {
        guard let shapes = built.withLock({ $0?.shapes }) else { return [] }
        var counts: [String: Int] = [:]
        return graph.outputs.map { place in
            let name = graph.name(of: place.node)
            let number = counts[name, default: 0]
            counts[name] = number + 1
            return (
                number == 0 ? name : "\(name)_\(number)", nodes[place.node][place.output],
                Shape(Array(shapes[place.node][place.output].dimensions.dropFirst()))
            )
        }
    }

    public var calls: [ModelCall] {
        guard let shapes = built.withLock({ $0?.shapes }) else { return [] }
        return graph.calls.enumerated().map { index, call in
            let node = graph.inputs.count + index
            return ModelCall(
                layerName: graph.layers[call.layer].name, layer: graph.layers[call.layer].layer,
                inputNames: call.inputs.map { graph.name(of: $0.node) }, outputs: nodes[node],
                outputShapes: shapes[node])
        }
    }

    // MARK: Building and calling

    func build(seed: UInt64, elementLimit: Int = BuildScope.elementLimit) throws(ShapeError) {
        try build(
            own: graph.inputs.map { Shape([Shape.batch] + $0.shape.dimensions) }, seed: seed,
            elementLimit: elementLimit)
        built.withLock { $0?.isOwn = true }
    }

    public func build(inputs: [Shape], in scope: inout BuildScope) throws(ShapeError) {
        try graph.cost.check(self)
        try checkNames(inputs: graph.inputs.map(\.name))
        try checkInputs(inputs)
        let placeholders = inputs.map { Tensor.argument("input", $0) }
        let results = try graph.run(placeholders) { name, layer, shapes throws(ShapeError) in
            scope.enter(name)
            try layer.build(inputs: shapes, in: &scope)
            scope.leave()
        }
        for place in graph.outputs { _ = try graph.result(place, results) }
        if scope.isTrial { return }
        let shapes = results.map { $0.map(\.shape) }
        let isOtherSize = scope.isOtherSize
        built.withLock { built in
            guard built?.isOwn != true else { return }
            guard isOtherSize, let first = built?.shapes else {
                built = (shapes, false)
                return
            }
            built = (zip(first, shapes).map { Shape.merged($0, $1) }, false)
        }
    }

    public func call(_ inputs: [Tensor]) throws(ShapeError) -> [Tensor] {
        let results = try graph.run(inputs) { _, _, _ in }
        var outputs: [Tensor] = []
        for place in graph.outputs { outputs.append(try graph.result(place, results)) }
        return outputs
    }
}
