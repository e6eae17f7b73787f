import FoveaGraph
import Synchronization

/// Layers one after another, each on the output of the one before.
///
/// ```swift
/// let model = try Sequential(name: "lenet5", input: [28, 28, 1]) {
///     Conv2D(filters: 6, kernelSize: 5, padding: .same, activation: .tanh)
///     AveragePooling2D()
///     Conv2D(filters: 16, kernelSize: 5, activation: .tanh)
///     AveragePooling2D()
///     Flatten()
///     for units in [120, 84] { Dense(units: units, activation: .tanh) }
///     Dense(units: 10, name: "logits")
/// }
/// let logits = try model(Tensor.input("images", model.inputShape))
/// ```
///
/// It is a layer itself: made without an input shape, it is built by the model that contains it.
///
/// It does not grow. A longer or another one, or one for images of another size, is made of its layers, which both then share,
/// trained as they are:
///
/// ```swift
/// let other = try Sequential(input: model.inputShape) {
///     model.layers.dropLast()
///     Dense(units: 5, activation: .softmax)
/// }
/// ```
///
/// Layers without a name are called after their kind, as Keras does: `conv2d`, `conv2d_1`, `max_pooling2d`.
public final class Sequential: UnaryLayer, ModelProtocol {
    public static let typeName = "Sequential"
    public let name: String?
    public let namedLayers: [(name: String, layer: any Layer)]
    let cost: CallCost
    private let built = Mutex<Built?>(nil)

    private struct Built {
        /// Of the input and what each layer gives, batch axes included.
        let shapes: [Shape]
        let input: LayerOutput
        let calls: [ModelCall]
        /// Whether the input is the model's own, which stays when it is put into others for inputs of another shape.
        var isOwn = false

        init(_ layers: [(name: String, layer: any Layer)], _ shapes: [Shape]) {
            self.shapes = shapes
            input = LayerOutput.input("inputs", Shape(Array(shapes[0].dimensions.dropFirst())))
            var calls: [ModelCall] = []
            for ((name, layer), shape) in zip(layers, shapes.dropFirst()) {
                let call = LayerCall(layer, [calls.last?.outputs[0] ?? input], name: name)
                calls.append(
                    ModelCall(
                        layerName: name, layer: layer, inputNames: [calls.last?.layerName ?? "inputs"],
                        outputs: [LayerOutput(origin: .call(call), index: 0)], outputShapes: [shape]))
            }
            self.calls = calls
        }
    }

    /// Layers to be put inside another model, which builds them.
    public convenience init(name: String? = nil, @LayerBuilder _ layers: () -> [any Layer]) {
        self.init(name: name, layers: layers())
    }

    /// A model, built at once.
    ///
    /// - Parameters:
    ///   - name: the model's name, `sequential` when nil.
    ///   - input: the shape of one example, without the batch axis. With open extents, as `[nil, nil, 3]`, the model takes
    ///     examples of any size, those of a batch alike; a graph is compiled for each size that comes.
    ///   - seed: the same seed gives the same first values, bit for bit.
    ///   - layers: at least one.
    /// - Throws: `ShapeError`, naming the layer, when layers do not fit together, an argument is out of
    ///   range, or two layers have one name.
    public convenience init(
        name: String? = nil, input: Shape, seed: UInt64 = 0, @LayerBuilder _ layers: () -> [any Layer]
    ) throws(ShapeError) {
        self.init(name: name, layers: layers())
        try build(example: input, seed: seed)
    }

    init(name: String?, layers: [any Layer]) {
        self.name = name
        namedLayers = FoveaLayers.namedLayers(layers.map { ($0, nil) })
        cost = CallCost(layers)
    }

    // MARK: What was built

    public var inputs: [LayerOutput] { built.withLock { $0.map { [$0.input] } ?? [] } }
    public var calls: [ModelCall] { built.withLock { $0?.calls ?? [] } }

    public var namedOutputs: [(name: String, output: LayerOutput, shape: Shape)] {
        guard let last = calls.last else { return [] }
        let shape = Shape(Array(last.outputShapes[0].dimensions.dropFirst()))
        return [(last.layerName, last.outputs[0], shape)]
    }

    // MARK: Building and calling

    func build(
        example: Shape, seed: UInt64, elementLimit: Int = BuildScope.elementLimit
    ) throws(ShapeError) {
        try build(
            own: [Shape([Shape.batch] + example.dimensions)], seed: seed, elementLimit: elementLimit)
        built.withLock { $0?.isOwn = true }
    }

    public func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {
        try checkNames()
        try checkLayersDiffer()
        try cost.check(self)
        let outputs = try outputs(for: .argument("input", input)) { name, layer, shape throws(ShapeError) in
            scope.enter(name)
            try layer.build(inputs: [shape], in: &scope)
            scope.leave()
        }
        if scope.isTrial { return }
        let shapes = [input] + outputs.map(\.shape)
        let isOtherSize = scope.isOtherSize
        built.withLock { built in
            guard built?.isOwn != true else { return }
            let earlier = isOtherSize ? built?.shapes : nil
            built = Built(namedLayers, earlier.map { Shape.merged($0, shapes) } ?? shapes)
        }
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        try outputs(for: x) { _, _, _ in }.last ?? x
    }

    /// Every layer's output; `prepare` sees each layer and its input's shape first.
    private func outputs(
        for x: Tensor, prepare: (String, any Layer, Shape) throws(ShapeError) -> Void
    ) throws(ShapeError) -> [Tensor] {
        try checkInputs([x.shape])
        var outputs: [Tensor] = []
        for (name, layer) in namedLayers {
            let input = outputs.last ?? x
            do throws(ShapeError) {
                try prepare(name, layer, input.shape)
                let results = try layer.apply(to: [input])
                guard results.count == 1 else {
                    throw error(
                        "its layer \(name.quoted) has \(results.count) outputs; use Model to say where each goes"
                    )
                }
                outputs.append(results[0])
            } catch {
                throw error.inside(name)
            }
        }
        return outputs
    }

    private func checkLayersDiffer() throws(ShapeError) {
        var objects = Set<ObjectIdentifier>()
        for (name, layer) in allLayers where !objects.insert(ObjectIdentifier(layer)).inserted {
            throw error(
                "layer \(name.quoted) occurs twice; make another layer with the same arguments, or use Model to "
                    + "share its parameters")
        }
    }
}

extension Layer {
    /// The layers inside, at any depth.
    fileprivate var allLayers: [(name: String, layer: any Layer)] {
        namedLayers.flatMap { [$0] + $0.layer.allLayers }
    }
}
