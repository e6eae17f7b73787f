import FoveaGraph
import FoveaLayers

/// Ends training when a number has stopped improving. Decides as Keras's callback of that name, but for NaN: that is never an
/// improvement, and any number is one over it.
///
/// ```swift
/// let history = try await trainer.fit(
///     data, epochs: 100, validationSplit: 0.1, callbacks: [EarlyStopping(patience: 5, restoreBest: true)])
/// ```
public final class EarlyStopping: Callback {
    /// How many epochs without improvement end training; 0 works as 1.
    public let patience: Int
    /// What a number has to be better than, too, for the patience to begin again.
    public let baseline: Double?
    public let restoresBest: Bool
    /// How many epochs pass before numbers count.
    public let startFromEpoch: Int
    /// The epoch of the best number so far, counted from 1; nil before the first that is not NaN.
    public private(set) var bestEpoch: Int?

    private var monitor: Monitor
    private var wait = 0
    /// By the parameters' paths.
    private var bestWeights: [String: TensorValue] = [:]

    /// - Parameters:
    ///   - monitor: the number, by its name in the history: `val_loss`, `accuracy`.
    ///   - minDelta: how much a number must be better to be an improvement.
    ///   - patience: how many epochs without improvement end training.
    ///   - mode: which numbers are better.
    ///   - baseline: training ends after `patience` epochs that were not better than this.
    ///   - restoreBest: whether the model is given back the parameters of its best epoch when training ends, also when all
    ///     epochs were done; not when training is interrupted or the number was NaN in all. Parameters that are frozen and
    ///     the optimizer stay as they are.
    ///   - startFromEpoch: how many epochs pass before numbers count.
    nonisolated public init(
        monitor: String = "val_loss", minDelta: Double = 0, patience: Int = 0, mode: MonitorMode = .auto,
        baseline: Double? = nil, restoreBest: Bool = false, startFromEpoch: Int = 0
    ) {
        self.monitor = Monitor(monitor, mode: mode, minDelta: minDelta)
        self.patience = patience
        self.baseline = baseline
        restoresBest = restoreBest
        self.startFromEpoch = startFromEpoch
    }

    /// - Throws: `TrainingError.notReported` when training does not report the number.
    public func trainingBegins(_ run: TrainingRun) throws {
        try monitor.begin(run, for: self)
        wait = 0
        bestEpoch = nil
        bestWeights = [:]
    }

    public func epochEnds(_ run: TrainingRun) throws {
        let epoch = run.completeEpochs
        guard epoch > startFromEpoch, let value = run.history.epochs.last?[monitor.name] else { return }
        wait += 1
        if monitor.improves(value) {
            bestEpoch = epoch
            if restoresBest { bestWeights = try run.trainer.compiled.changingWeights() }
            if monitor.isImprovement(value, over: baseline) { wait = 0 }
        } else if wait >= patience, epoch > 1 {
            let missing =
                monitor.best.map { "improved on \($0) of epoch \(bestEpoch ?? 0)" } ?? "been a number"
            run.stopTraining("\(monitor.name) has not \(missing) for \(wait) epochs")
        }
    }

    public func trainingEnds(_ run: TrainingRun) throws {
        if restoresBest, !run.history.wasInterrupted { try run.trainer.compiled.setWeights(bestWeights) }
    }

    public var memory: CallbackMemory {
        get {
            var numbers = ["wait": Double(wait), "best_epoch": Double(bestEpoch ?? 0)]
            numbers["best"] = monitor.best
            return CallbackMemory(numbers: numbers, tensors: bestWeights)
        }
        set {
            wait = newValue.count("wait")
            monitor.best = newValue.numbers["best"]
            let epoch = newValue.count("best_epoch")
            bestEpoch = epoch == 0 || monitor.best == nil ? nil : epoch
            bestWeights = monitor.best == nil ? [:] : newValue.tensors
        }
    }
}

extension CompiledModel {
    /// The values of all parameters that were not frozen, by their paths.
    @Compute
    fileprivate func changingWeights() throws -> [String: TensorValue] {
        var weights: [String: TensorValue] = [:]
        for (path, parameter) in changing {
            weights[path] = try parameter.variable?.value()
        }
        return weights
    }

    @Compute
    fileprivate func setWeights(_ weights: [String: TensorValue]) throws {
        for (path, parameter) in changing {
            if let value = weights[path] { try parameter.variable?.assign(value) }
        }
    }
}
