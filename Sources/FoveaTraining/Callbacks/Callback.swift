import FoveaGraph

/// Something that looks on while a model is trained, and may act: save it, stop, change the learning rate.
///
/// A callback is an object, because it remembers. It does nothing where it does not implement a call.
@Compute
public protocol Callback: AnyObject {
    /// Before the first step. The run may still be moved to where another one stopped (`TrainingRun.resume`).
    func trainingBegins(_ run: TrainingRun) throws
    func epochBegins(_ run: TrainingRun) throws
    /// After each step.
    func stepEnds(_ run: TrainingRun) throws
    /// After validation; `run.history.epochs.last` is the epoch.
    func epochEnds(_ run: TrainingRun) throws
    /// After the last epoch, or when training was stopped. Not after an error.
    func trainingEnds(_ run: TrainingRun) throws

    /// What it remembers, for checkpoints. Nothing unless implemented.
    var memory: CallbackMemory { get set }
}

/// What a callback remembers from epoch to epoch.
public struct CallbackMemory: Sendable {
    public var numbers: [String: Double]
    public var tensors: [String: TensorValue]

    public init(numbers: [String: Double] = [:], tensors: [String: TensorValue] = [:]) {
        self.numbers = numbers
        self.tensors = tensors
    }
}

extension Callback {
    public func trainingBegins(_ run: TrainingRun) throws {}
    public func epochBegins(_ run: TrainingRun) throws {}
    public func stepEnds(_ run: TrainingRun) throws {}
    public func epochEnds(_ run: TrainingRun) throws {}
    public func trainingEnds(_ run: TrainingRun) throws {}

    public var memory: CallbackMemory {
        get { CallbackMemory() }
        set {}
    }
}
