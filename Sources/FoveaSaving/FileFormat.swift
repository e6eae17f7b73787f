/// The formats of files with models, weights or arrays: what a file is read as, its first bytes tell and never its name; what it is
/// written as, the end of its name.
enum FileFormat: String, CaseIterable {
    case safetensors = "a safetensors file"
    case onnx = "an ONNX file"
    case hdf5 = "an HDF5 file, as Keras's .h5 files are"
    /// Told by the name alone.
    case kerasWeights = "an HDF5 file of weights, as Keras's .weights.h5 files are"
    case kerasArchive = "a ZIP archive with a Keras model, as .keras files are"
    case torchArchive = "a ZIP archive with pickled data, as PyTorch's .pt and .pth files are"
    case numPyArchive = "a ZIP archive of NumPy arrays (.npz)"
    case zip = "a ZIP archive, as Keras's .keras and PyTorch's .pt files are"
    case pickle = "pickled Python data, as PyTorch's older .pt and .pth files are"
    case numPyArray = "a NumPy array (.npy)"
    case gzip = "a gzip file, which must be unpacked first"
    case unknown = "a file of an unknown kind"

    /// What these bytes are.
    init(content bytes: [UInt8]) {
        // A length that reads like one of the marks below is still followed by a header of JSON.
        if bytes.count > 8, bytes[8] == UInt8(ascii: "{"), bytes[4..<8].allSatisfy({ $0 == 0 }) {
            self = .safetensors
        } else if bytes.starts(with: [0x89] + Array("HDF\r\n".utf8) + [0x1A, 0x0A]) {
            self = .hdf5
        } else if bytes.starts(with: [UInt8(ascii: "P"), UInt8(ascii: "K"), 3, 4]) {
            self = Self.archive(of: Self.firstName(inZIP: bytes))
        } else if bytes.starts(with: [0x80]) && bytes.count > 1 && (2...5).contains(bytes[1]) {
            self = .pickle
        } else if bytes.starts(with: [0x93] + Array("NUMPY".utf8)) {
            self = .numPyArray
        } else if bytes.starts(with: [0x1F, 0x8B]) {
            self = .gzip
        } else {
            self = Self.isONNX(bytes) ? .onnx : .unknown
        }
    }

    /// What a file of that name is written as; a safetensors file when its name ends like none of the others.
    init(ending path: String) {
        let path = path.lowercased()
        self = Self.endings.first { path.hasSuffix($0.ending) }?.format ?? .safetensors
    }

    private static let endings: [(ending: String, format: FileFormat)] = [
        (".onnx", .onnx), (".keras", .kerasArchive), (".weights.h5", .kerasWeights), (".h5", .hdf5),
        (".hdf5", .hdf5), (".pt", .torchArchive),
        (".pth", .torchArchive),
    ]

    /// ONNX files begin with the version of the format, a small number in field 1, and go on with another field, of bytes or a
    /// number.
    private static func isONNX(_ bytes: [UInt8]) -> Bool {
        guard bytes.count > 8, bytes[0] == 0x08, (1...32).contains(bytes[1]) else { return false }
        return bytes[2] >> 3 > 1 && (bytes[2] & 7 == 2 || bytes[2] & 7 == 0)
    }

    /// The name of the first file in a ZIP archive, as far as the bytes go.
    private static func firstName(inZIP bytes: [UInt8]) -> String {
        guard bytes.count > 30 else { return "" }
        let length = Int(bytes[26]) | Int(bytes[27]) << 8
        return String(decoding: bytes[30...].prefix(length), as: UTF8.self)
    }

    private static func archive(of name: String) -> FileFormat {
        if ["metadata.json", "config.json", "model.weights.h5"].contains(name) { return .kerasArchive }
        if name.hasSuffix("/data.pkl") || name == "data.pkl" { return .torchArchive }
        return name.hasSuffix(".npy") ? .numPyArchive : .zip
    }

    var advice: String {
        switch self {
        case .hdf5, .kerasWeights, .kerasArchive:
            "read it with SavedModel(contentsOf:), or its weights with loadWeights(from:)"
        case .zip, .numPyArray, .numPyArchive:
            "write the weights from Python with safetensors.numpy.save_file"
        case .torchArchive, .pickle:
            "it holds weights and no model: load them into a model with loadWeights(from:)"
        case .onnx: "it holds a model: read it with SavedModel(contentsOf:)"
        case .safetensors, .unknown: "check what wrote it"
        case .gzip: "unpack it with gunzip"
        }
    }
}
