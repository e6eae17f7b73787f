import FoveaGraph

/// Which numbers are better.
public enum MonitorMode: String, Hashable, Codable, Sendable {
    /// Smaller losses and larger accuracies: as the number's kind has it.
    case auto
    case min
    case max
}

/// A reported number that a callback watches for improvement, by Keras's rules but for one: NaN is never an improvement, and
/// any number is one over NaN. (Keras takes a NaN of the first epoch for the best number, which nothing improves on.)
package struct Monitor: Sendable {
    /// Such as `val_loss`.
    package let name: String
    package let minDelta: Double
    private let mode: MonitorMode
    private var isLargerBetter = false
    /// The best number so far; nil before the first. Never NaN, which older checkpoints may have.
    package var best: Double? {
        didSet { if best?.isNaN == true { best = nil } }
    }

    /// - Parameter minDelta: how much a number must be better than the best one to be an improvement; its sign does not
    ///   matter.
    package init(_ name: String, mode: MonitorMode, minDelta: Double = 0) {
        self.name = name
        self.minDelta = abs(minDelta)
        self.mode = mode
    }

    /// Begins anew, and finds out which way is better.
    ///
    /// - Parameters:
    ///   - run: the training that reports the number.
    ///   - callback: who watches it, for messages.
    ///   - best: what the first number has to be better than.
    ///   - reported: the names of what is reported; what is after each epoch when nil.
    /// - Throws: `TrainingError.notReported` when the training has no such number.
    @Compute
    package mutating func begin(
        _ run: TrainingRun, for callback: any Callback, best: Double? = nil, reported: [String]? = nil
    ) throws {
        let reported = reported ?? run.epochNames
        guard reported.contains(name) else {
            throw TrainingError.notReported(name, callback: "\(type(of: callback))", reported: reported)
        }
        let metrics = run.totals.metricsByName
        let metric = metrics[name] ?? metrics[String(name.dropFirst("val_".count))] ?? nil
        isLargerBetter = mode == .auto ? metric?.isLargerBetter ?? false : mode == .max
        self.best = best
    }

    /// Whether a number is better than another; any number is better than none, and NaN is as none.
    package func isImprovement(_ value: Double, over other: Double?) -> Bool {
        if value.isNaN { return false }
        guard let other, !other.isNaN else { return true }
        return isLargerBetter ? value - minDelta > other : value + minDelta < other
    }

    /// Takes note of a number. Returns whether it is an improvement over the best one so far.
    package mutating func improves(_ value: Double) -> Bool {
        guard isImprovement(value, over: best) else { return false }
        best = value
        return true
    }
}
