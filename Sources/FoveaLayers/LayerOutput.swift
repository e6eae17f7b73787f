import FoveaGraph
import Synchronization

/// What a layer will give for given inputs: models that are graphs of layers are written with these.
///
/// ```swift
/// let images = LayerOutput.input("images", [32, 32, 3])
/// let features = Conv2D(filters: 16, kernelSize: 3, padding: .same)(images)
/// let shortcut = Conv2D(filters: 16, kernelSize: 1)(images)
/// let classes = Dense(units: 10)(GlobalAveragePooling2D()(Add()([features, shortcut])))
/// let model = try Model(inputs: [images], outputs: [classes])
/// ```
///
/// Nothing is built before the model is made, and nothing is checked unless you ask for a `shape`.
public struct LayerOutput: Hashable, Sendable {
    let origin: Origin
    /// Which of the outputs of a call it is.
    let index: Int

    enum Origin: Hashable {
        case input(ModelInput)
        case call(LayerCall)
    }

    /// An input of a model.
    ///
    /// - Parameters:
    ///   - name: what it is called; the key under which data for it is given.
    ///   - shape: the shape of one example, without the batch axis. With open extents, as `[nil, nil, 3]`, the model takes
    ///     examples of any size, those of a batch alike; a graph is compiled for each size that comes.
    public static func input(_ name: String, _ shape: Shape) -> LayerOutput {
        LayerOutput(origin: .input(ModelInput(name, shape)), index: 0)
    }

    /// What it comes from, for messages.
    var sourceName: String {
        switch origin {
        case .input(let input): input.name
        case .call(let call): call.name ?? call.layer.name ?? snakeCase(type(of: call.layer).typeName)
        }
    }
}

/// What a model takes: a name and the shape of one example, without the batch axis. Two with equal names and shapes are
/// different inputs.
public final class ModelInput: Hashable, Sendable {
    public let name: String
    public let shape: Shape

    init(_ name: String, _ shape: Shape) {
        self.name = name
        self.shape = shape
    }

    public static func == (a: ModelInput, b: ModelInput) -> Bool { a === b }
    public func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }
}

/// A layer applied to inputs.
final class LayerCall: Hashable, Sendable {
    let layer: any Layer
    /// The layer's name in the model that the call was taken from, if any.
    let name: String?
    /// Emptied by `deinit` only.
    private let ownInputs: Mutex<[LayerOutput]>
    private let shapes = Mutex<[Int: [Shape]]>([:])

    init(_ layer: any Layer, _ inputs: [LayerOutput], name: String? = nil) {
        self.layer = layer
        self.name = name
        ownInputs = Mutex(inputs)
    }

    var inputs: [LayerOutput] { ownInputs.withLock { $0 } }

    /// The shapes of what it gives, batch axis included, where open extents of inputs have the given size, if somebody has asked
    /// for them.
    func knownShapes(openExtents size: Int) -> [Shape]? { shapes.withLock { $0[size] } }
    func remember(_ outputShapes: [Shape], openExtents size: Int) {
        shapes.withLock { $0[size] = outputShapes }
    }

    static func == (a: LayerCall, b: LayerCall) -> Bool { a === b }
    func hash(into hasher: inout Hasher) { hasher.combine(ObjectIdentifier(self)) }

    /// A chain of calls may be longer than the stack is deep, so it is released in a loop.
    deinit {
        var pending = giveUpInputs()
        while var call = pending.popLast() {
            if isKnownUniquelyReferenced(&call) { pending += call.giveUpInputs() }
        }
    }

    private func giveUpInputs() -> [LayerCall] {
        ownInputs.withLock { inputs in
            defer { inputs = [] }
            return inputs.compactMap { if case .call(let call) = $0.origin { call } else { nil } }
        }
    }
}

extension Layer {
    /// The layer's output for an input, as part of a `Model`.
    public func callAsFunction(_ x: LayerOutput) -> LayerOutput { self([x]) }

    /// The layer's output for several inputs, as part of a `Model`.
    public func callAsFunction(_ inputs: [LayerOutput]) -> LayerOutput { outputs(for: inputs)[0] }

    /// Every output of the layer for its inputs, as part of a `Model`.
    public func outputs(for inputs: [LayerOutput]) -> [LayerOutput] {
        let call = LayerCall(self, inputs)
        return (0..<max(1, outputCount)).map { LayerOutput(origin: .call(call), index: $0) }
    }
}
