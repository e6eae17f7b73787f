import FoveaGraph

extension Sequential {
    /// The name, the layers with theirs, and the input shape, under Keras's keys: enough to make the model
    /// again, but for the values of its parameters.
    public var configuration: Configuration {
        get throws(ConfigurationError) {
            var layers: [ConfigurationValue] = []
            for (name, layer) in namedLayers { layers.append(try layer.envelope(name: name)) }
            return [
                "name": name.map { .string($0) } ?? .null,
                "layers": .list(layers),
                "build_input_shape": (try? inputShape)?.configuration ?? .null,
            ]
        }
    }

    /// Layers to be put inside another model, which builds them.
    public convenience init(
        name: String?, configuration: inout ConfigurationReader
    ) throws(ConfigurationError) {
        self.init(name: name, layers: try Self.contents(&configuration, name: name).layers)
    }

    /// A model that is not built yet, and the shape of one example if the configuration has it.
    static func withInput(
        name: String?, _ reader: inout ConfigurationReader
    ) throws(ConfigurationError) -> (model: Sequential, input: Shape?) {
        let (layers, input) = try contents(&reader, name: name)
        return (Sequential(name: name, layers: layers), input)
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
