import FoveaFiles

/// A file of models, weights or checkpoints that is damaged, that has what Fovea does not read, or that does not hold what was
/// looked for.
public struct ModelFileError: Error, Hashable, Sendable, CustomStringConvertible {
    public let file: String
    /// What is wrong, what was expected, and what to try.
    public let problem: String
    /// Whether nothing is wrong with the file, but it has weights and not the model that they are of: `loadWeights(from:)` reads it.
    public let holdsWeightsAlone: Bool

    public init(file: String, problem: String, holdsWeightsAlone: Bool = false) {
        self.file = file
        self.problem = problem
        self.holdsWeightsAlone = holdsWeightsAlone
    }

    public var description: String { visible("\(file): \(problem)") }
}
