import FoveaGraph

/// A callback made of closures.
///
/// ```swift
/// LambdaCallback(epochEnds: { run in print(run.completeEpochs, run.trainer.learningRate) })
/// ```
public final class LambdaCallback: Callback {
    public typealias Action = @Compute @Sendable (TrainingRun) throws -> Void

    private let atTrainingBegin, atEpochBegin, atStepEnd, atEpochEnd, atTrainingEnd: Action

    /// - Parameters: what is done at each call of `Callback`; nothing unless given.
    nonisolated public init(
        trainingBegins: @escaping Action = { _ in }, epochBegins: @escaping Action = { _ in },
        stepEnds: @escaping Action = { _ in }, epochEnds: @escaping Action = { _ in },
        trainingEnds: @escaping Action = { _ in }
    ) {
        atTrainingBegin = trainingBegins
        atEpochBegin = epochBegins
        atStepEnd = stepEnds
        atEpochEnd = epochEnds
        atTrainingEnd = trainingEnds
    }

    public func trainingBegins(_ run: TrainingRun) throws { try atTrainingBegin(run) }
    public func epochBegins(_ run: TrainingRun) throws { try atEpochBegin(run) }
    public func stepEnds(_ run: TrainingRun) throws { try atStepEnd(run) }
    public func epochEnds(_ run: TrainingRun) throws { try atEpochEnd(run) }
    public func trainingEnds(_ run: TrainingRun) throws { try atTrainingEnd(run) }
}
