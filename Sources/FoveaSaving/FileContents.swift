import FoveaFiles

/// What is in a file of models or weights, whatever program wrote it: to look at, where nothing is known of a model.
public struct FileContents: Sendable {
    /// What the file is, such as `a safetensors file`.
    public let format: String
    /// Texts and numbers beside the tensors, in the order of the file.
    public let metadata: [(name: String, value: String)]
    /// In the order of the file.
    public let tensors: [StoredTensor]

    /// Reads a safetensors file, one of PyTorch's (`.pt`, `.pth`), one of Keras's (`.keras`, `.h5`, and HDF5 files like these), or an
    /// ONNX file.
    ///
    /// - Throws: `FileError` when the file cannot be read; `SafetensorsError` or `ModelFileError` when it is damaged or none of these.
    public init(contentsOf path: some PathConvertible) throws {
        try self.init(parsing: AtomicFile.read(path), file: path.filePath)
    }

    init(parsing bytes: [UInt8], file: String) throws {
        let kind = try FileFormat(content: bytes, of: file)
        format = kind.rawValue
        switch kind {
        case .safetensors:
            let stored = try StoredSafetensors(parsing: bytes, file: file)
            metadata = stored.metadata.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
            tensors = stored.tensors
        case .torchArchive, .pickle, .zip:
            let stored = try PyTorchFile(parsing: bytes, file: file)
            metadata = stored.values
            tensors = stored.tensors
        case .hdf5, .kerasWeights:
            (metadata, tensors) = Self.contents(of: try HDF5File(parsing: bytes, file: file))
        case .kerasArchive:
            let archive = try ZIPArchive(parsing: bytes, file: file)
            let texts = try archive.names.filter { $0.hasSuffix(".json") }.map { name in
                (name, String(decoding: try archive.contents(of: name), as: UTF8.self))
            }
            let weights = try archive.contents(of: "model.weights.h5")
            let (attributes, tensors) = Self.contents(of: try HDF5File(parsing: weights, file: file))
            metadata = texts + attributes
            self.tensors = tensors
        case .onnx: (metadata, tensors) = try ONNXFile.fileContents(bytes, file: file)
        case .numPyArchive, .numPyArray, .gzip, .unknown:
            throw ModelFileError(file: file, problem: "this is \(kind.rawValue); its content cannot be shown")
        }
    }

    /// The data sets of all groups under their paths, and the texts among the attributes.
    private static func contents(
        of file: HDF5File
    ) -> (metadata: [(name: String, value: String)], tensors: [StoredTensor]) {
        var metadata: [(name: String, value: String)] = []
        var tensors: [StoredTensor] = []
        func visit(_ object: HDF5Object, _ path: String) {
            for (name, attribute) in object.attributes {
                guard let text = attribute.string ?? attribute.strings?.joined(separator: ", ") else {
                    continue
                }
                metadata.append((path.isEmpty ? name : "\(path)/\(name)", text))
            }
            if let tensor = object.dataset?.tensor { tensors.append(tensor) }
            for (name, member) in object.group?.members ?? [] {
                visit(member, path.isEmpty ? name : "\(path)/\(name)")
            }
        }
        visit(.group(file.root), "")
        return (metadata, tensors)
    }
}

extension StoredTensor {
    /// How many elements there are.
    public var elementCount: Int { bytes.count / type.byteCount }

    /// The first elements as texts, in their own type.
    public func firstElements(_ count: Int) -> [String] {
        func texts<Element: BitwiseCopyable>(_: Element.Type, _ text: (Element) -> String) -> [String] {
            bytes.withUnsafeBytes { memory in
                (0..<max(0, min(count, elementCount))).map {
                    text(
                        memory.loadUnaligned(
                            fromByteOffset: $0 * MemoryLayout<Element>.size, as: Element.self))
                }
            }
        }
        return switch type {
        case .float64: texts(Double.self) { "\($0)" }
        case .float32: texts(Float.self) { "\($0)" }
        case .float16: texts(Float16.self) { "\($0)" }
        case .bfloat16: texts(UInt16.self) { "\(Float(bfloat16Pattern: $0))" }
        case .int64: texts(Int64.self) { "\($0)" }
        case .int32: texts(Int32.self) { "\($0)" }
        case .int16: texts(Int16.self) { "\($0)" }
        case .int8: texts(Int8.self) { "\($0)" }
        case .uint64: texts(UInt64.self) { "\($0)" }
        case .uint32: texts(UInt32.self) { "\($0)" }
        case .uint16: texts(UInt16.self) { "\($0)" }
        case .uint8: texts(UInt8.self) { "\($0)" }
        case .bool: texts(UInt8.self) { "\($0 != 0)" }
        }
    }
}
