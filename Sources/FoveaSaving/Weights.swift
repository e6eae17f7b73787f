import FoveaFiles
import FoveaGraph
import FoveaLayers
import FoveaModels

extension ModelProtocol {
    /// Writes the values of all parameters, without the architecture, whole or not at all: where the name ends in `.h5` as
    /// Keras 3's `save_weights` does (`.weights.h5`), else as a `.safetensors` file with tensors under the parameters' paths,
    /// such as `conv2d_1/kernel`.
    ///
    /// - Throws: `ShapeError` when the model has not been built; `FileError`, and the file that was there before is then as
    ///   it was.
    @Compute
    public func saveWeights(to path: some PathConvertible) throws {
        for (_, parameter) in parameters { _ = try parameter.tensor }
        switch FileFormat(ending: path.filePath) {
        case .hdf5, .kerasWeights:
            try AtomicFile.write(KerasContents.weights(of: self, file: path.filePath), to: path)
        case .kerasArchive, .onnx:
            throw ModelFileError(
                file: path.filePath,
                problem:
                    "files with that ending hold whole models; use SavedModel.write(to:), or the ending .weights.h5"
            )
        default: try Safetensors(tensors: weights()).write(to: path)
        }
    }

    /// Gives all parameters the values in a file: of `saveWeights(to:)` or `SavedModel.write(to:)`; of Keras, with a whole model or
    /// with weights alone, of any version (`.keras`, `.h5`, `.weights.h5`); or of PyTorch, `.pt`, `.pth` or safetensors with its
    /// names. What the file is, its content tells.
    ///
    /// In files of Keras the order of layers decides, as in Keras, and their kinds, not what they are called. PyTorch's weights are
    /// brought into the order that the layers have here: kernels `[filters, channels, height, width]`, matrices
    /// `[units, features]`, features that were flattened channels first. That the layers compute the same is up to you: the epsilon of
    /// normalizations is part of the model.
    ///
    /// What an optimizer remembers stays as it is. Numbers that are not finite are taken as they are
    /// (`parametersNotFinite`).
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - mapping: rules that make names of layers from PyTorch's names of modules. Without, these have to be the same, with dots
    ///     for slashes, or torchvision's for the networks that have a `NamedNetwork.torchMapping`. Whatever rules give to layers that
    ///     the model does not have is left out.
    ///   - byName: whether only layers (of safetensors files, parameters) that the file and the model have under one name get
    ///     values, as with Keras's `by_name`: for a model that shares a part with that of the file. Not for PyTorch's.
    ///   - skipMismatch: whether layers whose weights have other shapes in the file keep their values, as with Keras's
    ///     `skip_mismatch`: for another number of classes. Not for PyTorch's.
    /// - Returns: the paths of the parameters that keep their values; none unless `byName` or `skipMismatch`.
    /// - Throws: `FileError` when the file cannot be read, `SafetensorsError` or `ModelFileError` when it is damaged, and the
    ///   latter with every difference when its tensors are not those of this model's parameters. Nothing is changed then.
    @Compute
    @discardableResult
    public func loadWeights(
        from path: some PathConvertible, mapping: WeightMapping? = nil, byName: Bool = false,
        skipMismatch: Bool = false
    ) throws -> [String] {
        let bytes = try AtomicFile.read(path)
        let file = path.filePath
        if let torch = try torchWeights(in: bytes, file: file, isMapped: mapping != nil) {
            guard !byName, !skipMismatch else {
                throw ModelFileError(
                    file: file,
                    problem:
                        "byName and skipMismatch are for files of Fovea and Keras; this one has PyTorch's names: leave layers "
                        + "out with a mapping")
            }
            _ = try torch.assign(to: self, mapping: mapping)
            return []
        }
        if let keras = try KerasContents(bytes, file: file) {
            return try keras.weights(for: self, byName: byName)
                .assign(byName: byName, skipMismatch: skipMismatch, owner: "the model")
        }
        do {
            return try assign(
                Safetensors(parsing: bytes, file: file).tensors, owner: "the model", byName: byName,
                skipMismatch: skipMismatch)
        } catch let problem as WeightsProblem {
            throw ModelFileError(file: file, problem: problem.description)
        }
    }

    /// - Returns: nil for a file of another program.
    private func torchWeights(in bytes: [UInt8], file: String, isMapped: Bool) throws -> TorchWeights? {
        switch try FileFormat(content: bytes, of: file) {
        case .torchArchive, .pickle:
            return TorchWeights(file: file, tensors: try PyTorchFile(parsing: bytes, file: file).tensors)
        case .zip where try KerasContents(bytes, file: file) == nil:
            return TorchWeights(file: file, tensors: try PyTorchFile(parsing: bytes, file: file).tensors)
        case .safetensors:
            let stored = try StoredSafetensors(parsing: bytes, file: file).tensors
            let isTorch =
                isMapped
                || TorchWeights.areTheseNames(stored.map(\.name), not: Set(parameters.map(\.path)))
            return isTorch ? TorchWeights(file: file, tensors: stored) : nil
        default: return nil
        }
    }

    /// Writes the values of all parameters with PyTorch's names and in its layouts: a state dictionary for `load_state_dict`, as
    /// `loadWeights(from:mapping:)` reads it. Whole or not at all.
    ///
    /// - Parameters:
    ///   - path: the file; it becomes a safetensors file where its name ends so, else one of `torch.save`.
    ///   - mapping: rules that make names of modules from those of layers.
    /// - Throws: `ShapeError` when the model has not been built; `ModelFileError` for layers whose order of features PyTorch's
    ///   cannot be told from; `FileError`, and the file that was there before is then as it was.
    @Compute
    public func saveWeights(to path: some PathConvertible, mapping: WeightMapping) throws {
        for (_, parameter) in parameters { _ = try parameter.tensor }
        let file = path.filePath
        let tensors = try torchTensors(mapping, file: file)
        if file.hasSuffix(".safetensors") {
            let values = try tensors.map { (name: $0.name, value: try $0.value(file: file)) }
            // The loaders of Hugging Face ask for this.
            try Safetensors(tensors: values, metadata: ["format": "pt"]).write(to: path)
        } else {
            try AtomicFile.write(TorchWriter.bytes(of: tensors, file: file), to: path)
        }
    }

    /// The parameters some of whose numbers are NaN or infinite, in order, each with its path, how many are, and how many
    /// numbers it has. Loading a model or weights does not refuse these, so that they can be looked at; what such a model
    /// computes is hardly of use.
    @Compute
    public func parametersNotFinite() throws -> [(path: String, count: Int, total: Int)] {
        try parameters.compactMap { path, parameter in
            // First values are finite, and making them would take memory that the file does not have.
            guard let variable = parameter.variable, !variable.isUnmade else { return nil }
            let value = try variable.value()
            let count = value.floats.count { !$0.isFinite }
            return count == 0 ? nil : (path, count, value.storage.count)
        }
    }

    /// The values of all parameters that have been built, under their paths.
    @Compute
    func weights() throws -> [(name: String, value: TensorValue)] {
        try parameters.compactMap { path, parameter in
            try parameter.variable.map { (path, try $0.value()) }
        }
    }

    /// Gives every parameter its value.
    ///
    /// - Parameters:
    ///   - owner: what says which parameters there are, for messages.
    ///   - byName: whether tensors may be missing or unknown.
    ///   - skipMismatch: whether parameters keep their values where the tensor is of another type.
    /// - Returns: the paths of parameters that keep their values.
    /// - Throws: `WeightsProblem` when a tensor is missing, unknown or of another type; nothing is changed then.
    @Compute
    @discardableResult
    func assign(
        _ tensors: [(name: String, value: TensorValue)], owner: String, byName: Bool = false,
        skipMismatch: Bool = false
    ) throws -> [String] {
        var tensors = Dictionary(tensors.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        var values: [(variable: Variable, value: TensorValue)] = []
        var kept: [String] = []
        for (name, parameter) in parameters {
            guard let variable = parameter.variable else {
                throw WeightsProblem("\(owner) has no input shape")
            }
            guard let value = tensors.removeValue(forKey: name) else {
                kept.append(name)
                if byName { continue }
                throw WeightsProblem("\(owner) has a parameter '\(name)', but there is no such tensor")
            }
            guard value.shape == variable.shape, value.dtype == variable.dtype else {
                kept.append(name)
                if skipMismatch { continue }
                throw WeightsProblem(
                    "tensor '\(name)' is \(TensorType(value.shape, value.dtype)), \(owner) says \(variable.type)"
                )
            }
            values.append((variable, value))
        }
        if !byName, let extra = tensors.keys.min() {
            throw WeightsProblem("tensor \(quoted(extra)) belongs to no layer of \(owner)")
        }
        for (variable, value) in values { try variable.assign(value) }
        return kept
    }
}

extension Variable {
    var byteCount: Int { shape.elementCount * dtype.byteCount }
}

extension ModelProtocol {
    /// How many bytes all parameters have that have been built.
    var parameterByteCount: Int { parameters.reduce(0) { $0 + ($1.parameter.variable?.byteCount ?? 0) } }
}

/// Why tensors are not the weights of a model.
struct WeightsProblem: Error {
    let description: String

    init(_ description: String) { self.description = description }
}
