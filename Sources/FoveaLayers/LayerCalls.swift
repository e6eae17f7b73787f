import FoveaGraph
import Synchronization

extension Layer {
    /// The layer's output for an input, as a graph; for use inside a layer's `call` and with built layers.
    ///
    /// - Throws: `ShapeError` when the input does not fit, when the layer was not built, or when it has several outputs.
    public func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor { try self([x]) }

    /// The layer's output for several inputs, as a graph; for use inside a layer's `call` and with built layers.
    ///
    /// - Throws: `ShapeError` when the inputs do not fit, when the layer was not built, or when it has several outputs.
    public func callAsFunction(_ inputs: [Tensor]) throws(ShapeError) -> Tensor {
        let outputs = try outputs(for: inputs)
        guard outputs.count == 1 else {
            throw error("it has \(outputs.count) outputs; ask for them with outputs(for:)")
        }
        return outputs[0]
    }

    /// Every output of the layer for its inputs, as a graph.
    ///
    /// - Throws: `ShapeError` when the inputs do not fit or the layer was not built.
    public func outputs(for inputs: [Tensor]) throws(ShapeError) -> [Tensor] {
        try BuildInProgress.current?.build(self, for: inputs)
        do throws(ShapeError) {
            try checkInputs(inputs.map(\.shape))
            return try apply(to: inputs)
        } catch { throw error.inside(name ?? snakeCase(Self.typeName)) }
    }

    /// The only place where layers are applied, so that each is checked in the same way.
    func apply(to inputs: [Tensor]) throws(ShapeError) -> [Tensor] {
        let outputs = try call(inputs)
        for output in outputs { try checkSize(of: output.shape, "its output") }
        LayerTrace.current?.add(self, inputs, outputs)
        return outputs
    }

    /// Checks what enters a model or a layer that is called by itself. Layers inside get what others have made.
    func checkInputs(_ shapes: [Shape]) throws(ShapeError) {
        for shape in shapes { try checkSize(of: shape, "its input") }
    }

    private func checkSize(of shape: Shape, _ what: String) throws(ShapeError) {
        let limit = BuildScope.activationLimit
        guard !shape.hasOpenExtents else {
            throw error(
                "\(what) leaves extents open (nil), and this needs a size; give it to another model of the same layers, such "
                    + "as Sequential(input: [224, 224, 3]) { model }", shape)
        }
        guard shape.rank >= 1, let count = productOfPositive(shape.dimensions.dropFirst()), count <= limit
        else {
            throw error("\(what) must have positive extents and at most \(limit) elements per example", shape)
        }
    }

    /// Builds the layers inside by calling the layer once: each is built when it is reached, for the shapes it is given
    /// there. For the `build` of layers that have parameters of their own as well.
    ///
    /// - Throws: `ShapeError` when the layers do not fit together.
    public func buildLayers(_ inputs: [Shape], in scope: inout BuildScope) throws(ShapeError) {
        if namedLayers.isEmpty { return }
        let building = BuildInProgress(of: self, scope)
        let inputs = inputs.map { Tensor.argument("input", $0) }
        let result = BuildInProgress.$current.withValue(building) {
            Result { () throws(ShapeError) in try call(inputs) }
        }
        scope = building.scope
        _ = try result.get()
    }
}

/// The build of a layer made of layers, which goes on while that layer is called. It is found through the task, because
/// `call` is written for graphs and knows nothing of it.
private final class BuildInProgress: Sendable {
    @TaskLocal static var current: BuildInProgress?

    private let names: [ObjectIdentifier: String]
    private let state: Mutex<BuildScope>

    init(of layer: any Layer, _ scope: BuildScope) {
        names = Dictionary(
            layer.namedLayers.map { (ObjectIdentifier($0.layer), $0.name) }, uniquingKeysWith: { $1 })
        state = Mutex(scope)
    }

    var scope: BuildScope { state.withLock { $0 } }

    /// Builds a layer that is among those inside; others are left to whoever holds them.
    func build(_ layer: any Layer, for inputs: [Tensor]) throws(ShapeError) {
        guard let name = names[ObjectIdentifier(layer)] else { return }
        var scope = scope
        scope.enter(name)
        do { try layer.build(inputs: inputs.map(\.shape), in: &scope) } catch { throw error.inside(name) }
        scope.leave()
        state.withLock { $0 = scope }
    }
}
