import Foundation

/// How much training prints.
public enum Verbosity: Int, Hashable, Codable, CaseIterable, Sendable {
    /// Nothing.
    case silent = 0
    /// A progress bar on a terminal, a line per epoch elsewhere.
    case bar = 1
    /// A line per epoch.
    case lines = 2

    public static let auto = Verbosity.bar
}

/// Where progress is printed, and what it understands.
public struct ProgressOutput: Sendable {
    /// Whether a line can be drawn over.
    public let isTerminal: Bool
    public let usesColor: Bool
    /// The width in characters at present; lines drawn over must not be longer.
    public let columns: @Sendable () -> Int
    public let write: @Sendable (String) -> Void
    /// Where warnings go, whatever the verbosity.
    public let warn: @Sendable (String) -> Void

    /// - Parameters:
    ///   - isTerminal: whether a line can be drawn over.
    ///   - usesColor: whether it understands colors.
    ///   - columns: the width in characters.
    ///   - warn: what writes warnings; to standard error when nil.
    ///   - write: what writes progress.
    public init(
        isTerminal: Bool, usesColor: Bool = false, columns: @escaping @Sendable () -> Int = { 80 },
        warn: (@Sendable (String) -> Void)? = nil, write: @escaping @Sendable (String) -> Void
    ) {
        self.isTerminal = isTerminal
        self.usesColor = usesColor
        self.columns = columns
        self.write = write
        self.warn = warn ?? { StandardStreams.writeError($0) }
    }

    /// Standard output, in order with what the program prints. Color is used on a terminal unless the environment has
    /// `NO_COLOR` with any value but an empty one.
    public static var standard: ProgressOutput {
        let environment = ProcessInfo.processInfo.environment
        let isTerminal = isatty(STDOUT_FILENO) == 1 && environment["TERM"] != "dumb"
        return ProgressOutput(
            isTerminal: isTerminal, usesColor: isTerminal && environment["NO_COLOR", default: ""].isEmpty,
            columns: {
                var size = winsize()
                let isKnown = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
                return isKnown ? Int(size.ws_col) : 80
            },
            write: { StandardStreams.write($0) })
    }
}
