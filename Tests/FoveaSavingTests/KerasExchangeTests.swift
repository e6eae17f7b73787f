import Foundation
import FoveaDatasets
import FoveaFiles
import FoveaGraph
import FoveaTraining
import Testing

@testable import FoveaSaving

/// Fovea's part of `scripts/keras-exchange`, which names the folder. Elsewhere there is nothing to do.
@Suite struct KerasExchangeTests {
    private static let folder = ProcessInfo.processInfo.environment["FOVEA_KERAS_EXCHANGE"]

    private struct Answer: Encodable {
        var outputs: [[Float]]?
        var losses: [Float]?
        var problem: String?
    }

    /// Reads every model of Keras's, predicts, writes it again, and goes on with training.
    @Test(.enabled(if: folder != nil)) func exchange() async throws {
        let folder = try #require(Self.folder)
        var answers: [String: Answer] = [:]
        let names = try FileManager.default.contentsOfDirectory(atPath: folder + "/keras")
            .filter { $0.hasSuffix(".keras") || $0.hasSuffix(".h5") }
        for name in names.sorted() {
            var answer = Answer()
            do {
                let saved = try await SavedModel(contentsOf: "\(folder)/keras/\(name)")
                if !saved.warnings.isEmpty { answer.problem = saved.warnings.joined(separator: "; ") }
                answer.outputs = try await KerasGolden.outputs(of: saved.model)
                if name.hasSuffix(".keras"), !name.hasPrefix("training_") {
                    let stem = "\(folder)/fovea/\(name.dropLast(".keras".count))"
                    _ = try await saved.write(to: stem + ".keras")
                    _ = try await saved.write(to: stem + ".h5")
                }
                if name.hasPrefix("training_") { answer.losses = try await trainFurther(saved, name, folder) }
            } catch { answer.problem = "\(error)" }
            answers[name] = answer
        }
        try AtomicFile.write(Array(JSONEncoder().encode(answers)), to: folder + "/answers.json")
    }

    /// Writes what Keras goes on from after the batches 4 to 8, and returns their losses.
    @Compute
    private func trainFurther(_ saved: SavedModel, _ name: String, _ folder: String) throws -> [Float] {
        let trainer = try saved.compile()
        let losses = try nextLosses(trainer, steps: 4..<9)
        try SavedModel(trainer).write(to: "\(folder)/fovea/\(name)")
        return losses
    }
}
