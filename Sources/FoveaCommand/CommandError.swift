import ArgumentParser
import Foundation
import Fovea

/// Ends the command with exit code 1.
struct CommandError: Error, CustomStringConvertible {
    let message: String

    init(_ message: String) { self.message = message }

    var description: String { message }
}

extension ExitCode {
    /// What shells report for a program that an interrupt ended.
    static let interrupted = ExitCode(130)
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
                if stop.isRequested { _exit(ExitCode.interrupted.rawValue) }
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
