import FoveaFiles
import FoveaGraph
import FoveaLayers
import FoveaTraining

/// What is in a file of Keras, of any version and kind.
struct KerasContents {
    /// Where the weights of layers are.
    enum Weights {
        /// A group for each layer under its name, of Keras 2 and `.h5` files.
        case legacy(HDF5Group)
        /// Groups under the names of classes, of `.weights.h5` and `.keras` files.
        case store(HDF5Group)
    }

    let file: String
    /// The model as Keras's JSON; nil in files with weights alone.
    var architecture: Configuration?
    var compile: Configuration?
    var classNames: [String] = []
    /// Whether Fovea wrote it.
    var isOwn = false
    var isKeras2 = false
    let weights: Weights
    /// How many numbers its tensors have, at most.
    let elementCount: Int

    private enum Key {
        static let model = "model_config"
        static let training = "training_config"
        static let version = "keras_version"
        static let own = "fovea"
        static let classNames = "class_names"
        static let weights = "model_weights"
    }

    private enum Member {
        static let config = "config.json"
        static let metadata = "metadata.json"
        static let weights = "model.weights.h5"
    }

    /// - Returns: nil for a file of another format.
    init?(_ bytes: [UInt8], file: String) throws(ModelFileError) {
        switch FileFormat(content: bytes) {
        case .hdf5: try self.init(hdf5: bytes, file: file)
        case .kerasArchive: try self.init(ZIPArchive(parsing: bytes, file: file), file: file)
        case .zip:
            // Whatever comes first in it.
            guard let archive = try? ZIPArchive(parsing: bytes, file: file), archive.contains(Member.config)
            else { return nil }
            try self.init(archive, file: file)
        default: return nil
        }
    }

    /// A `.keras` file.
    private init(_ archive: ZIPArchive, file: String) throws(ModelFileError) {
        self.file = file
        let config = try Configuration(
            json: archive.contents(of: Member.config), what: "'\(Member.config)'", file: file)
        architecture = config
        compile = config["compile_config"]?.members
        if archive.contains(Member.metadata) {
            let metadata = try Configuration(
                json: archive.contents(of: Member.metadata), what: "'\(Member.metadata)'", file: file)
            isKeras2 = metadata[Key.version]?.text?.hasPrefix("2.") == true
        }
        guard archive.contains(Member.weights) else {
            throw ModelFileError(
                file: file,
                problem:
                    "it has no '\(Member.weights)'; weights in several files or in other formats are not read: save it "
                    + "in Keras with model.save and the usual settings")
        }
        let bytes = try archive.contents(of: Member.weights)
        weights = .store(try HDF5File(parsing: bytes, file: file).root)
        elementCount = bytes.count
        takeOwn(config[Key.own])
    }

    /// An `.h5` or `.weights.h5` file.
    private init(hdf5 bytes: [UInt8], file: String) throws(ModelFileError) {
        self.file = file
        let root = try HDF5File(parsing: bytes, file: file).root
        elementCount = bytes.count
        func json(_ key: String) throws(ModelFileError) -> Configuration? {
            guard let text = root.attribute(key)?.string else { return nil }
            return try Configuration(json: Array(text.utf8), what: "'\(key)'", file: file)
        }
        architecture = try json(Key.model)
        compile = try json(Key.training)
        let group = root[Key.weights]?.group
        let version = root.attribute(Key.version) ?? group?.attribute(Key.version)
        isKeras2 = version?.string?.hasPrefix("2.") == true
        if let group {
            weights = .legacy(group)
        } else if architecture != nil {
            throw ModelFileError(file: file, problem: "it has no group '\(Key.weights)'; the file is damaged")
        } else if root.texts("layer_names") != nil {
            weights = .legacy(root)
        } else {
            weights = .store(root)
        }
        takeOwn(try json(Key.own).map { .object($0) })
    }

    private mutating func takeOwn(_ value: ConfigurationValue?) {
        guard let own = value?.members else { return }
        isOwn = true
        classNames = (own[Key.classNames]?.elements ?? []).compactMap(\.text)
    }

    /// The weights beside a model's parameters.
    func weights(for model: any ModelProtocol, byName: Bool) throws(ModelFileError) -> KerasWeights {
        switch weights {
        case .legacy(let group):
            try KerasWeights(legacy: group, model: model, byName: byName, file: file)
        case .store(let root): try KerasWeights(store: root, model: model, byName: byName, file: file)
        }
    }

    /// What the optimizer remembers; nil where the file does not say.
    func optimizerMemory(
        _ training: TrainingConfiguration, model: any ModelProtocol
    ) throws -> OptimizerMemory? {
        guard case .store(let root) = weights else { return nil }
        return try OptimizerMemory(
            keras: root, training: training, trained: model.kerasTrainedParameters, file: file)
    }

    // MARK: Writing

    /// What Fovea keeps in Keras's files beside what Keras knows.
    private static func own(_ classNames: [String]) -> Configuration {
        [Key.classNames: .list(classNames.map { .string($0) })]
    }

    /// A `.keras` file.
    @Compute
    static func archive(
        _ saved: SavedModel, file: String
    ) throws -> (bytes: [UInt8], warnings: [String]) {
        var writer = KerasWriter(.keras3)
        var config = try writer.model(saved.model)
        var warnings = writer.warnings
        var root = try saved.model.kerasStore()
        if let training = saved.training {
            var compiler = KerasCompileWriter(.keras3)
            config["compile_config"] =
                try compiler.config(training, outputs: saved.outputClasses).map { .object($0) } ?? .null
            warnings += compiler.warnings
            if let memory = saved.optimizerMemory, config["compile_config"] != .null {
                let trained = saved.model.kerasTrainedParameters
                if let variables = memory.kerasVariables(training, trained: trained) {
                    root.insert(.group(variables), at: "optimizer/vars")
                } else {
                    warnings.append("what its optimizer remembers is of other parameters, and is left out")
                }
            }
        }
        config[Key.own] = .object(own(saved.classNames))
        var archive = ZIPWriter()
        archive.add(Member.metadata, try [Key.version: .string(kerasVersion), "written_by": "Fovea"].json)
        archive.add(Member.config, try config.json)
        archive.add(Member.weights, try HDF5File(root: root).serialized())
        return (try archive.finished(file: file), warnings)
    }

    /// An `.h5` file with a whole model.
    @Compute
    static func hdf5(_ saved: SavedModel, file: String) throws -> (bytes: [UInt8], warnings: [String]) {
        var writer = KerasWriter(.legacy)
        var root = HDF5Group()
        func text(_ configuration: Configuration) throws -> HDF5Attribute {
            .string(String(decoding: try configuration.json, as: UTF8.self))
        }
        root.attributes.append((Key.model, try text(writer.model(saved.model))))
        var warnings = writer.warnings
        if let training = saved.training {
            var compiler = KerasCompileWriter(.legacy)
            if let config = try compiler.config(training, outputs: saved.outputClasses) {
                root.attributes.append((Key.training, try text(config)))
            }
            warnings += compiler.warnings
        }
        if saved.optimizerMemory != nil {
            warnings.append("what its optimizer remembers is left out: Keras reads it from .keras files only")
        }
        root.attributes.append((Key.version, .string(kerasVersion)))
        root.attributes.append((Key.own, try text(own(saved.classNames))))
        root.members.append((Key.weights, .group(try saved.model.kerasLegacyWeights())))
        return (try HDF5File(root: root).serialized(), warnings)
    }

    /// The weights alone, as Keras 3 writes them.
    @Compute
    static func weights(of model: any ModelProtocol, file: String) throws -> [UInt8] {
        try HDF5File(root: model.kerasStore()).serialized()
    }
}

extension SavedModel {
    /// The outputs with how many numbers the last axis of each has.
    fileprivate var outputClasses: [(name: String, classes: Int)] {
        model.namedOutputs.map { ($0.name, $0.shape.channels) }
    }
}
