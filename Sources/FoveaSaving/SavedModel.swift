import Foundation
import FoveaDatasets
import FoveaFiles
import FoveaGraph
import FoveaLayers
import FoveaRuntime
import FoveaTraining

/// A model with all that a file keeps of it.
///
/// Fovea's own format is one `.safetensors` file whose tensors are the parameters under their paths (`conv2d_1/kernel`) and
/// whose metadata hold the rest as JSON. Files of Keras are read and written, too: `.keras`, and `.h5` as both Keras 3 and
/// Keras 2 (tf_keras) read it. Of these only `.keras` keeps what the optimizer remembers between steps, so that training goes
/// on there or here; a checkpoint keeps it as well.
public struct SavedModel: Sendable {
    public var model: any ModelProtocol
    /// How the model was trained; nil if it never was.
    public var training: TrainingConfiguration?
    /// What each output stands for, in Unicode's normal form C; empty when unknown.
    public var classNames: [String]
    /// What the optimizer of `training` remembers; nil when unknown.
    public var optimizerMemory: OptimizerMemory?
    /// What was in the file and is not here, or means something else here; empty for files of Fovea's.
    public internal(set) var warnings: [String] = []

    public init(
        _ model: any ModelProtocol, training: TrainingConfiguration? = nil, classNames: [String] = [],
        optimizerMemory: OptimizerMemory? = nil
    ) {
        self.model = model
        self.training = training
        self.classNames = classNames.map(\.normalForm)
        self.optimizerMemory = optimizerMemory
    }

    /// A model in training, with what its optimizer remembers.
    @Compute
    public init(_ trainer: Trainer, classNames: [String] = []) throws {
        self.init(
            trainer.model, training: trainer.configuration, classNames: classNames,
            optimizerMemory: try trainer.optimizerMemory())
    }

    /// The model, ready to be trained on as it was: with what the optimizer remembers, if that is known.
    ///
    /// - Throws: `TrainingError` when it is not known how the model was trained; as `ModelProtocol.compile`.
    @Compute
    public func compile(device: Device = .cpu) throws -> Trainer {
        guard let training else {
            throw TrainingError.invalidArgument(
                "training", "nil",
                expected: "known; set it, or compile the model with an optimizer and a loss")
        }
        let trainer = try model.compile(training, device: device)
        if let optimizerMemory { try trainer.restore(optimizerMemory) }
        return trainer
    }

    static let architectureKey = "fovea.architecture"

    enum Key {
        static let format = "fovea.format"
        static let architecture = SavedModel.architectureKey
        static let training = "fovea.training"
        static let classNames = "fovea.class_names"
    }

    /// The version of what is written; files with another one are refused.
    private static let format = 2

    /// How many bytes the parameters have: a little less than the file.
    public var parameterByteCount: Int { model.parameterByteCount }

    /// Writes the file whole or not at all, in the format that its name ends in: `.keras`, `.h5`, `.onnx`, else
    /// safetensors. Equal models give equal bytes.
    ///
    /// - Parameter path: the file. One that ends in `.onnx` computes what the model does in inference.
    /// - Returns: what the format does not keep, a sentence for each.
    /// - Throws: `FileError`, and `ModelFileError` when the format has no room for the model, such as layers that Keras has not;
    ///   the file that was there before is then as it was.
    @Compute
    @discardableResult
    public func write(to path: some PathConvertible) throws -> [String] {
        switch FileFormat(ending: path.filePath) {
        case .onnx:
            try AtomicFile.write(onnx(file: path.filePath), to: path)
            return training == nil ? [] : ["how it was trained is left out: ONNX files hold inference alone"]
        case .kerasArchive: return try writeKeras(to: path.filePath, KerasContents.archive)
        case .hdf5: return try writeKeras(to: path.filePath, KerasContents.hdf5)
        case .kerasWeights:
            throw ModelFileError(
                file: path.filePath,
                problem:
                    "files that end in .weights.h5 hold weights alone; use saveWeights(to:), or another ending"
            )
        case .torchArchive:
            throw ModelFileError(
                file: path.filePath,
                problem: "PyTorch's files hold weights alone; use saveWeights(to:mapping:), or another ending"
            )
        default:
            try writeSafetensors(to: path)
            return optimizerMemory == nil
                ? [] : ["what its optimizer remembers is left out: .keras files and checkpoints keep it"]
        }
    }

    @Compute
    private func writeSafetensors(to path: some PathConvertible) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        func json(_ value: some Encodable) throws -> String {
            String(decoding: try encoder.encode(value), as: UTF8.self)
        }

        var file = Safetensors()
        file.metadata[Key.format] = "\(Self.format)"
        file.metadata[Key.architecture] = try json(model.architecture)
        if let training { file.metadata[Key.training] = try json(training) }
        if !classNames.isEmpty { file.metadata[Key.classNames] = try json(classNames) }
        file.tensors = try model.weights()
        try file.write(to: path)
    }

    /// Reads a file of Fovea's or Keras's, or an ONNX file, told by its content, and builds its model. Numbers that are not finite
    /// are taken as they are: `model.parametersNotFinite()` names them.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - customTypes: layers, optimizers, losses and metrics of your own that it may name.
    ///   - inputShape: one example's shape, such as `[150, 150, 3]`, for models whose file leaves extents open, as Keras's `None`:
    ///     those of inputs with as many axes are then these. What the file says must be the same. When nil they stay open, and the
    ///     model takes any size, unless the file is ONNX's.
    /// - Throws: `FileError` when it cannot be read, `SafetensorsError` or `ModelFileError` when it is damaged, and the latter
    ///   when it holds no model, parts that do not fit together, or what Fovea has not.
    @Compute
    public init(
        contentsOf path: some PathConvertible, customTypes: CustomTypes = CustomTypes(),
        inputShape: Shape? = nil
    ) throws {
        let path = path.filePath
        let bytes = try AtomicFile.read(path)
        let format = try FileFormat(content: bytes, of: path)
        switch format {
        case .safetensors: try self.init(safetensors: bytes, path, customTypes, inputShape: inputShape)
        case .onnx: self = try .onnx(bytes, file: path, inputShape: inputShape)
        default:
            guard let keras = try KerasContents(bytes, file: path) else {
                throw ModelFileError(
                    file: path, problem: "this is \(format.rawValue): \(format.advice)",
                    holdsWeightsAlone: [.torchArchive, .pickle].contains(format))
            }
            try self.init(keras, customTypes: customTypes, inputShape: inputShape)
        }
        let shapes = model.modelInputs.map(\.shape)
        if let inputShape, !shapes.contains(inputShape) {
            throw ModelFileError(
                file: path,
                problem:
                    "its model takes \(shapes.map(\.description).joined(separator: ", ")), not \(inputShape); "
                    + "the size of inputs can be chosen only where the file leaves it open")
        }
    }

    /// The model in the bytes of a file of Fovea's.
    @Compute
    init(
        safetensors bytes: [UInt8], _ path: String, _ customTypes: CustomTypes, inputShape: Shape? = nil
    ) throws {
        let stored = try StoredSafetensors(parsing: bytes, file: path)
        func failure(_ problem: String) -> ModelFileError { ModelFileError(file: path, problem: problem) }
        func decoded<Value: Decodable>(_ type: Value.Type, _ key: String) throws -> Value? {
            guard let text = stored.metadata[key] else { return nil }
            if let problem = BoundedJSON.problem(in: text) {
                throw failure("its metadata '\(key)' cannot be read: \(problem), more than any model needs")
            }
            do {
                let decoder = JSONDecoder()
                decoder.customTypes = customTypes
                return try decoder.decode(type, from: Data(text.utf8))
            } catch {
                throw failure(
                    "its metadata '\(key)' cannot be read (\(reason(error)))\(remedy(error))")
            }
        }

        // The format comes first: what a later one means by the other keys is not known here.
        if let version = stored.metadata[Key.format], version != "\(Self.format)" {
            throw failure(
                "it was written in format \(quoted(version)), this version of Fovea reads \(Self.format); read it with the "
                    + "Fovea that wrote it"
            )
        }
        let keys = [Key.format, Key.architecture]
        for key in keys where stored.metadata[key] == nil {
            throw ModelFileError(
                file: path,
                problem:
                    "it holds tensors but no Fovea model: there is no '\(key)' in its metadata; save a model with "
                    + "`fovea train` or SavedModel.write(to:), or load the weights into a model with loadWeights(from:)",
                holdsWeightsAlone: keys.allSatisfy { stored.metadata[$0] == nil })
        }
        let file = try Safetensors(stored, file: path)
        let architecture = try decoded(Configuration.self, Key.architecture) ?? [:]
        training = try decoded(TrainingConfiguration.self, Key.training)
        classNames = (try decoded([String].self, Key.classNames) ?? []).map(\.normalForm)
        // A model much larger than the file cannot be the one whose tensors it has, and is not given memory.
        let elementCount = file.tensors.reduce(0) { $0 + $1.value.shape.elementCount }
        do {
            model = try makeModel(
                architecture, layerTypes: customTypes.allLayers, elementLimit: 2 * elementCount + 1 << 20,
                inputShape: inputShape)
        } catch {
            throw failure("its architecture cannot be built: \(error)")
        }
        do { try model.assign(file.tensors, owner: "its architecture") } catch let problem as WeightsProblem {
            throw failure(problem.description)
        }
    }
}

/// What follows from a decoder's error: a name that is not known may be that of a type that was not given.
func remedy(_ error: any Error) -> String {
    if case DecodingError.dataCorrupted(let context) = error, context.underlyingError is UnknownName {
        return ""
    }
    return "; the file is damaged"
}

/// What a decoder says is wrong.
func reason(_ error: any Error) -> String {
    switch error {
    case DecodingError.dataCorrupted(let context), DecodingError.typeMismatch(_, let context),
        DecodingError.keyNotFound(_, let context), DecodingError.valueNotFound(_, let context):
        context.debugDescription
    default: "\(error)"
    }
}
