import Foundation
import Fovea

/// What a folder that `fovea train --output` wrote has of a run. What cannot be read is missing, and why is said.
struct TrainedRun {
    let folder: String
    let model: SavedModel?
    let history: History?
    let metrics: MetricsFile?
    /// Why something is missing.
    let problems: [String]

    static let modelFile = "model.safetensors"

    /// - Throws: `CommandError` when the folder is none or has nothing of a run.
    init(_ folder: String) async throws {
        var isFolder = ObjCBool(false)
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) else {
            throw CommandError(
                "\(folder): there is no such folder; name one that 'fovea train --output' wrote")
        }
        guard isFolder.boolValue else {
            throw CommandError("\(folder) is no folder; name the one that 'fovea train --output' wrote")
        }
        self.folder = folder
        var problems: [String] = []
        func read<Value>(_ name: String, _ body: (String) async throws -> Value) async -> Value? {
            let path = "\(folder)/\(name)"
            guard FileManager.default.fileExists(atPath: path) else {
                problems.append("There is no \(name).")
                return nil
            }
            do { return try await body(path) } catch {
                problems.append("\(name) cannot be read: \(error)")
                return nil
            }
        }
        model = await read(Self.modelFile) { try await savedModel($0) }
        history = await read(ResultsFolder.Report.history.rawValue) {
            try History(csv: String(decoding: AtomicFile.read($0), as: UTF8.self))
        }
        metrics = await read(ResultsFolder.Report.metrics.rawValue) { try MetricsFile(contentsOf: $0) }
        self.problems = problems
        if model == nil, history == nil, metrics == nil {
            throw CommandError(
                "\(folder): has nothing of a training run. \(problems.joined(separator: " ")) Name a folder that "
                    + "'fovea train --output' wrote")
        }
    }

    /// The files in the folder, hidden ones left out, with their sizes and SHA-256.
    ///
    /// - Parameter other: a file that is none of the run.
    func files(except other: String) -> (rows: [[String]], leftOutCount: Int) {
        func resolved(_ path: String) -> String { URL(fileURLWithPath: path).resolvingSymlinksInPath().path }
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted().filter {
            !$0.hasPrefix(".") && resolved("\(folder)/\($0)") != resolved(other)
        }
        let limit = 50
        let rows = names.prefix(limit).compactMap { name -> [String]? in
            // Folders are none.
            guard let bytes = try? AtomicFile.read("\(folder)/\(name)") else { return nil }
            let digest = bytes.withUnsafeBytes(Digest.sha256).map(Digest.hexadecimal)
            return [name, grouped(bytes.count), digest ?? "?"]
        }
        return (rows, max(0, names.count - limit))
    }
}

/// What `metrics.json` says. Those of older versions have less, and anybody may have written it.
struct MetricsFile {
    private let values: Configuration

    init(contentsOf path: String) throws {
        values = try Configuration(json: AtomicFile.read(path), what: "list of figures", file: path)
    }

    func text(_ key: String) -> String? { values[key].flatMap(Self.text) }

    func number(_ key: String) -> Double? {
        switch values[key] {
        case .integer(let number): Double(number)
        case .number(let number): number
        default: nil
        }
    }

    /// The names and versions of what computed.
    var versions: [RunReport.Fact] {
        guard case .object(let members) = values["versions"] else { return [] }
        return members.sorted { $0.key < $1.key }.compactMap { name, value in
            Self.text(value).map { RunReport.Fact(name.replacing("_", with: " "), $0) }
        }
    }

    /// What has a place of its own on the page.
    private static let known: Set = [
        "dataset", "network", "test_accuracy", "test_loss", "epochs", "batch_size", "optimizer",
        "learning_rate", "seconds", "images_per_second", "threads", "command", "schedule",
    ]

    /// How the model was made.
    var settings: [RunReport.Fact] {
        var facts: [RunReport.Fact] = []
        func add(_ name: String, _ parts: [String?]) {
            let parts = parts.compactMap(\.self)
            if !parts.isEmpty { facts.append(RunReport.Fact(name, parts.joined(separator: ", "))) }
        }
        add("data", [text("dataset")])
        add("network", [text("network")])
        add("epochs", [text("epochs"), text("batch_size").map { "batches of \($0)" }])
        add(
            "optimizer",
            [
                text("optimizer"), text("learning_rate").map { "learning rate \($0)" },
                text("schedule").map { "schedule \($0)" },
            ])
        for (key, value) in values.sorted(by: { $0.key < $1.key }) where !Self.known.contains(key) {
            add(key.replacing("_", with: " "), [Self.text(value)])
        }
        add(
            "time",
            [
                number("seconds").map(duration),
                text("threads").map { $0 == "1" ? "1 thread" : "\($0) threads" },
                number("images_per_second").map { "\(grouped($0)) images per second" },
            ])
        return facts
    }

    /// Nil for lists and objects.
    private static func text(_ value: ConfigurationValue) -> String? {
        switch value {
        case .string(let text): text
        case .integer(let number): "\(number)"
        case .number(let number): String(format: "%.6g", number)
        case .bool(let isSo): isSo ? "yes" : "no"
        case .null, .list, .object: nil
        }
    }
}

/// A whole number in groups of three digits.
func grouped(_ number: Int) -> String {
    let digits = String(number.magnitude)
    let groups = digits.enumerated().map { place, digit in
        (place > 0 && (digits.count - place) % 3 == 0 ? "," : "") + String(digit)
    }
    return (number < 0 ? "-" : "") + groups.joined()
}

/// Rounded; numbers that no counter has as they are.
private func grouped(_ number: Double) -> String {
    Int(exactly: number.rounded()).map(grouped) ?? "\(number)"
}

/// Such as `24.5 s`, `12 min` or `3.5 h`.
func duration(_ seconds: Double) -> String {
    switch seconds {
    case ..<100: String(format: "%.1f s", seconds)
    case ..<6_000: String(format: "%.0f min", seconds / 60)
    default: String(format: "%.1f h", seconds / 3_600)
    }
}
