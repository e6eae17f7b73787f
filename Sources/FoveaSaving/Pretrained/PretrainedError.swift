import FoveaFiles

/// Published weights are not known, do not fit what was asked for, or cannot be had.
public struct PretrainedError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, what was expected, and what to try.
    public let problem: String

    init(_ problem: String) { self.problem = problem }

    public var description: String { visible(problem) }
}
