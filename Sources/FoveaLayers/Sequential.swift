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
/// let logits = try model(.input("images", model.inputShape))
/// ```
///
/// It is a layer itself: made without an input shape, it is built by the model that contains it.
///
/// Layers without a name are called after their kind, as Keras does: `conv2d`, `conv2d_1`, `max_pooling2d`.
public final class Sequential: Layer {
    public static let typeName = "Sequential"
    public let name: String?
    public let namedLayers: [(name: String, layer: any Layer)]
    private let shapes = Mutex<(input: Shape, outputs: [Shape])?>(nil)

    public var layers: [any Layer] { namedLayers.map(\.layer) }

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
        namedLayers = Self.named(layers)
    }

    /// Adds names, for layers that have none, that the user has not given.
    private static func named(_ layers: [any Layer]) -> [(name: String, layer: any Layer)] {
        let taken = Set(layers.compactMap(\.name))
        var next: [String: Int] = [:]
        func freeName(_ kind: String) -> String {
            while true {
                let number = next[kind, default: 0]
                next[kind] = number + 1
                let name = number == 0 ? kind : "\(kind)_\(number)"
                if !taken.contains(name) { return name }
            }
        }
        return layers.map { ($0.name ?? freeName(snakeCase(type(of: $0).typeName)), $0) }
    }

    // MARK: Shapes

    /// The shape of one example, without the batch axis.
    ///
    /// - Throws: `ShapeError` when the model has not been built.
    public var inputShape: Shape {
        get throws(ShapeError) { Shape(Array(try builtShapes.input.dimensions.dropFirst())) }
    }

    /// The shape of the output for one example, without the batch axis.
    ///
    /// - Throws: `ShapeError` when the model has not been built.
    public var outputShape: Shape {
        get throws(ShapeError) {
            let shapes = try builtShapes
            return Shape(Array((shapes.outputs.last ?? shapes.input).dimensions.dropFirst()))
        }
    }

    /// Each layer's output shape, batch axis included; nil before the build.
    var layerOutputShapes: [Shape]? { shapes.withLock { $0?.outputs } }

    private var builtShapes: (input: Shape, outputs: [Shape]) {
        get throws(ShapeError) {
            guard let shapes = shapes.withLock({ $0 }) else {
                throw error(
                    "\(displayName.quoted) has no shapes yet; build first, by giving it an input shape")
            }
            return shapes
        }
    }

    var displayName: String { name ?? "sequential" }

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
    }

    public func build(input: Shape, in scope: inout BuildScope) throws(ShapeError) {
        try checkLayers()
        let outputs = try outputs(for: .argument("input", input)) { name, layer, shape throws(ShapeError) in
            scope.enter(name)
            try layer.build(input: shape, in: &scope)
            scope.leave()
        }
        shapes.withLock { $0 = (input, outputs.map(\.shape)) }
    }

    public func call(_ x: Tensor) throws(ShapeError) -> Tensor {
        try outputs(for: x) { _, _, _ in }.last ?? x
    }

    /// The model's output for a batch of inputs `[batch, …]`, as a graph.
    ///
    /// - Throws: `ShapeError`, naming the layer, when the input's shape does not fit.
    public func callAsFunction(_ x: Tensor) throws(ShapeError) -> Tensor {
        do { return try call(x) } catch { throw error.inside(displayName) }
    }

    /// Every layer's output; `prepare` sees each layer and its input's shape first. The only place where
    /// layers are applied, so that each error names its layer.
    private func outputs(
        for x: Tensor, prepare: (String, any Layer, Shape) throws(ShapeError) -> Void
    ) throws(ShapeError) -> [Tensor] {
        try checkSize(of: x.shape, "its input")
        var outputs: [Tensor] = []
        for (name, layer) in namedLayers {
            let input = outputs.last ?? x
            do {
                try prepare(name, layer, input.shape)
                let output = try layer.call(input)
                try checkSize(of: output.shape, "its output")
                outputs.append(output)
            } catch {
                throw error.inside(name)
            }
        }
        return outputs
    }

    /// Keeps later arithmetic with sizes from overflowing.
    private func checkSize(of shape: Shape, _ what: String) throws(ShapeError) {
        let limit = Int(Int32.max)
        guard shape.rank >= 1, let count = productOfPositive(shape.dimensions.dropFirst()), count <= limit
        else {
            throw error("\(what) must have positive extents and at most \(limit) elements per example", shape)
        }
    }

    private func checkLayers() throws(ShapeError) {
        if namedLayers.isEmpty { throw error("\(displayName.quoted) has no layers; give it at least one") }
        var names = Set<String>()
        for (name, _) in namedLayers {
            guard names.insert(name).inserted else {
                throw error("two layers are named \(name.quoted); give each its own name")
            }
        }
        for name in namedLayers.map(\.name) + [displayName] {
            guard !name.isEmpty, !name.unicodeScalars.contains(where: \.isForbiddenInName) else {
                throw error(
                    "\(name.quoted) is no name: it must not be empty or have '/' or line breaks")
            }
        }
        var objects = Set<ObjectIdentifier>()
        for (name, layer) in allLayers where !objects.insert(ObjectIdentifier(layer)).inserted {
            throw error("layer \(name.quoted) occurs twice; make another layer with the same arguments")
        }
    }
}

extension Layer {
    /// The layers inside, at any depth.
    fileprivate var allLayers: [(name: String, layer: any Layer)] {
        namedLayers.flatMap { [$0] + $0.layer.allLayers }
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
func snakeCase(_ name: String) -> String {
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
