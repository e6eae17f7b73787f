/// Makes the learning rate smaller when a number has stopped improving. Decides as Keras's callback of that name,
/// but for NaN: that is never an improvement, and any number is one over it.
public final class ReduceLROnPlateau: Callback {
    /// What the learning rate is multiplied by.
    public let factor: Double
    /// How many epochs without improvement it takes.
    public let patience: Int
    /// How many epochs after a reduction do not count.
    public let cooldown: Int
    public let minLearningRate: Double

    private var monitor: Monitor
    private var wait = 0
    private var cooldownLeft = 0

    /// - Parameters:
    ///   - monitor: the number, by its name in the history: `val_loss`, `accuracy`.
    ///   - factor: what the learning rate is multiplied by, in `0..<1`.
    ///   - patience: how many epochs without improvement it takes.
    ///   - mode: which numbers are better.
    ///   - minDelta: how much a number must be better to be an improvement.
    ///   - cooldown: how many epochs after a reduction do not count.
    ///   - minLearningRate: the learning rate becomes no smaller than this, not negative.
    nonisolated public init(
        monitor: String = "val_loss", factor: Double = 0.1, patience: Int = 10, mode: MonitorMode = .auto,
        minDelta: Double = 1e-4, cooldown: Int = 0, minLearningRate: Double = 0
    ) {
        self.monitor = Monitor(monitor, mode: mode, minDelta: minDelta)
        self.factor = factor
        self.patience = patience
        self.cooldown = cooldown
        self.minLearningRate = minLearningRate
    }

    /// - Throws: `TrainingError` when training does not report the number, for a setting out of range, or when a schedule
    ///   sets the learning rate.
    public func trainingBegins(_ run: TrainingRun) throws {
        try run.checkNoSchedule(for: self)
        guard (0..<1).contains(factor) else {
            throw TrainingError.invalidArgument(
                "factor of ReduceLROnPlateau", "\(factor)", expected: "a number in 0..<1")
        }
        guard minLearningRate.isFinite, minLearningRate >= 0 else {
            throw TrainingError.invalidArgument(
                "minLearningRate of ReduceLROnPlateau", "\(minLearningRate)",
                expected: "a number that is not negative")
        }
        try monitor.begin(run, for: self)
        wait = 0
        cooldownLeft = 0
    }

    public func epochEnds(_ run: TrainingRun) throws {
        guard let value = run.history.epochs.last?[monitor.name] else { return }
        if cooldownLeft > 0 {
            cooldownLeft -= 1
            wait = 0
        }
        if monitor.improves(value) {
            wait = 0
        } else if cooldownLeft == 0 {
            wait += 1
            let rate = run.trainer.learningRate
            if wait >= patience, rate > minLearningRate {
                run.trainer.learningRate = max(rate * factor, minLearningRate)
                cooldownLeft = cooldown
                wait = 0
            }
        }
    }

    public var memory: CallbackMemory {
        get {
            var numbers = ["wait": Double(wait), "cooldown_left": Double(cooldownLeft)]
            numbers["best"] = monitor.best
            return CallbackMemory(numbers: numbers)
        }
        set {
            wait = newValue.count("wait")
            cooldownLeft = newValue.count("cooldown_left")
            monitor.best = newValue.numbers["best"]
        }
    }
}
