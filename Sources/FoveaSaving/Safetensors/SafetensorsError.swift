import FoveaFiles
import FoveaGraph

/// A safetensors file that breaks the format's rules, or tensors that the format cannot hold.
public struct SafetensorsError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file as the caller named it.
    public let file: String
    public let problem: Problem

    public init(file: String, problem: Problem) {
        self.file = file
        self.problem = problem
    }

    public enum Problem: Error, Hashable, Sendable {
        /// The file has fewer bytes than the header's length field takes.
        case tooShort(byteCount: Int)
        /// The file is of another format, which its first bytes tell, such as one of Keras's or PyTorch's.
        case otherFormat(String, advice: String)
        /// The header's length is more than the file, or the format's limit, allows.
        case headerTooLong(length: UInt64, allowed: Int)
        case headerNotUTF8
        /// The header does not start with `{`.
        case headerNotObject
        /// The header is no JSON, or JSON of another form; `byte` counts from the start of the file.
        case headerSyntax(byte: Int, expected: String)
        /// A tensor, metadata key or field is there twice. Names that differ only in Unicode
        /// normalisation count as the same.
        case duplicateName(String)
        /// A tensor lacks its `dtype`, `shape` or `data_offsets`.
        case missingField(tensor: String, field: String)
        /// A tensor has a field that the format does not know.
        case unknownField(tensor: String, field: String)
        case metadataNotText(key: String)
        /// An element type that the format does not know.
        case unknownDType(tensor: String, dtype: String)
        /// An element type of the format that no Fovea tensor has.
        case unsupportedDType(tensor: String, dtype: String)
        /// An extent that is no whole number from 0 up, or a size in bytes beyond 64 bits.
        case invalidShape(tensor: String, shape: [String])
        /// Not two whole numbers from 0 up with the first no more than the second.
        case invalidOffsets(tensor: String, offsets: [String])
        /// The tensor's bytes are not as many as its shape and element type need.
        case sizeMismatch(tensor: String, byteCount: Int, expected: Int)
        case outsideData(tensor: String, end: Int, dataByteCount: Int)
        case overlap(tensor: String, other: String)
        /// Bytes before the tensor that belong to no tensor.
        case hole(before: String, byteCount: Int)
        /// Bytes after the last tensor.
        case trailingBytes(Int)
        /// The data is not what was saved.
        case checksumMismatch(expected: String, actual: String)
        /// libcrypto could not compute SHA-256.
        case checksumUnavailable
        /// A tensor to be written has the name that the format keeps for metadata.
        case reservedName(String)
    }

    public var description: String { visible("\(file): \(problem)") }
}

extension SafetensorsError.Problem: CustomStringConvertible {
    public var description: String { visible(text) }

    private var text: String {
        switch self {
        case .tooShort(let byteCount):
            "\(byteCount) bytes are too few for a safetensors file, which starts with 8 bytes for the "
                + "length of its header; \(Self.fetchAgain)"
        case .otherFormat(let format, let advice):
            "this is \(format); Fovea reads safetensors files: \(advice)"
        case .headerTooLong(let length, let allowed):
            "the header would take \(length) bytes where at most \(allowed) are possible; "
                + "the file is cut short or not a safetensors file, or has too many tensors for the format"
        case .headerNotUTF8:
            "the header is not UTF-8 text; \(Self.fetchAgain)"
        case .headerNotObject:
            "the header does not start with '{'; check that this is a safetensors file"
        case .headerSyntax(let byte, let expected):
            "the header has something else than \(expected) at byte \(byte); \(Self.fetchAgain)"
        case .duplicateName(let name):
            "\(quoted(name)) is there more than once; give every tensor and metadata key a name of its own"
        case .missingField(let tensor, let field):
            "tensor \(quoted(tensor)) has no \(quoted(field)); \(Self.writeAgain)"
        case .unknownField(let tensor, let field):
            "tensor \(quoted(tensor)) has the unknown field \(quoted(field)) beside dtype, shape and "
                + "data_offsets; \(Self.writeAgain)"
        case .metadataNotText(let key):
            "metadata \(quoted(key)) is not a string, and the format allows nothing else; save it as a string"
        case .unknownDType(let tensor, let dtype):
            "tensor \(quoted(tensor)) has the unknown element type \(quoted(dtype)); \(Self.writeAgain)"
        case .unsupportedDType(let tensor, let dtype):
            "tensor \(quoted(tensor)) has elements of type \(dtype), which Fovea cannot hold; convert it to "
                + "one of \(DType.allCases.map { StoredType($0).safetensorsName }.joined(separator: ", ")), or leave it out"
        case .invalidShape(let tensor, let shape):
            "tensor \(quoted(tensor)) has the impossible shape \(listed(shape)); \(Self.writeAgain)"
        case .invalidOffsets(let tensor, let offsets):
            "tensor \(quoted(tensor)) has data_offsets \(listed(offsets)) where [begin, end] with "
                + "0 ≤ begin ≤ end is needed; \(Self.writeAgain)"
        case .sizeMismatch(let tensor, let byteCount, let expected):
            "tensor \(quoted(tensor)) has \(byteCount) bytes, and its shape and element type need "
                + "\(expected); \(Self.writeAgain)"
        case .outsideData(let tensor, let end, let dataByteCount):
            "tensor \(quoted(tensor)) ends at byte \(end) of the data, of which there are only "
                + "\(dataByteCount); the file is cut short: \(Self.fetchAgain)"
        case .overlap(let tensor, let other):
            "tensors \(quoted(tensor)) and \(quoted(other)) share bytes; \(Self.writeAgain)"
        case .hole(let before, let byteCount):
            "\(byteCount) bytes before tensor \(quoted(before)) belong to no tensor; \(Self.writeAgain)"
        case .trailingBytes(let byteCount):
            "\(byteCount) bytes after the last tensor belong to no tensor; \(Self.fetchAgain)"
        case .checksumMismatch(let expected, let actual):
            "the data is damaged: its SHA-256 is \(actual), and \(quoted(expected)) was saved with it; "
                + "\(Self.fetchAgain)"
        case .checksumUnavailable:
            "libcrypto could not compute a SHA-256 checksum; check the OpenSSL installation"
        case .reservedName(let name):
            "no tensor can be named \(quoted(name)), which the format keeps for metadata; rename the tensor"
        }
    }

    private static let fetchAgain = "download or save the file again"
    private static let writeAgain = "write the file again with a correct safetensors writer"
}

/// Text from a file, made fit for one line of a message.
func quoted(_ text: String) -> String { "\"" + visible(text, limit: VisibleText.nameLimit) + "\"" }

private func listed(_ numbers: [String]) -> String {
    let limit = 8
    let shown = numbers.prefix(limit).map { $0.count > 24 ? $0.prefix(24) + "…" : $0 }
    return "[" + shown.joined(separator: ", ") + (numbers.count > limit ? ", …]" : "]")
}
