import ArgumentParser
import Foundation
import Fovea

/// Ends the command with a message and an exit code.
struct CommandError: Error, CustomStringConvertible {
    enum Code: Int32 {
        case failure = 1
        /// What shells report for a program that an interrupt ended.
        case interrupted = 130
    }

    let message: String
    let code: Code

    var description: String { message }
}

extension FoveaCommand {
    /// Runs the command; like the parser's own entry point but for the exit codes of `CommandError`.
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let error as CommandError {
            FileHandle.standardError.write(Data("fovea: \(error.message)\n".utf8))
            Foundation.exit(error.code.rawValue)
        } catch {
            exit(withError: error)
        }
    }
}

/// Turns the first interrupt (Ctrl-C) or termination request into a request to stop; a second one ends the process at
/// once.
final class InterruptHandler {
    private let sources: [any DispatchSourceSignal]

    init(_ stop: StopSignal) {
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                if stop.isRequested { _exit(CommandError.Code.interrupted.rawValue) }
                stop.request()
            }
            source.resume()
            return source
        }
    }

    func cancel() {
        for source in sources { source.cancel() }
        for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
    }
}
