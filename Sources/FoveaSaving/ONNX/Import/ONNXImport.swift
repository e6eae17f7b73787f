import FoveaGraph

extension SavedModel {
    /// The model in the bytes of an ONNX file.
    ///
    /// - Parameter inputShape: one example's shape in the model, channels last, where the file leaves extents open.
    @Compute
    static func onnx(_ bytes: [UInt8], file: String, inputShape: Shape? = nil) throws -> SavedModel {
        #if ProtocolBuffers
            try ONNXFile.model(bytes, file: file, inputShape: inputShape)
        #else
            throw ONNXFile.isMissing(file)
        #endif
    }
}

extension ONNXFile {
    /// The tensors of a file under their names, whatever its graph makes of them, and what it says of itself.
    static func fileContents(
        _ bytes: [UInt8], file: String
    ) throws -> (metadata: [(name: String, value: String)], tensors: [StoredTensor]) {
        #if ProtocolBuffers
            try contents(bytes, file: file)
        #else
            throw isMissing(file)
        #endif
    }
}
