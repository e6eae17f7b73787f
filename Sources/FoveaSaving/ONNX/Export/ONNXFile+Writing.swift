#if ProtocolBuffers
    import Foundation
    import FoveaGraph
    import FoveaLayers
    import SwiftProtobuf

    extension ONNXFile {
        @Compute
        static func bytes(of saved: SavedModel) throws -> [UInt8] {
            let model = saved.model
            guard model.parameterByteCount <= byteLimit else {
                throw ONNXExportProblem(
                    "its parameters have \(model.parameterByteCount) bytes, an ONNX file at most \(byteLimit); use a smaller "
                        + "model, or another format")
            }
            let graph = try InferenceGraph(of: model)
            var variables: [Variable: TensorValue] = [:]
            for (_, parameter) in model.parameters {
                if let variable = parameter.variable { variables[variable] = try variable.value() }
            }
            var message = try message(of: graph, variables, name: model.displayName)
            if !saved.classNames.isEmpty {
                var entry = ONNXStringEntryProto()
                entry.key = SavedModel.Key.classNames
                entry.value = String(decoding: try JSONEncoder().encode(saved.classNames), as: UTF8.self)
                message.metadataProps = [entry]
            }
            do { return try message.serializedBytes() } catch {
                throw ONNXExportProblem(
                    "it does not fit into an ONNX file, which has at most \(byteLimit) bytes (\(error))")
            }
        }

        private static func message(
            of graph: InferenceGraph, _ variables: [Variable: TensorValue], name: String
        ) throws -> ONNXModelProto {
            var lowering = ONNXLowering(graph, variables: variables)
            let outputNames = try lowering.run()
            var message = ONNXModelProto()
            message.irVersion = Int64(formatVersion)
            message.producerName = "fovea"
            var operators = ONNXOperatorSetProto()
            operators.domain = ""
            operators.version = Int64(operatorSet)
            message.opsetImport = [operators]
            message.graph.name = name
            message.graph.node = lowering.writer.renamedNodes
            message.graph.initializer = lowering.writer.initializers
            message.graph.input = graph.inputs.map { description($0.name, $0.tensor) }
            message.graph.output = zip(outputNames, graph.outputs).map { description($0, $1.tensor) }
            return message
        }

        private static func description(_ name: String, _ tensor: Tensor) -> ONNXValueInfoProto {
            var value = ONNXValueInfoProto()
            value.name = name
            value.type.tensorType.elemType = Int32(tensor.dtype.onnxNumber)
            value.type.tensorType.shape.dim = tensor.shape.dimensions.map { extent in
                var dimension = ONNXDimensionProto()
                if extent >= 0 {
                    dimension.dimValue = Int64(extent)
                } else {
                    dimension.dimParam = extent == Shape.batch ? "batch" : "\(-extent)*batch"
                }
                return dimension
            }
            return value
        }
    }
#endif
