import FoveaFiles

extension FileFormat {
    /// What the bytes of a file are. Where they do not tell, the file is taken for the safetensors or ONNX file that its name
    /// promises: their readers say best what is wrong.
    ///
    /// - Throws: `ModelFileError` when neither tells, with what is read and what the file seems to be instead.
    init(content bytes: [UInt8], of file: String) throws(ModelFileError) {
        self.init(content: bytes)
        guard self == .unknown else { return }
        if let other = Self.guess(bytes) { throw ModelFileError(file: file, problem: other) }
        let promised = Self.promise(of: file)
        switch promised {
        case .safetensors?, .onnx?: self = promised ?? .unknown
        default:
            let begins =
                promised.map { "its name is that of \($0.rawValue), but it does not begin like one" }
                ?? "it begins like no file that is known"
            throw ModelFileError(
                file: file,
                problem:
                    "\(begins); it is damaged or of another kind. Fovea reads \(Self.listOfFormats)")
        }
    }

    private static let listOfFormats =
        "safetensors files, Keras's .keras and .h5 files, PyTorch's .pt and .pth files, and ONNX files"

    /// What a file should be that is called so; nil where the name says nothing.
    private static func promise(of file: String) -> FileFormat? {
        let format = FileFormat(ending: file)
        return format == .safetensors && !file.lowercased().hasSuffix(".safetensors") ? nil : format
    }

    /// What else is often found where a model should be.
    private static func guess(_ bytes: [UInt8]) -> String? {
        if bytes.isEmpty { return "the file is empty; download or save it again" }
        let text = String(decoding: bytes.prefix(64).drop { " \n\r\t".utf8.contains($0) }, as: UTF8.self)
        if text.hasPrefix("version https://git-lfs") {
            return "this is not the file itself but what Git keeps in its place; get it with 'git lfs pull'"
        }
        if text.lowercased().hasPrefix("<!doctype") || text.lowercased().hasPrefix("<html") {
            return "this is a web page, not the file itself; download the file again"
        }
        if text.hasPrefix("{") {
            return "this is JSON text, which has no weights; makeModel makes a model of an architecture"
        }
        if bytes.dropFirst(4).starts(with: Array("TFL3".utf8)) {
            return "this is a TensorFlow Lite model, which Fovea does not read; export the model as ONNX"
        }
        return nil
    }
}
