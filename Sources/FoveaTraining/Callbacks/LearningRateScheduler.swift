/// Sets the learning rate at the beginning of each epoch. For a rate that changes with every step, give `compile` a
/// `LearningRateSchedule`.
///
/// ```swift
/// LearningRateScheduler { epoch, rate in epoch < 10 ? rate : rate * 0.9 }
/// ```
public final class LearningRateScheduler: Callback {
    private let rate: @Sendable (_ epoch: Int, _ rate: Double) throws -> Double

    /// - Parameter rate: the learning rate for an epoch, given how many epochs are complete (0 at first, as in Keras) and the
    ///   rate before it.
    nonisolated public init(_ rate: @escaping @Sendable (_ epoch: Int, _ rate: Double) throws -> Double) {
        self.rate = rate
    }

    /// - Throws: `TrainingError.invalidArgument` when a schedule sets the learning rate.
    public func trainingBegins(_ run: TrainingRun) throws { try run.checkNoSchedule(for: self) }

    /// - Throws: `TrainingError.invalidArgument` for a rate that is negative or not finite, and what the closure throws.
    public func epochBegins(_ run: TrainingRun) throws {
        let rate = try rate(run.completeEpochs, run.trainer.learningRate)
        guard rate.isFinite, rate >= 0 else {
            throw TrainingError.invalidArgument(
                "the learning rate of epoch \(run.completeEpochs + 1)", "\(rate)",
                expected: "a number that is not negative; correct the closure of LearningRateScheduler")
        }
        run.trainer.learningRate = rate
    }
}

extension TrainingRun {
    /// A schedule would take back what a callback makes of the learning rate.
    func checkNoSchedule(for callback: any Callback) throws {
        if let schedule = trainer.configuration.schedule {
            throw TrainingError.invalidArgument(
                "schedule", schedule.name, expected: "nil when \(type(of: callback)) sets the learning rate")
        }
    }
}
