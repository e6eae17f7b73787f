#if ProtocolBuffers
    import Foundation
    import FoveaFiles
    import FoveaGraph
    import FoveaLayers
    import SwiftProtobuf

    extension ONNXFile {
        /// The newest version of the operators that is read.
        static let newestOperatorSet = 25

        static func message(_ bytes: [UInt8], file: String) throws(ModelFileError) -> ONNXModelProto {
            guard !ONNXSize.isTooLarge(bytes) else {
                throw ModelFileError(
                    file: file,
                    problem: "it has more than \(ONNXSize.partLimit) parts, more than any model needs")
            }
            let message: ONNXModelProto
            do { message = try ONNXModelProto(serializedBytes: bytes) } catch {
                throw ModelFileError(
                    file: file,
                    problem: "it is no ONNX file, or a damaged one: its parts cannot be told apart")
            }
            guard message.hasGraph else {
                throw ModelFileError(
                    file: file, problem: "there is no graph in it; it is no ONNX file, or a damaged one")
            }
            return message
        }

        /// The model in a file, built.
        @Compute
        static func model(_ bytes: [UInt8], file: String, inputShape: Shape?) throws -> SavedModel {
            let message = try message(bytes, file: file)
            var importer = try ONNXImporter(message, file: file, inputShape: inputShape)
            let model = try importer.model()
            for (parameter, value) in importer.weights {
                do { try parameter.variable?.assign(value) } catch {
                    throw ModelFileError(file: file, problem: "a weight does not fit its layer: \(error)")
                }
            }
            return SavedModel(model, classNames: try classNames(message, file: file))
        }

        private static func classNames(_ message: ONNXModelProto, file: String) throws -> [String] {
            guard
                let text = message.metadataProps.first(where: { $0.key == SavedModel.Key.classNames })?.value
            else {
                return []
            }
            guard BoundedJSON.problem(in: text) == nil,
                let names = try? JSONDecoder().decode([String].self, from: Data(text.utf8))
            else { throw ModelFileError(file: file, problem: "the names of its classes cannot be read") }
            return names
        }
    }
#endif
