import ArgumentParser
import Foundation
import Fovea

struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Make a page about a training run: results, curves, errors, filters.",
        usage: "fovea report <run> [--output <file>] [--data <data set or folder>]",
        discussion: """
            The page is one HTML file that needs nothing beside it. Confusions and the most wrong pictures are measured on the \
            test images of what the run was trained on, where they are on this machine, or on those of --data; nothing is \
            downloaded unless --data asks for it. What the run's folder lacks is left out, and the page says so.
            """)

    @Argument(help: "A folder that 'fovea train --output' has written.", transform: filePath)
    var run: String

    @Option(
        help: ArgumentHelp(
            "Where the page goes (default: report.html in the run's folder).", valueName: "file"),
        transform: filePath)
    var output: String?

    @Option(
        help: ArgumentHelp(
            "What to measure on: a data set's name, or a folder of pictures (default: what the run was trained on).",
            valueName: "name or folder"))
    var data: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many of the most wrong pictures to show, from 0 to 100.", valueName: "count"))
    var worst = 12

    func validate() throws {
        guard (0...100).contains(worst) else {
            throw ValidationError("--worst must be from 0 to 100 pictures, not \(worst)")
        }
        if let output, !output.hasSuffix(".html"), !output.hasSuffix(".htm") {
            throw ValidationError("--output \(output): the page is HTML, so its name must end with .html")
        }
        if let data { _ = try DataSource(data) }
    }

    private var page: String { output ?? "\(run)/report.html" }

    func run() async throws {
        let run = try await TrainedRun(run)
        try AtomicFile.checkWritable(page)
        for problem in run.problems { warn("\(run.folder): \(problem)") }
        let measured = try await Measured(run, data)
        if let missing = measured.missing { warn("\(run.folder): \(missing)") }

        var report = RunReport(
            title: URL(fileURLWithPath: run.folder).standardizedFileURL.lastPathComponent,
            subtitle: subtitle(run))
        report.results = results(run, measured)
        report.sections.append(try origin(run, measured))
        if let history = run.history { report.sections.append(.curves(of: history)) }
        if let answers = measured.answers, let images = measured.images, let model = run.model?.model {
            var classes = RunReport.Section.classes(of: answers)
            classes.contents.insert(
                .text("Measured on \(answers.answers.count) \(images.description)."), at: 0)
            report.sections.append(classes)
            if worst > 0 {
                report.sections.append(
                    try await .worst(
                        worst, of: answers, examples: images.examples, model: model, name: images.shortName))
            }
        }
        if let model = run.model?.model {
            if let filters = await RunReport.Section.filters(of: model) { report.sections.append(filters) }
            report.sections.append(.layers(of: model))
        }
        report.sections += [files(run), versions(run)]
        try report.write(to: page)
        say(page)
    }

    private func subtitle(_ run: TrainedRun) -> String {
        guard let network = run.metrics?.text("network"), let data = run.metrics?.text("dataset") else {
            return run.model?.model.displayName ?? ""
        }
        return "\(network) trained on \(data)"
    }

    private func results(_ run: TrainedRun, _ measured: Measured) -> [RunReport.Fact] {
        var facts: [RunReport.Fact] = []
        if let answers = measured.answers, !answers.answers.isEmpty, data != nil {
            facts.append(
                RunReport.Fact(
                    "accuracy on \(data ?? "")", String(format: "%.4f", answers.confusion.accuracy)))
        }
        for (key, name) in [("test_accuracy", "test accuracy"), ("test_loss", "test loss")] {
            if let number = run.metrics?.number(key) {
                facts.append(RunReport.Fact(name, String(format: "%.4f", number)))
            }
        }
        if facts.isEmpty, let answers = measured.answers, !answers.answers.isEmpty {
            facts.append(RunReport.Fact("accuracy", String(format: "%.4f", answers.confusion.accuracy)))
        }
        if let epochs = run.history?.epochs.count { facts.append(RunReport.Fact("epochs", "\(epochs)")) }
        if let seconds = run.metrics?.number("seconds") {
            facts.append(RunReport.Fact("training", duration(seconds)))
        }
        if let model = run.model?.model {
            let count = model.parameters.map(\.parameter.elementCount).reduce(0, +)
            facts.append(RunReport.Fact("parameters", grouped(count)))
        }
        return facts
    }

    /// How it was made, and what is missing.
    private func origin(_ run: TrainedRun, _ measured: Measured) throws -> RunReport.Section {
        var contents = (run.problems + [measured.missing].compactMap(\.self)).map(RunReport.Content.note)
        if let count = measured.leftOutCount, count > 0 {
            let pictures = count == 1 ? "picture" : "pictures"
            contents.append(.note("Left out: \(count) \(pictures) that cannot be read."))
        }
        guard let metrics = run.metrics else {
            contents.append(.text("How the model was made is not known."))
            return RunReport.Section("How it was made", contents)
        }
        if let accuracy = measured.answers?.confusion.accuracy, data == nil,
            let stated = metrics.number("test_accuracy"), abs(stated - accuracy) > 5e-4
        {
            contents.append(
                .note(
                    "The test accuracy is \(String(format: "%.4f", accuracy)) now, but was \(String(format: "%.4f", stated)) "
                        + "after training: the data or the model have changed since."))
        }
        contents.append(.facts(metrics.settings))
        if let command = metrics.text("command") { contents += [.text("The command:"), .lines(command)] }
        return RunReport.Section("How it was made", contents)
    }

    private func files(_ run: TrainedRun) -> RunReport.Section {
        let (rows, leftOutCount) = run.files(except: page)
        return RunReport.Section(
            "Files",
            [.table(headings: ["File", "Bytes", "SHA-256"], rows: rows)]
                + (leftOutCount > 0 ? [.text("… and \(leftOutCount) more.")] : []))
    }

    private func versions(_ run: TrainedRun) -> RunReport.Section {
        var contents: [RunReport.Content] = []
        if let versions = run.metrics?.versions, !versions.isEmpty {
            contents += [.text("What trained the model:"), .facts(versions)]
        }
        return RunReport.Section(
            "Versions", contents + [.text("This page was made by fovea \(FoveaCommand.version).")])
    }
}

/// How a run's model answers test images.
private struct Measured {
    var images: TestImages?
    var answers: ClassificationReport?
    /// Why there are no answers.
    var missing: String?
    /// How many pictures could not be read.
    var leftOutCount: Int?

    /// - Parameter data: what was asked for; when nil what the run was trained on, if it is there.
    /// - Throws: when what was asked for cannot be measured on.
    init(_ run: TrainedRun, _ data: String?) async throws {
        guard let saved = run.model else {
            missing = "Without a model nothing is measured."
            return
        }
        do {
            if let data {
                images = try await TestImages(data, for: saved, file: run.folder)
            } else {
                images = try Self.images(of: run, saved)
            }
            guard let images else {
                missing =
                    "There are no test images of what the model was trained on, so no confusions and wrong answers are shown. "
                    + "Name others with --data."
                return
            }
            let shape = try saved.model.inputShape
            let failed = FailedElements()
            answers = try await Predictor(saved.model, classNames: images.classNames).report(
                on: images.examples, batchSize: (1...64 * 64 * 3).contains(shape.elementCount) ? 250 : 32,
                onError: .skip(failed))
            leftOutCount = failed.count
        } catch {
            if data != nil { throw error }
            missing = "Nothing was measured: \(error)"
        }
    }

    /// The test images of what a run was trained on; of a folder without, those to validate with.
    private static func images(of run: TrainedRun, _ saved: SavedModel) throws -> TestImages? {
        guard let dataset = run.metrics?.text("dataset") else { return nil }
        switch try DataSource(dataset) {
        case .named(let name):
            return try DatasetLibrary().installed(name).map { try TestImages($0, for: saved) }
        case .folder(let path):
            guard let splits = try ImageFolder.splits(of: path) else { return nil }
            if let test = splits.test {
                return try TestImages(test, called: "test pictures of \(path)", for: saved, file: run.folder)
            }
            return try splits.validation.map {
                try TestImages($0, called: "validation pictures of \(path)", for: saved, file: run.folder)
            }
        }
    }
}
