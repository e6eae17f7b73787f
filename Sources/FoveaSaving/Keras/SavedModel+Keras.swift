import FoveaFiles
import FoveaGraph
import FoveaLayers
import FoveaTraining

extension SavedModel {
    /// The model in a file of Keras.
    ///
    /// - Parameter inputShape: one example's shape, where the file leaves extents open.
    /// - Throws: `ModelFileError` when it holds no model, one with parts that Fovea has not, or weights that do not fit.
    @Compute
    init(_ keras: KerasContents, customTypes: CustomTypes, inputShape: Shape? = nil) throws {
        func failure(_ problem: String) -> ModelFileError {
            ModelFileError(file: keras.file, problem: problem)
        }
        guard let architecture = keras.architecture else {
            throw ModelFileError(
                file: keras.file,
                problem:
                    "it holds weights but no model; make the model in Swift and use its loadWeights(from:), or save the whole "
                    + "model in Keras with model.save", holdsWeightsAlone: true)
        }
        var reader = KerasReader(
            customLayers: customTypes.layers, isKeras2: keras.isKeras2, inputShape: inputShape)
        var configuration: Configuration
        var model: any ModelProtocol
        let layerTypes = customTypes.allLayers + [AdaptedNormalization.self]
        // A model much larger than the file cannot be the one whose weights it has, and is not given memory.
        let elementLimit = 2 * keras.elementCount + 1 << 20
        do {
            configuration = try reader.model(architecture)
            model = try makeModel(configuration, layerTypes: layerTypes, elementLimit: elementLimit)
        } catch { throw failure("its model cannot be built: \(error)") }
        guard !model.namedOutputs.isEmpty else {
            throw failure(
                "its model says no input shape; build it in Keras, by keras.Input or by calling it, and save it again"
            )
        }
        // First, because files of Keras 2 have what is trained in front.
        reader.freeze(in: model)
        try keras.weights(for: model, byName: false)
            .assign(byName: false, skipMismatch: false, owner: "its architecture")

        var (training, warnings) = (TrainingConfiguration?.none, reader.warnings)
        let outputNames = model.namedOutputs.map(\.name)
        if let compile = keras.compile {
            var compiler = KerasCompileReader(customTypes: customTypes)
            training = compiler.training(compile, outputs: outputNames)
            warnings += compiler.warnings
        }
        let optimizerMemory = try training.flatMap { try keras.optimizerMemory($0, model: model) }

        // All that the order of Keras's layers counts for is read, so those that stand for others can come in.
        if needsAdapting(.object(configuration)) || !reader.activations.isEmpty {
            configuration = try model.adapted(configuration).inserting(reader.activations)
            let kept = try model.weights().filter { name, _ in
                let path = name.split(separator: "/").dropLast().map(String.init)
                return !(model.layer(at: path) is AdaptedNormalization)
            }
            model = try makeModel(configuration, layerTypes: layerTypes, elementLimit: elementLimit)
            try model.assign(kept, owner: "its architecture")
            reader.freeze(in: model)
            let names = Dictionary(
                zip(outputNames, model.namedOutputs.map(\.name)), uniquingKeysWith: { first, _ in first })
            let outputs = training?.outputs.map { (names[$0.key] ?? $0.key, $0.value) } ?? []
            training?.outputs = Dictionary(outputs, uniquingKeysWith: { first, _ in first })
        }

        self.init(
            model, training: training, classNames: keras.classNames, optimizerMemory: optimizerMemory)
        self.warnings = warnings
        if !keras.isOwn, let warning = Self.pixelWarning(model) { self.warnings.append(warning) }
    }

    /// Writes what is made of the model.
    @Compute
    func writeKeras(
        to path: String, _ make: (SavedModel, String) throws -> (bytes: [UInt8], warnings: [String])
    ) throws -> [String] {
        let result: (bytes: [UInt8], warnings: [String])
        do { result = try make(self, path) } catch let error as ConfigurationError {
            throw ModelFileError(file: path, problem: "it is not written: \(error)")
        }
        try AtomicFile.write(result.bytes, to: path)
        return result.warnings
    }

    /// What is to be known about pictures, when a model scales those of 0…255 itself.
    private static func pixelWarning(_ model: any ModelProtocol) -> String? {
        guard let first = model.calls.first, let scaling = first.layer as? Rescaling,
            let scale = scaling.scale.first, scale > 0, scale < 0.02
        else { return nil }
        return
            "its layer '\(first.layerName)' takes pixels of 0…255, while Fovea gives pictures as 0…1; give it float32 "
            + "inputs of 0…255, or make the model again without that layer"
    }
}

extension KerasReader {
    /// Freezes what is frozen in the file.
    func freeze(in model: any ModelProtocol) {
        for path in frozen { model.layer(at: path)?.isTrainable = false }
    }
}

extension ModelProtocol {
    /// The layer at a path of names.
    func layer(at path: [String]) -> (any Layer)? {
        var layer: any Layer = self
        for name in path {
            guard let next = layer.namedLayers.first(where: { $0.name == name })?.layer else { return nil }
            layer = next
        }
        return layer
    }

    /// The configuration that the model was made of, with the numbers of layers that stood in for others.
    @Compute
    func adapted(_ configuration: Configuration) throws -> Configuration {
        guard var config = configuration["config"]?.members, let layers = config["layers"]?.elements else {
            return configuration
        }
        config["layers"] = .list(
            try zip(layers, namedLayers).map { value, entry in
                guard let envelope = value.members else { return value }
                if let model = entry.layer as? any ModelProtocol {
                    return .object(try model.adapted(envelope))
                }
                guard let layer = entry.layer as? AdaptedNormalization else { return value }
                var settings = try layer.adapted()
                settings["name"] = .string(entry.name)
                return ["class_name": .string(Normalization.typeName), "config": .object(settings)]
            })
        var result = configuration
        result["config"] = .object(config)
        return result
    }
}
