import ArgumentParser
import Foundation
import Fovea

@main
struct FoveaCommand: AsyncParsableCommand {
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "fovea",
        abstract: "Build, train and use convolutional networks.",
        discussion: """
            For a first try, which downloads nothing:

              fovea train shapes --network single-conv --epochs 3 --output run
              fovea predict run/model.safetensors --dataset shapes --index 0
            """,
        version: versions,
        subcommands: [
            DatasetsCommand.self, SummaryCommand.self, TrainCommand.self, EvaluateCommand.self,
            PredictCommand.self, ExplainCommand.self, PretrainedCommand.self, InspectCommand.self,
            ConvertCommand.self, PlotCommand.self, ReportCommand.self, PlanCommand.self, BenchCommand.self,
            DevicesCommand.self,
        ])

    private static var versions: String {
        let oneDNN = (try? Device.cpu.backend)?.versions["onednn"]
        return version + (oneDNN.map { " (oneDNN \($0))" } ?? "")
    }

    /// Runs the command. Exit codes: 0, 1 for a failure, 64 for arguments that make no sense, 130 when interrupted.
    ///
    /// It begins on the main thread, because there may be no other.
    @MainActor
    static func main() async {
        prepareProcess()
        var isRunning = false
        do {
            // For the one that computes and those that Swift and Dispatch start.
            try checkThreads(leastThreadCount)
            try checkSubcommand(CommandLine.arguments.dropFirst().first)
            var command = try parseAsRoot()
            isRunning = true
            if computing.contains(where: { $0 == type(of: command) }) { warnOfThreadShortage() }
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
            // A reader that has seen enough is no failure; a full disk is.
            if let code = StandardStreams.outputFailure, code != EPIPE {
                throw CommandError("the output could not be written: \(String(cString: strerror(code)))")
            }
        } catch {
            end(with: error, isRunning: isRunning)
        }
    }

    private static let leastThreadCount = 4

    private static let computing: [any ParsableCommand.Type] = [
        TrainCommand.self, EvaluateCommand.self, PredictCommand.self, ExplainCommand.self, ReportCommand.self,
        PlanCommand.self, BenchCommand.self,
    ]

    /// Says what is wrong, or what was asked for, such as help.
    ///
    /// - Parameter isRunning: whether the arguments were read. What turns out not to fit later is no matter of usage.
    private static func end(with error: any Error, isRunning: Bool) -> Never {
        var text = fullMessage(for: error)
        if isRunning, let error = error as? ValidationError { text = "Error: \(error.message)" }
        // The parser repeats arguments as they are.
        for argument in CommandLine.arguments {
            let shown = visible(argument, limit: 500)
            if shown != argument { text = text.replacingOccurrences(of: argument, with: shown) }
        }
        let code = exitCode(for: error)
        // Of processes that train together the first says what all know.
        if !code.isSuccess, !text.isEmpty, let rank = MPIGroup.launchedRank, rank > 0 {
            text = (error as? TrainingError)?.isOfAllProcesses == true ? "" : "Process \(rank): \(text)"
        }
        if !text.isEmpty {
            let lines = text.components(separatedBy: "\n").map { visible($0) }.joined(separator: "\n")
            if code.isSuccess { say(lines) } else { warn(lines) }
        }
        Foundation.exit(code.rawValue)
    }

    private static func prepareProcess() {
        // Writing then fails with an error instead of ending the process, say in the middle of training.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        // A file opened later must not become the standard output of a process that was started without one.
        for descriptor: Int32 in 0...2 where fcntl(descriptor, F_GETFD) == -1 {
            _ = open("/dev/null", O_RDWR)
        }
    }

    /// The parser calls a mistyped subcommand an unexpected argument, which does not help.
    private static func checkSubcommand(_ name: String?) throws {
        let known = configuration.subcommands.compactMap { $0.configuration.commandName } + ["help"]
        guard let name, !name.hasPrefix("-"), !known.contains(name) else { return }
        throw ValidationError(unknown("subcommand", name, among: known))
    }
}
