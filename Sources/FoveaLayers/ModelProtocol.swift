import FoveaGraph

/// A layer that can be trained, evaluated, saved and taken apart by itself: `Sequential` or `Model`.
public protocol ModelProtocol: Layer {
    /// Where its examples enter. Empty before the build.
    var inputs: [LayerOutput] { get }

    /// What it gives, each with a name. Empty before the build.
    var namedOutputs: [(name: String, output: LayerOutput, shape: Shape)] { get }

    /// Every call of a layer in the order in which they run: the layer's name, what it gives, and the shapes of that, batch
    /// axis included. Empty before the build.
    var calls: [ModelCall] { get }
}

/// One use of a layer in a model.
public struct ModelCall: Sendable {
    public let layerName: String
    public let layer: any Layer
    /// The names of the layers and inputs that it reads.
    public let inputNames: [String]
    public let outputs: [LayerOutput]
    /// Batch axis included.
    public let outputShapes: [Shape]

    /// What it reads: inputs of the model, and what other calls give.
    public var inputs: [LayerOutput] {
        guard case .call(let call)? = outputs.first?.origin else { return [] }
        return call.inputs
    }
}

extension ModelProtocol {
    /// The name, or what a model without one is called.
    public var displayName: String { name ?? snakeCase(Self.typeName) }

    public var layers: [any Layer] { namedLayers.map(\.layer) }

    /// The names and shapes of the inputs.
    public var modelInputs: [ModelInput] {
        inputs.compactMap { if case .input(let input) = $0.origin { input } else { nil } }
    }

    /// What the model gives, for use in another.
    public var outputs: [LayerOutput] { namedOutputs.map(\.output) }

    /// The shape of one example, without the batch axis, of a model with one input.
    ///
    /// - Throws: `ShapeError` when the model has not been built or has several inputs.
    public var inputShape: Shape {
        get throws(ShapeError) {
            try checkBuilt()
            guard modelInputs.count == 1 else {
                throw error("\(displayName.quoted) has \(modelInputs.count) inputs; use modelInputs")
            }
            return modelInputs[0].shape
        }
    }

    /// The shape of the output for one example, without the batch axis, of a model with one output.
    ///
    /// - Throws: `ShapeError` when the model has not been built or has several outputs.
    public var outputShape: Shape {
        get throws(ShapeError) {
            try checkBuilt()
            guard namedOutputs.count == 1 else {
                throw error("\(displayName.quoted) has \(namedOutputs.count) outputs; use namedOutputs")
            }
            return namedOutputs[0].shape
        }
    }

    /// - Throws: `ShapeError` when the model has not been built.
    package func checkBuilt() throws(ShapeError) {
        guard !namedOutputs.isEmpty else {
            throw error("\(displayName.quoted) has no shapes yet; build first, by giving it an input shape")
        }
    }

    // MARK: Layers by name

    /// The layer with that name.
    ///
    /// - Throws: `ShapeError` with the nearest name.
    public func layer(named name: String) throws(ShapeError) -> any Layer {
        try namedLayers[place(of: name)].layer
    }

    /// What the layer with that name gives; of a layer called several times, what the first call gives. A model that ends
    /// there, with the same layers, is `Model(inputs: model.inputs, outputs: [model.output(of: name)])`.
    ///
    /// - Throws: `ShapeError` with the nearest name, or when the model has not been built.
    public func output(of name: String) throws(ShapeError) -> LayerOutput {
        try checkBuilt()
        _ = try place(of: name)
        guard let call = calls.first(where: { $0.layerName == name }) else {
            throw error("layer \(name.quoted) is never called")
        }
        return call.outputs[0]
    }

    /// Freezes every layer before the one named and lets training change that one and all that follow: fine-tuning of the
    /// end of a network. Returns how many parameters (numbers) training may change. Compile the model afterwards: as
    /// `isTrainable`, it has no effect on what is compiled already.
    ///
    /// - Throws: `ShapeError` with the nearest name.
    @discardableResult
    public func setTrainable(from name: String) throws(ShapeError) -> Int {
        let first = try place(of: name)
        for (place, layer) in layers.enumerated() { layer.isTrainable = place >= first }
        return trainableParameterCount
    }

    private func place(of name: String) throws(ShapeError) -> Int {
        if let place = namedLayers.firstIndex(where: { $0.name == name }) { return place }
        let advice = adviceOnName(
            name, among: namedLayers.map(\.name), heading: "its layers are", limit: 20)
        throw error("\(displayName.quoted) has no layer \(name.quoted); \(advice)")
    }
}

// MARK: - Names of layers

/// Layers with their names, and those without one called after their kind, as Keras does: `conv2d`, `conv2d_1`. Names that
/// the user gave are never taken.
func namedLayers(
    _ layers: [(layer: any Layer, earlierName: String?)]
) -> [(name: String, layer: any Layer)] {
    var taken = Set(layers.compactMap(\.layer.name))
    var next: [String: Int] = [:]
    func freeName(_ kind: String) -> String {
        while true {
            let number = next[kind, default: 0]
            next[kind] = number + 1
            let name = number == 0 ? kind : "\(kind)_\(number)"
            if taken.insert(name).inserted { return name }
        }
    }
    // First those that other models named, so that a part of a model keeps its names.
    let kept = layers.map { layer, earlierName -> String? in
        if let name = layer.name { return name }
        guard let earlierName, taken.insert(earlierName).inserted else { return nil }
        return earlierName
    }
    return zip(layers, kept).map { entry, kept in
        (kept ?? freeName(snakeCase(type(of: entry.layer).typeName)), entry.layer)
    }
}

extension ModelProtocol {
    /// Checks the names of the model, its layers and its inputs.
    func checkNames(inputs: [String] = []) throws(ShapeError) {
        if namedLayers.isEmpty { throw error("\(displayName.quoted) has no layers; give it at least one") }
        var names = Set<String>()
        for name in inputs + namedLayers.map(\.name) {
            guard names.insert(name).inserted else {
                throw error("two layers are named \(name.quoted); give each its own name")
            }
        }
        for name in inputs + namedLayers.map(\.name) + [displayName] {
            guard !name.isEmpty, !name.unicodeScalars.contains(where: \.isForbiddenInName) else {
                throw error(
                    "\(name.quoted) is no name: it must not be empty or have '/' or line breaks")
            }
        }
    }
}

extension Unicode.Scalar {
    /// Slashes separate names in paths; the others would break the lines of a summary.
    fileprivate var isForbiddenInName: Bool {
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: self == "/"
        }
    }
}

/// `MaxPooling2D` as `max_pooling2d`: an underscore where a word begins.
package func snakeCase(_ name: String) -> String {
    let letters = Array(name)
    var result = ""
    for (index, letter) in letters.enumerated() {
        let beginsWord =
            index > 0 && letter.isUppercase
            && (letters[index - 1].isLowercase || index + 1 < letters.count && letters[index + 1].isLowercase)
        result += (beginsWord ? "_" : "") + letter.lowercased()
    }
    return result
}
