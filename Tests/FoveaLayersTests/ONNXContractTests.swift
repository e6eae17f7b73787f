import Foundation
import FoveaGraph
import FoveaLayers
import FoveaSaving
import FoveaTraining
import Testing

#if ProtocolBuffers
    /// Every layer can be written for programs that run ONNX files.
    ///
    /// `check_onnx.py` runs what this leaves in the folder that the environment's `FOVEA_ONNX_FOLDER` names.
    @Suite struct ONNXContractTests {
        private static let folder = ProcessInfo.processInfo.environment["FOVEA_ONNX_FOLDER"]

        @Test(arguments: ContractCase.all) func everyLayerIsWritten(row: ContractCase) async throws {
            let model = try await row.model()
            try await write(model, row.feeds(batch: 3), as: "\(row.number)-\(row.layerType.typeName)")
        }

        @Test(arguments: ActivationFunction.allCases) func everyActivationIsWritten(
            function: ActivationFunction
        ) async throws {
            let images = LayerOutput.input("x0", [3, 4, 5])
            let model = try Model(
                inputs: [images],
                outputs: [Conv2D(filters: 4, kernelSize: 2, activation: function)(images)])
            let feeds = ["x0": try hashed(3, [2, 3, 4, 5])]
            try await write(model, feeds, as: "activation-\(function.rawValue)")
        }

        private func write(_ model: Model, _ feeds: [String: TensorValue], as name: String) async throws {
            let folder = Self.folder ?? NSTemporaryDirectory() + "fovea-onnx-\(UUID().uuidString)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            defer { if Self.folder == nil { try? FileManager.default.removeItem(atPath: folder) } }
            try await SavedModel(model).write(to: "\(folder)/\(name).onnx")
            let inputs = try model.modelInputs.map { try #require(feeds[$0.name]) }
            let outputs = try await model.predict(inputs)
            var values = Safetensors()
            values.tensors = zip(model.modelInputs, inputs).map { ("in:" + $0.name, $1) }
            values.tensors += zip(model.namedOutputs, outputs).map { ("out:" + $0.name, $1) }
            try values.write(to: "\(folder)/\(name).safetensors")
        }
    }
#endif
