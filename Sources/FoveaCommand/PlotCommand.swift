import ArgumentParser
import Foundation
import Fovea

struct PlotCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plot", abstract: "Draw the curves of training runs.",
        usage: "fovea plot <run> ... --output <file> [<options>]",
        discussion: """
            A run is a folder that 'fovea train --output' has written, or a table of epochs such as its history.csv or one of \
            Keras's CSVLogger. Each metric has a panel: of one run with training, validation and the best epoch, of several with a \
            colour for each run, training in broken lines.
            """)

    @Argument(help: "Folders of runs, or tables of epochs (.csv).", transform: filePath)
    var runs: [String]

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("What to draw, such as loss,accuracy (default: all).", valueName: "names"))
    var metrics: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Smooth curves: the share, below 1, of a value that comes from those before it, such as 0.8.",
            valueName: "factor"))
    var smooth = 0.0

    @Flag(help: "Draw losses on a logarithmic scale.")
    var log = false

    @OptionGroup var figure: FigureOptions

    func validate() throws {
        guard !runs.isEmpty else { throw ValidationError("name at least one run") }
        guard figure.areGiven else { throw ValidationError("say where it goes: --output FILE, or --show") }
        guard smooth >= 0, smooth < 1 else {
            throw ValidationError("--smooth must be at least 0 and below 1, not \(smooth)")
        }
    }

    func run() throws {
        try figure.check()
        var curves: [TrainingCurve] = []
        var failures: [String] = []
        for (name, path) in zip(names, runs) {
            do {
                curves.append(TrainingCurve(name, try history(path)))
            } catch {
                failures.append("\(error)")
            }
        }
        guard !curves.isEmpty else { throw CommandError(failures.joined(separator: "\n")) }
        // A folder of runs often has others beside them.
        for failure in failures { warn(failure) }
        let chosen = metrics?.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
        try figure.deliver(
            Figure.curves(
                curves, metrics: chosen, smoothing: smooth, scale: log ? .log : .linear,
                title: curves.count == 1 ? curves[0].name : "", theme: figure.chosenTheme))
    }

    /// What runs are called: their folders' names, or the paths where these are the same.
    private var names: [String] {
        let short = runs.map { path -> String in
            let url = URL(fileURLWithPath: path)
            let last = url.lastPathComponent
            return last == "history.csv" ? url.deletingLastPathComponent().lastPathComponent : last
        }
        return Set(short).count == short.count ? short : runs
    }

    private func history(_ path: String) throws -> History {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        let file = exists && isFolder.boolValue ? "\(path)/history.csv" : path
        let text = String(decoding: try AtomicFile.read(file), as: UTF8.self)
        do {
            let history = try History(csv: text)
            guard !history.epochs.isEmpty else { throw CommandError("\(file): the table has no epoch") }
            return history
        } catch let error as TrainingError {
            throw CommandError("\(file): \(error)")
        }
    }
}
