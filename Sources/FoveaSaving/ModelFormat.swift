/// The formats of files that hold whole models.
enum ModelFormat {
    case safetensors, onnx

    /// What a file with that name is written as.
    init(ending path: String) {
        self = path.lowercased().hasSuffix(".onnx") ? .onnx : .safetensors
    }

    /// What a file is read as, told by its first bytes and never by its name.
    init(content bytes: [UInt8]) {
        self = Self.isONNX(bytes) ? .onnx : .safetensors
    }

    /// ONNX files begin with the version of the format, a small number in field 1, and go on with another field, of bytes or a
    /// number. A safetensors file that begins so has a header behind its eighth byte.
    private static func isONNX(_ bytes: [UInt8]) -> Bool {
        guard bytes.count > 8, bytes[0] == 0x08, (1...32).contains(bytes[1]) else { return false }
        return bytes[2] >> 3 > 1 && (bytes[2] & 7 == 2 || bytes[2] & 7 == 0)
            && !(bytes[8] == UInt8(ascii: "{") && bytes[4..<8].allSatisfy { $0 == 0 })
    }
}
