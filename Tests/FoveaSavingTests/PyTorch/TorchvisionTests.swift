import Foundation
import FoveaGraph
import FoveaLayers
import FoveaModels
import FoveaOneDNN
import FoveaTraining
import Testing

@testable import FoveaSaving

/// torchvision's networks, as `compare_torchvision.py` writes them to a folder, give the same outputs here.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["FOVEA_TORCHVISION"] != nil))
struct TorchvisionTests {
    @Test func outputsAreTheSame() async throws {
        let folder = try #require(ProcessInfo.processInfo.environment["FOVEA_TORCHVISION"])
        for network in NamedNetwork.allCases where network.torchMapping != nil {
            let path = "\(folder)/\(network.rawValue)"
            guard FileManager.default.fileExists(atPath: path + ".pth") else { continue }
            let values = Dictionary(
                uniqueKeysWithValues: try Safetensors(contentsOf: path + ".outputs.safetensors").tensors
                    .map { ($0.name, $0.value) })
            let images = try #require(values["images"])
            let expected = try #require(values["outputs"])
            let size = Shape(Array(images.shape.dimensions.dropFirst()))
            for ending in [".pth", ".safetensors"] {
                let model = try network.model(input: size)
                try await model.loadWeights(from: path + ending)
                let output = try await model.predict(images)
                let largest = expected.floats.max() ?? 1
                let difference = zip(output.floats, expected.floats).map { abs($0 - $1) }.max() ?? .infinity
                print("\(network.rawValue)\(ending): largest difference \(difference) of \(largest)")
                #expect(difference < 1e-5 * max(1, largest), "\(network)")
            }
        }
    }
}
