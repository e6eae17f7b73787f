import FoveaGraph

/// Something that looks on while a model is trained, and may act: save it, stop, change the learning rate.
///
/// A callback is an object, because it remembers. It does nothing where it does not implement a call.
@Compute
public protocol Callback: AnyObject, Sendable {
    /// Before the first step; the place to begin anew. Another callback may still move the run to where an earlier one
    /// stopped (`TrainingRun.resume`); what that one's callbacks remembered is then given to `memory`.
    func trainingBegins(_ run: TrainingRun) throws
    func epochBegins(_ run: TrainingRun) throws
    /// After each step; also after one whose batch was left out (`ElementErrorPolicy.skip`), which changes nothing.
    func stepEnds(_ run: TrainingRun) throws
    /// After validation; `run.history.epochs.last` is the epoch.
    func epochEnds(_ run: TrainingRun) throws
    /// After every callback has had its `stepEnds` or `epochEnds`, and when training was interrupted: whatever the order of
    /// callbacks, `TrainingRun.checkpoint` then has all of the step or epoch.
    func runSettles(_ run: TrainingRun) throws
    /// When the loss has become NaN or infinite; model and optimizer are as at the end of the last whole epoch again.
    ///
    /// - Returns: why training ends, for its history; nil lets it end with `TrainingError.lossNotFinite`.
    func lossIsNotFinite(_ loss: Float, _ run: TrainingRun) throws -> String?
    /// After the last epoch, or when training was stopped or interrupted. Not after an error.
    func trainingEnds(_ run: TrainingRun) throws

    /// What it remembers, for checkpoints. Nothing unless implemented; a callback that remembers always gives something.
    var memory: CallbackMemory { get set }
}

/// What a callback remembers from epoch to epoch.
public struct CallbackMemory: Hashable, Sendable {
    public var numbers: [String: Double]
    public var tensors: [String: TensorValue]

    public init(numbers: [String: Double] = [:], tensors: [String: TensorValue] = [:]) {
        self.numbers = numbers
        self.tensors = tensors
    }

    public var isEmpty: Bool { numbers.isEmpty && tensors.isEmpty }

    /// A number that counts something; 0 when it is missing or, from a wrong file, no count.
    public func count(_ name: String) -> Int { numbers[name].flatMap { Int(exactly: $0) } ?? 0 }
}

extension Callback {
    public func trainingBegins(_ run: TrainingRun) throws {}
    public func epochBegins(_ run: TrainingRun) throws {}
    public func stepEnds(_ run: TrainingRun) throws {}
    public func epochEnds(_ run: TrainingRun) throws {}
    public func runSettles(_ run: TrainingRun) throws {}
    public func lossIsNotFinite(_ loss: Float, _ run: TrainingRun) throws -> String? { nil }
    public func trainingEnds(_ run: TrainingRun) throws {}

    public var memory: CallbackMemory {
        get { CallbackMemory() }
        set {}
    }
}
