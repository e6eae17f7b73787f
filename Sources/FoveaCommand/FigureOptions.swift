import ArgumentParser
import Foundation
import Fovea

/// Where a figure goes.
struct FigureOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("Write it to this file: .png, .svg or .pdf.", valueName: "file"),
        transform: filePath)
    var output: String?

    @Flag(help: "Show it in the terminal: as a picture in kitty and others, else in coloured characters.")
    var show = false

    @Option(help: ArgumentHelp("light or dark.", valueName: "name"))
    var theme = "light"

    /// Whether it goes anywhere.
    var areGiven: Bool { output != nil || show }

    func validate() throws {
        _ = try chosenTheme
        guard let output else { return }
        do { _ = try Figure.format(of: output) } catch { throw ValidationError("--output \(error.message)") }
    }

    var chosenTheme: Figure.Theme {
        get throws { try named(theme, "theme") }
    }

    /// Finds out whether the figure can go where it should, better before the work than after.
    func check() throws {
        if let output { try AtomicFile.checkWritable(output) }
        if show, !ProgressOutput.standard.isTerminal {
            throw CommandError(
                "--show needs a terminal that draws, but the output goes elsewhere; use --output FILE.png")
        }
    }

    func deliver(_ figure: Figure) throws {
        if let output {
            try figure.write(to: output)
            say(output)
        }
        if show {
            let form = TerminalPicture.form(ProcessInfo.processInfo.environment)
            let text = try TerminalPicture.text(
                figure.picture(), as: form, columns: ProgressOutput.standard.columns())
            StandardStreams.write(text)
        }
    }
}
