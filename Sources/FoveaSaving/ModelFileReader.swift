import FoveaGraph
import FoveaLayers
import FoveaTraining

/// The readers of files of models and weights, to be tried on bytes in memory: whatever these are, each ends soon, with memory for
/// no more than a small multiple of them.
public enum ModelFileReader: String, CaseIterable, Sendable {
    case safetensors
    case hdf5
    case zip
    /// Fovea's own models.
    case fovea
    /// Models, or weights alone, in any container of Keras's.
    case keras
    /// PyTorch's files, in either container.
    case pickle
    case onnx

    /// Reads everything as those do who show, load and list a file, and forgets it.
    ///
    /// - Parameters:
    ///   - bytes: the contents of the file.
    ///   - name: what errors call the file.
    /// - Throws: when the bytes are not such a file.
    @Compute
    public func read(_ bytes: [UInt8], name: String) throws {
        switch self {
        case .safetensors:
            for tensor in try StoredSafetensors(parsing: bytes, file: name).tensors {
                _ = try tensor.value(file: name)
            }
        case .hdf5: try read(HDF5File(parsing: bytes, file: name).root, name: name)
        case .zip:
            let archive = try ZIPArchive(parsing: bytes, file: name)
            for member in archive.names { _ = try archive.contents(of: member) }
        case .fovea: try look(at: SavedModel(safetensors: bytes, name, CustomTypes()))
        case .keras:
            guard let contents = try KerasContents(bytes, file: name) else { return }
            list(bytes, name: name)
            if contents.architecture != nil {
                try look(at: SavedModel(contents, customTypes: CustomTypes()))
            } else {
                for byName in [false, true] {
                    let model = try Self.model()
                    try contents.weights(for: model, byName: byName)
                        .assign(byName: byName, skipMismatch: true, owner: "the model")
                }
            }
        case .pickle:
            let file = try PyTorchFile(parsing: bytes, file: name)
            for tensor in file.tensors { _ = try tensor.value(file: name) }
            _ = try TorchWeights(file: name, tensors: file.tensors).assign(to: Self.model(), mapping: [:])
        case .onnx:
            guard FileFormat(content: bytes) == .onnx else { return }
            list(bytes, name: name)
            try look(at: .onnx(bytes, file: name))
        }
    }

    private func read(_ group: HDF5Group, name: String) throws {
        for (_, member) in group.members {
            if let group = member.group { try read(group, name: name) }
            _ = try member.dataset?.tensor.value(file: name)
        }
    }

    private func list(_ bytes: [UInt8], name: String) {
        guard let contents = try? FileContents(parsing: bytes, file: name) else { return }
        for tensor in contents.tensors { _ = tensor.firstElements(4) }
    }

    @Compute
    private func look(at saved: SavedModel) throws {
        _ = saved.model.summary()
        _ = try saved.model.parametersNotFinite()
    }

    /// For weights that come without theirs.
    private static func model() throws -> Sequential {
        try Sequential(input: [9, 8, 3]) {
            Conv2D(filters: 5, kernelSize: 3, padding: .same)
            BatchNormalization()
            MaxPooling2D()
            Flatten()
            Dense(units: 3)
        }
    }
}
