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
        version: "\(version) (oneDNN \(OneDNNBackend.libraryVersion))",
        subcommands: [
            DatasetsCommand.self, SummaryCommand.self, TrainCommand.self, EvaluateCommand.self,
            PredictCommand.self,
            PlanCommand.self, BenchCommand.self,
        ])

    /// Runs the command. Exit codes: 0, 1 for a failure, 64 for arguments that make no sense, 130 when interrupted.
    static func main() async {
        prepareProcess()
        do {
            try checkSubcommand(CommandLine.arguments.dropFirst().first)
            var command = try parseAsRoot()
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
            exit(withError: error)
        }
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
