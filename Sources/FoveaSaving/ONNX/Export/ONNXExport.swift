import FoveaFiles
import FoveaGraph
import FoveaLayers

extension SavedModel {
    /// The model as an ONNX file has it.
    ///
    /// The graph computes what the model does in inference. Inputs and outputs have the model's names and shapes, images with
    /// their channels last; the size of the batch is open. The names of the classes are in the file's metadata, as in a model
    /// file of Fovea's.
    ///
    /// - Parameter file: the file's name, for errors.
    /// - Throws: `ModelFileError` for what ONNX cannot hold, and models of more than 2 GB.
    @Compute
    func onnx(file: String) throws -> [UInt8] {
        #if ProtocolBuffers
            do {
                return try ONNXFile.bytes(of: self)
            } catch let problem as ONNXExportProblem {
                throw ModelFileError(file: file, problem: problem.description)
            } catch let problem as ShapeError {
                throw ModelFileError(file: file, problem: "the model cannot be written as ONNX: \(problem)")
            }
        #else
            throw ONNXFile.isMissing(file)
        #endif
    }
}

/// ONNX files (<https://onnx.ai>): one message in the form of protocol buffers, with nodes in the order in which they run, and
/// constants.
enum ONNXFile {
    /// Which operators there are, and what they mean.
    static let operatorSet = 17
    /// The version of the format that came with these.
    static let formatVersion = 8

    /// Programs read messages of up to 2 GB.
    static let byteLimit = Int(Int32.max)

    static func isMissing(_ file: String) -> ModelFileError {
        ModelFileError(
            file: file,
            problem:
                "ONNX files need SwiftProtobuf, which this program was built without; build Fovea with its package "
                + "trait 'ProtocolBuffers'")
    }
}
