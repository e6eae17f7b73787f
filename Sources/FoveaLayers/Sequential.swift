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
        let input: LayerOutput
        let calls: [ModelCall]
        /// Whether the input is the model's own, which stays when it is put into others for inputs of another shape.
        var isOwn = false
    }

    /// Layers to be put inside another model, which builds them.
    public convenience init(name: String? = nil, @LayerBuilder _ layers: () -> [any Layer]) {
        self.init(name: name, layers: layers())
    }

    /// A model, built at once.
    ///
    /// - Parameters:
    ///   - name: the model's name, `sequential` when nil.
    ///   - input: the shape of one example, without the batch axis.
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
        var scope = BuildScope(seed: seed, elementLimit: elementLimit)
        do {
            try build(input: Shape([Shape.batch] + example.dimensions), in: &scope)
        } catch {
            throw error.inside(displayName)
        }
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
        let first = LayerOutput.input("inputs", Shape(Array(input.dimensions.dropFirst())))
        var calls: [ModelCall] = []
        for ((name, layer), output) in zip(namedLayers, outputs) {
            let call = LayerCall(layer, [calls.last?.outputs[0] ?? first], name: name)
            calls.append(
                ModelCall(
                    layerName: name, layer: layer, inputNames: [calls.last?.layerName ?? "inputs"],
                    outputs: [LayerOutput(origin: .call(call), index: 0)], outputShapes: [output.shape]))
        }
        if scope.isTrial { return }
        let result = Built(input: first, calls: calls)
        built.withLock { if $0?.isOwn != true { $0 = result } }
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
