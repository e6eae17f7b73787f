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

/// Turns the first interrupt (Ctrl-C), termination request or loss of the terminal into a request to stop; a second interrupt or
/// termination request ends the process at once. A terminal that is closed may say so twice, so that does not count.
final class InterruptHandler {
    private let numbers: [Int32]
    private let sources: [any DispatchSourceSignal]

    init(_ stop: StopSignal) {
        // `nohup` has the loss of the terminal ignored.
        numbers = [SIGINT, SIGTERM] + (Self.isIgnored(SIGHUP) ? [] : [SIGHUP])
        sources = numbers.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                if stop.isRequested, number != SIGHUP { _exit(ExitCode.interrupted.rawValue) }
                stop.request()
            }
            source.resume()
            return source
        }
    }

    func cancel() {
        for source in sources { source.cancel() }
        for number in numbers { signal(number, SIG_DFL) }
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0 else { return false }
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}
