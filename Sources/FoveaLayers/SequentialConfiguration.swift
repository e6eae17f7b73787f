import FoveaGraph

extension Sequential {
    /// The name, the layers with theirs, and the input shape, under Keras's keys: enough to make the model
    /// again, but for the values of its parameters.
    public var configuration: Configuration {
        [
            "name": name.map { .string($0) } ?? .null,
            "layers": .list(namedLayers.map { $0.layer.envelope(name: $0.name) }),
            "build_input_shape": (try? inputShape).map {
                .list([.null] + $0.dimensions.map { .integer($0) })
            } ?? .null,
        ]
    }

    /// A model from what `configuration` gave, built when that has an input shape.
    ///
    /// - Parameters:
    ///   - configuration: it may come from a file; nothing in it is trusted.
    ///   - seed: for the parameters' first values.
    ///   - layerTypes: the kinds of layers that may occur.
    ///   - elementLimit: how many numbers the parameters may hold, checked before memory is taken for them.
    /// - Throws: `ConfigurationError` for a key that is missing, unknown or of the wrong type, `ShapeError`
    ///   when the layers do not fit together.
    public convenience init(
        configuration: Configuration, seed: UInt64 = 0, layerTypes: [any Layer.Type] = builtInLayers,
        elementLimit: Int = BuildScope.elementLimit
    ) throws {
        var reader = ConfigurationReader(configuration, owner: Self.typeName, layerTypes: layerTypes)
        let name = try reader.optionalString("name")
        let (layers, input) = try Self.contents(&reader, name: name)
        try reader.finish()
        self.init(name: name, layers: layers)
        if let input { try build(example: input, seed: seed, elementLimit: elementLimit) }
    }

    /// Layers to be put inside another model, which builds them.
    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(name: name, layers: try Self.contents(&configuration, name: name).layers)
    }

    private static func contents(
        _ reader: inout ConfigurationReader, name: String?
    ) throws(ConfigurationError) -> (layers: [any Layer], input: Shape?) {
        var layers: [any Layer] = []
        for (index, value) in try reader.list("layers").enumerated() {
            do {
                layers.append(try makeLayer(value, layerTypes: reader.layerTypes))
            } catch {
                throw error.inside("layers[\(index)]").inside(name ?? "sequential")
            }
        }
        return (layers, try reader.optionalShape("build_input_shape"))
    }
}
