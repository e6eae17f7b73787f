import Foundation
import Fovea

/// The folder that a training run writes to.
struct ResultsFolder {
    let path: String
    var modelPath: String { path + "/model.safetensors" }

    /// Makes the folder if needed and tries to write in it.
    ///
    /// - Throws: `CommandError` when it cannot be made, `FileError` when it cannot be written to.
    init(_ path: String) throws {
        self.path = path
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw CommandError(
                message: "the output folder '\(path)' cannot be made: \(error.localizedDescription); "
                    + "choose another with --output",
                code: .failure)
        }
        let trial = path + "/.fovea-write-test"
        try AtomicFile.write([], to: trial)
        try? FileManager.default.removeItem(atPath: trial)
    }

    func write(_ text: String, to name: String) throws {
        try AtomicFile.write(Array(text.utf8), to: "\(path)/\(name)")
    }

    func write(_ model: SavedModel) async throws { try await model.write(to: modelPath) }
}
