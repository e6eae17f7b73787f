import Foundation
import Fovea

/// The folder that a training run writes to.
struct ResultsFolder {
    let path: String
    private let wasMade: Bool
    var modelPath: String { path + "/model.safetensors" }

    /// What is written beside the model.
    enum Report: String, CaseIterable {
        case history = "history.csv"
        case metrics = "metrics.json"
    }

    /// Makes the folder if needed and finds out whether the results can be written to it.
    ///
    /// - Throws: `CommandError` when it cannot be made, `FileError` when it cannot be written to.
    init(_ path: String) throws {
        self.path = path
        wasMade = access(path, F_OK) != 0
        try Self.makeFolder(path)
        for file in files { try AtomicFile.checkWritable(file) }
    }

    private var files: [String] { [modelPath] + Report.allCases.map { "\(path)/\($0.rawValue)" } }

    /// Whether a path, however it is written, is that of a result.
    func contains(_ other: String) -> Bool {
        func resolved(_ path: String) -> String {
            let url = URL(fileURLWithPath: path)
            return url.deletingLastPathComponent().resolvingSymlinksInPath()
                .appendingPathComponent(url.lastPathComponent).path
        }
        return files.contains { resolved($0) == resolved(other) }
    }

    /// Takes the folder away again where it was made and got nothing.
    func removeIfEmpty() { if wasMade { rmdir(path) } }

    private static func makeFolder(_ path: String) throws {
        let ends = path.utf8.indices.dropFirst().filter { path.utf8[$0] == UInt8(ascii: "/") }
        for end in ends + [path.endIndex] {
            let folder = String(path[..<end])
            guard mkdir(folder, 0o777) == 0 || errno == EEXIST else {
                throw CommandError(
                    "the output folder '\(path)' cannot be made: \(String(cString: strerror(errno))); choose "
                        + "another with --output")
            }
        }
    }

    /// Writes the model and takes away the reports on the one that was there before.
    func write(_ model: SavedModel) async throws {
        try await model.write(to: modelPath)
        for report in Report.allCases { unlink("\(path)/\(report.rawValue)") }
    }

    func write(_ text: String, to report: Report) throws {
        try AtomicFile.write(Array(text.utf8), to: "\(path)/\(report.rawValue)")
    }
}
