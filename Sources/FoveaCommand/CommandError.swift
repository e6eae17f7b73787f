import ArgumentParser
import Foundation
import Fovea
import Synchronization

/// Ends the command with exit code 1.
struct CommandError: Error, CustomStringConvertible {
    let message: String

    init(_ message: String) { self.message = message }

    var description: String { visibleLines(message) }
}

extension ExitCode {
    /// What shells report for a program that an interrupt ended.
    static let interrupted = ExitCode(130)
}

/// Turns the first interrupt (Ctrl-C), termination request or loss of the terminal into a request to stop; a second interrupt or
/// termination request ends the process at once. A terminal that is closed may say so twice, so that does not count.
///
/// The handler is one of the operating system's: it needs no thread, so a process that waits for one ends too.
final class InterruptHandler {
    private let numbers: [Int32]
    private let stop: StopSignal

    init(_ stop: StopSignal) {
        self.stop = stop
        requested.store(UInt(bitPattern: Unmanaged.passRetained(stop).toOpaque()), ordering: .releasing)
        // `nohup` has the loss of the terminal ignored.
        numbers = [SIGINT, SIGTERM] + (Self.isIgnored(SIGHUP) ? [] : [SIGHUP])
        var action = sigaction()
        action.__sigaction_handler.sa_handler = requestStop
        action.sa_flags = SA_RESTART
        for number in numbers { sigaction(number, &action, nil) }
    }

    /// Signals end the process again; but not what a terminal that was closed says once more while the process is ending.
    func cancel() {
        for number in numbers {
            signal(number, number == SIGHUP && stop.isRequested ? SIG_IGN : SIG_DFL)
        }
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0 else { return false }
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }
}

/// The address of the signal that handlers set. It is never released, because one of them may be under way.
private let requested = Atomic<UInt>(0)

/// Does nothing but what a handler of signals may do.
private func requestStop(_ number: Int32) {
    guard let pointer = UnsafeRawPointer(bitPattern: requested.load(ordering: .acquiring)) else { return }
    let stop = Unmanaged<StopSignal>.fromOpaque(pointer).takeUnretainedValue()
    if stop.isRequested, number != SIGHUP { _exit(ExitCode.interrupted.rawValue) }
    stop.request()
}
