import Foundation
import Fovea

/// The folder that a training run writes to; and where its results go when they cannot be written there.
struct ResultsFolder {
    /// As it was asked for.
    let path: String
    /// Whether this process writes to it: not where the first of several does.
    private let isWritten: Bool
    private let checkpoint: String?
    /// The folders that were made for it, the uppermost first.
    private var made: [String] = []
    private var failures: [FileError] = []
    /// The folders that were written to instead.
    private var others: [String] = []
    /// What could not be written at all.
    private var lost: [String] = []

    private static let model = "model.safetensors"

    /// Where the model is, or is going to be.
    private(set) var modelPath: String

    /// What could not be written where it should be, and where it is; nil when all could.
    var problem: String? {
        guard !failures.isEmpty else { return nil }
        var sentences = [failures.map(\.description).joined(separator: "; ")]
        if !others.isEmpty {
            sentences.append("What could not be written there is in \(others.joined(separator: " and in "))")
        }
        if !lost.isEmpty {
            sentences.append(
                "\(lost.joined(separator: " and ")) could not be written to a new folder either, in any of "
                    + places.joined(separator: ", "))
        }
        if let checkpoint, access(checkpoint, F_OK) == 0 {
            sentences.append("The same command tries again from \(checkpoint)")
        }
        return sentences.joined(separator: ". ")
    }

    /// Where a new folder is made for what cannot be written: the first that works.
    private var places: [String] {
        [checkpoint.map(folder(of:)), "./", NSTemporaryDirectory(), NSHomeDirectory()].compactMap(\.self)
    }

    /// What is written beside the model.
    enum Report: String, CaseIterable {
        case history = "history.csv"
        case metrics = "metrics.json"
    }

    /// Finds out whether the results can be written to the folder. Leaves none that was not there.
    ///
    /// - Parameters:
    ///   - path: the folder.
    ///   - checkpoint: the file that training can go on from: a place that can be written to, most likely.
    ///   - best: the file of the best model, if it is asked for.
    ///   - isWritten: whether this process writes to the folder.
    /// - Throws: `CommandError` when it cannot be made or two of the files would be one, `FileError` when it cannot be written
    ///   to.
    init(_ path: String, checkpoint: String?, best: String? = nil, isWritten: Bool = true) throws {
        self.path = path
        self.isWritten = isWritten
        self.checkpoint = checkpoint
        modelPath = "\(path)/\(Self.model)"
        if let checkpoint, contains(checkpoint) {
            throw CommandError(
                "--checkpoint \(checkpoint) is where a result of the training goes; choose another name")
        }
        if let best, contains(best) {
            throw CommandError(
                "--save-best \(best) is where a result of the training goes; choose another name")
        }
        if let best, let checkpoint, Self.resolved(best) == Self.resolved(checkpoint) {
            throw CommandError("--save-best and --checkpoint are the same file, \(best); choose another name")
        }
        try make()
        removeIfEmpty()
    }

    /// Makes the folder if needed, not before the data is read, which might be beside it.
    ///
    /// - Parameter byteCount: for how many bytes of a model there should be room.
    /// - Throws: as `init`.
    mutating func make(byteCount: Int = 0) throws {
        guard isWritten else { return }
        do throws(SystemError) { made = try makeFolder(path) } catch {
            throw CommandError(
                "the output folder '\(path)' cannot be made: \(error); choose another with --output")
        }
        do {
            try AtomicFile.checkWritable(modelPath, byteCount: byteCount)
            for report in Report.allCases { try AtomicFile.checkWritable("\(path)/\(report.rawValue)") }
        } catch {
            removeIfEmpty()
            throw error
        }
    }

    /// Whether a path, however it is written, is that of a result.
    private func contains(_ other: String) -> Bool {
        let names = [Self.model] + Report.allCases.map(\.rawValue)
        return names.contains { Self.resolved("\(path)/\($0)") == Self.resolved(other) }
    }

    private static func resolved(_ path: String) -> String {
        let url = URL(fileURLWithPath: path)
        return url.deletingLastPathComponent().resolvingSymlinksInPath()
            .appendingPathComponent(url.lastPathComponent).path
    }

    /// Takes away again what was made and got nothing.
    mutating func removeIfEmpty() {
        for folder in made.reversed() { rmdir(folder) }
        made = []
    }

    /// Writes the model and takes away the reports on the one that was there before.
    ///
    /// - Throws: `CommandError` when there is no place that it can be written to.
    mutating func write(_ model: SavedModel) async throws {
        guard let file = try await place(Self.model, { try await model.write(to: $0) }) else {
            throw CommandError(problem ?? "")
        }
        modelPath = file
        for report in Report.allCases { unlink("\(folder(of: modelPath))\(report.rawValue)") }
    }

    mutating func write(_ text: String, to report: Report) async throws {
        _ = try await place(report.rawValue) { try AtomicFile.write(Array(text.utf8), to: $0) }
    }

    /// Writes a file into the folder; when that cannot be, into one made elsewhere, as all that follows.
    ///
    /// - Returns: its path; nil when there is no place that it can be written to.
    private mutating func place(
        _ name: String, _ write: (String) async throws -> Void
    ) async throws -> String? {
        // Somebody may have removed it meanwhile.
        if others.isEmpty { _ = try? makeFolder(path) }
        do {
            let file = "\(others.last ?? path)/\(name)"
            try await write(file)
            return file
        } catch let error as FileError {
            failures.append(error)
        }
        for place in places {
            guard let folder = newFolder(in: place) else { continue }
            do {
                try await write("\(folder)/\(name)")
                others.append(folder)
                return "\(folder)/\(name)"
            } catch is FileError {
                rmdir(folder)
            }
        }
        lost.append(name)
        return nil
    }

    /// A new folder in another one; nil when it cannot be made.
    private func newFolder(in folder: String) -> String? {
        var template = "\(folder.hasSuffix("/") ? folder : folder + "/")fovea-results-XXXXXX".utf8CString.map(
            \.self)
        return template.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.flatMap { mkdtemp($0) }.map { String(cString: $0) }
        }
    }
}
