import FoveaGraph

extension SavedModel {
    /// The model in the bytes of an ONNX file.
    @Compute
    static func onnx(_ bytes: [UInt8], file: String) throws -> SavedModel {
        #if ProtocolBuffers
            try ONNXFile.model(bytes, file: file)
        #else
            throw ONNXFile.isMissing(file)
        #endif
    }
}
