/// Ends training, instead of with an error, when the loss becomes NaN or infinite.
///
/// Model and optimizer are then as at the end of the last whole epoch, as after the error (Keras leaves them as the
/// step made them).
public final class TerminateOnNaN: Callback {
    nonisolated public init() {}

    public func lossIsNotFinite(_ loss: Float, _ run: TrainingRun) -> String? {
        "the loss was \(loss) at step \(run.completeSteps) of epoch \(run.completeEpochs + 1)"
    }
}
