import FoveaFiles

/// A file of models, weights or checkpoints that is damaged, that has what Fovea does not read, or that does not hold what was
/// looked for.
public struct ModelFileError: Error, Hashable, Sendable, CustomStringConvertible {
    public let file: String
    /// What is wrong, what was expected, and what to try.
    public let problem: String

    public init(file: String, problem: String) {
        self.file = file
        self.problem = problem
    }

    public var description: String { visible("\(file): \(problem)") }
}
