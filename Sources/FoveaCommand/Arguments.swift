import ArgumentParser
import Foundation
import Fovea

/// What to say about a name that is none of those known.
func unknown(_ what: String, _ name: String, among known: [String]) -> String {
    let hint = nearestName(to: name, among: known).map { "did you mean '\($0)'? " } ?? ""
    return "unknown \(what) '\(name)'; \(hint)known: \(known.joined(separator: ", "))"
}

/// The case that an argument names.
///
/// - Throws: `ValidationError` with the nearest name and all known ones.
func named<Choice: RawRepresentable & CaseIterable>(
    _ name: String, _ what: String, of: Choice.Type = Choice.self
) throws -> Choice where Choice.RawValue == String {
    guard let choice = Choice(rawValue: name) else {
        throw ValidationError(unknown(what, name, among: Choice.allCases.map(\.rawValue)))
    }
    return choice
}

/// Checks that a count makes sense. Negative ones get here because their options take values that begin with '-'.
func checkPositive(_ option: String, _ value: Int?) throws {
    if let value, value < 1 { throw ValidationError("\(option) must be positive, not \(value)") }
}

/// The path of a file or folder that an option gives: one that is empty, as an unset variable of a script is, would be taken for
/// another or fail late.
func filePath(_ text: String) throws -> String {
    guard !text.isEmpty else { throw ValidationError("a path cannot be empty") }
    return text
}

/// The command as it was given, to be given to a shell again.
var givenCommand: String {
    let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./=,:+@%")
    let arguments = CommandLine.arguments.dropFirst().map { argument in
        !argument.isEmpty && argument.allSatisfy(plain.contains)
            ? argument : "'\(argument.replacing("'", with: #"'\''"#))'"
    }
    return (["fovea"] + arguments).joined(separator: " ")
}

func checkLoaderThreads(_ count: Int?) throws {
    if let count, !(0...256).contains(count) {
        throw ValidationError(
            "--loader-threads must be from 0 (none beside the training itself) to 256, not \(count)")
    }
}

/// Says something on standard output. Names in it may come from anywhere.
func say(_ text: String, terminator: String = "\n") { StandardStreams.write(visibleLines(text) + terminator) }

/// Says something on standard error that ends nothing.
func warn(_ message: String) { StandardStreams.writeError(visibleLines(message) + "\n") }

/// Says why computation uses fewer threads than was asked for, if it does.
func warnOfThreadShortage() {
    if let shortage = (try? Device.cpu.backend)?.threadShortage {
        warn("Computing on fewer threads: \(shortage)")
    }
}

/// The model in a file. Parameters with numbers that are not finite are named on standard error.
///
/// - Parameters:
///   - inputShape: one example's shape, where the file leaves extents open.
///   - advice: what to do about a file with weights alone.
func savedModel(
    _ path: String, inputShape: Shape? = nil,
    withoutModel advice: String =
        "make a model file of it with `fovea convert FILE model.safetensors --network NAME`"
) async throws -> SavedModel {
    let saved: SavedModel
    do {
        saved = try await SavedModel(contentsOf: path, inputShape: inputShape)
    } catch let error as ModelFileError where error.holdsWeightsAlone {
        throw CommandError(
            "\(path): it holds weights but not the model that they are of; \(advice), the network's name or a file with its "
                + "architecture")
    }
    let damaged = try await saved.model.parametersNotFinite()
    for (name, count, total) in damaged.prefix(5) {
        warn("\(path): \(count) of the \(total) numbers of parameter '\(visible(name))' are NaN or infinite")
    }
    if damaged.count > 5 { warn("\(path): and so are numbers of \(damaged.count - 5) more parameters") }
    return saved
}

extension Evaluation {
    /// - Throws: `CommandError` when a figure is NaN or infinite, which no one should take for a result.
    func checkFinite(_ file: String) throws {
        let figures = [("loss", loss)] + metrics.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        let broken = figures.filter { !$0.1.isFinite }
        guard !broken.isEmpty else { return }
        throw CommandError(
            "\(file): on the test images \(broken.map { "the \($0.0) is \($0.1)" }.joined(separator: ", ")): the model "
                + "does not answer with numbers. Train it again, with a smaller learning rate or inputs of a smaller range"
        )
    }
}

/// What chooses algorithms by timing them, and remembers.
func makeTuner() -> Tuner {
    let file = DatasetLibrary().cacheDirectory.map { $0 + "/autotune.json" }
    if file == nil {
        warn(
            "--autotune: no folder is known for the times measured, so they are not kept; set FOVEA_CACHE or HOME"
        )
    }
    return Tuner(cacheFile: file, version: FoveaCommand.version) { warn("--autotune: \($0)") }
}

extension ArgumentHelp {
    static let autotune = ArgumentHelp(
        "Time the algorithms for each convolution and product, take the fastest, and remember.",
        discussion: "The times are kept in the cache folder, for the same CPU, threads and versions.")
}

extension NamedNetwork {
    static let listOfNames = allCases.map(\.rawValue).joined(separator: ", ")
}

/// Loads a data set, showing downloads as they go on.
func load(_ name: DatasetName) async throws -> NamedDataset {
    let progress = DownloadPrinter()
    defer { progress.finish() }
    return try await DatasetLibrary(progress: { progress.show($0) }).load(name)
}
