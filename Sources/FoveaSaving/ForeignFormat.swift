/// What a file is that somebody took for a safetensors file, told by its first bytes and never by its name.
enum ForeignFormat: String, CaseIterable {
    case hdf5 = "an HDF5 file, as Keras's .h5 files are"
    case kerasArchive = "a ZIP archive with a Keras model, as .keras files are"
    case torchArchive = "a ZIP archive with pickled data, as PyTorch's .pt and .pth files are"
    case numPyArchive = "a ZIP archive of NumPy arrays (.npz)"
    case zip = "a ZIP archive, as Keras's .keras and PyTorch's .pt files are"
    case pickle = "pickled Python data, as PyTorch's older .pt and .pth files are"
    case numPyArray = "a NumPy array (.npy)"
    case gzip = "a gzip file, which must be unpacked first"

    init?(_ bytes: [UInt8]) {
        // A length that reads like one of the marks below is still followed by a header of JSON.
        guard bytes.count < 9 || bytes[8] != UInt8(ascii: "{") else { return nil }
        if bytes.starts(with: [0x89] + Array("HDF\r\n".utf8) + [0x1A, 0x0A]) {
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
            return nil
        }
    }

    /// The name of the first file in a ZIP archive, as far as the bytes go.
    private static func firstName(inZIP bytes: [UInt8]) -> String {
        guard bytes.count > 30 else { return "" }
        let length = Int(bytes[26]) | Int(bytes[27]) << 8
        return String(decoding: bytes[30...].prefix(length), as: UTF8.self)
    }

    private static func archive(of name: String) -> ForeignFormat {
        if ["metadata.json", "config.json", "model.weights.h5"].contains(name) { return .kerasArchive }
        if name.hasSuffix("/data.pkl") || name == "data.pkl" { return .torchArchive }
        return name.hasSuffix(".npy") ? .numPyArchive : .zip
    }

    var advice: String {
        switch self {
        case .hdf5, .kerasArchive, .zip, .numPyArray, .numPyArchive:
            "write the weights from Python with safetensors.numpy.save_file"
        case .torchArchive, .pickle: "write the weights from Python with safetensors.torch.save_file"
        case .gzip: "unpack it with gunzip"
        }
    }
}
