import Foundation
import FoveaFiles
import FoveaGraph
import FoveaLayers
import FoveaTraining
import TestSupport
import Testing

@testable import FoveaSaving

#if ProtocolBuffers
    /// Files made by ONNX's own tools, as models of Fovea's.
    ///
    /// `make_onnx.py` wrote them, with what ONNX Runtime computes. It can do so for other files, too, in the folder that the
    /// environment's `FOVEA_ONNX_FILES` names.
    @Suite struct ONNXImportTests {
        static let folder =
            Bundle.module.resourcePath.map { $0 + "/Fixtures/ONNX" } ?? ""
        static let files = [
            "activations", "channels_last_input", "merging", "movements", "normalizations", "old",
            "sequences",
            "windows",
        ].map { "\(folder)/\($0)" }
        static let others: [String] = {
            guard let folder = ProcessInfo.processInfo.environment["FOVEA_ONNX_FILES"] else { return [] }
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            return names.filter { $0.hasSuffix(".onnx") }.sorted().map { "\(folder)/\($0.dropLast(5))" }
        }()

        @Test(arguments: files + others) func theModelComputesWhatTheFileDoes(path: String) async throws {
            let saved = try await SavedModel(contentsOf: path + ".onnx")
            try await check(saved.model, path, "imported")
            try await inTemporaryFolder { folder in
                // As a file of Fovea's, which all of its layers can be in.
                try await saved.write(to: folder + "/m.safetensors")
                try await check(SavedModel(contentsOf: folder + "/m.safetensors").model, path, "saved")
                try await saved.write(to: folder + "/m.onnx")
                let again = try await SavedModel(contentsOf: folder + "/m.onnx")
                try await check(again.model, path, "exported")
                #expect(again.model.modelInputs.map(\.name) == saved.model.modelInputs.map(\.name))
            }
        }

        private func check(_ model: any ModelProtocol, _ path: String, _ what: String) async throws {
            let file = try Safetensors(contentsOf: path + ".safetensors")
            let values = Dictionary(file.tensors.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
            let inputs = try model.modelInputs.indices.map { try #require(values["in:\($0)"]) }
            let outputs = try await model.predict(inputs)
            #expect(outputs.count == values.keys.count { $0.hasPrefix("out:") })
            for (index, output) in outputs.enumerated() {
                let expected = try #require(values["out:\(index)"])
                #expect(output.shape == expected.shape, "\(what), output \(index)")
                let scale = max(1, expected.floats.map(abs).max() ?? 1)
                let error = zip(output.floats, expected.floats).map { abs($0 - $1) }.max() ?? 0
                #expect(error / scale < 1e-5, "\(what), output \(index)")
            }
        }
    }
#endif
