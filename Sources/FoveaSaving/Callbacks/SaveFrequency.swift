import FoveaGraph
import FoveaTraining

/// How often a callback writes its file.
public enum SaveFrequency: Hashable, Sendable {
    /// After each epoch.
    case epoch
    /// After every so many steps, counted over all epochs; positive.
    case steps(Int)

    func check(for callback: String) throws {
        if case .steps(let count) = self, count < 1 {
            throw TrainingError.invalidArgument(
                "saveFrequency of \(callback)", "\(count) steps", expected: "a positive number of steps")
        }
    }

    /// Whether the step that has just ended is one to save after.
    @Compute
    func isDue(_ run: TrainingRun) -> Bool {
        if case .steps(let count) = self { run.step.isMultiple(of: count) } else { false }
    }
}
