import FoveaGraph

/// A graph that is computed again and again, for batches of any size: a training step, the loss of a batch, predictions.
public final class Step: Sendable {
    /// What a run computes, in this order.
    public let outputs: [Tensor]
    /// Variables that a run changes.
    public let updates: [Update]
    public let mode: Mode
    /// The inputs with the batch size open.
    let inputs: [String: TensorType]

    /// - Parameters:
    ///   - outputs: what a run computes, in this order.
    ///   - updates: variables that a run changes. In training, those that layers attached to their outputs join them.
    ///   - mode: whether `Tensor.isTraining` holds.
    public init(outputs: [Tensor], updates: [Update] = [], mode: Mode) {
        self.outputs = outputs
        self.updates = updates
        self.mode = mode
        inputs = Dictionary(
            topologicalOrder(of: outputs + updates.map(\.value)).compactMap { tensor in
                guard case .source(.input(let name)) = tensor.operation else { return nil }
                return (name, tensor.node.type)
            }, uniquingKeysWith: { first, _ in first })
    }

    /// The batch size of values, found by the first axis that counts a batch; 1 when nothing has such an axis.
    func batch(of values: [String: TensorValue]) -> Int {
        for (name, type) in inputs {
            guard let value = values[name], value.shape.rank == type.shape.rank else { continue }
            for (extent, open) in zip(value.shape.dimensions, type.shape.dimensions) where open < 0 {
                return max(1, extent / -open)
            }
        }
        return 1
    }
}

/// Computes steps: compiles each once for every batch size that comes, in memory that all share, feeds and runs it.
///
/// ```swift
/// let step = Step(outputs: [loss], updates: updates, mode: .training)
/// let runner = try StepRunner()
/// for (number, batch) in batches.enumerated() {
///     let results = try await runner.run(step, ["images": batch.inputs[0], …], number: UInt64(number))
///     print(try await results[0].value())
/// }
/// ```
@Compute
public final class StepRunner {
    public nonisolated let backend: any Backend

    private struct Key: Hashable {
        let step: ObjectIdentifier
        let batch: Int
    }

    private struct Entry {
        /// Keeps the step, so that no other one comes to have its identity.
        let step: Step
        let executable: any Executable
    }

    private let executableLimit: Int
    private lazy var entries = RecentlyUsed<Key, Entry>(limit: executableLimit)
    private lazy var workspace = backend.makeWorkspace()

    /// - Parameters:
    ///   - device: where it computes.
    ///   - executableLimit: how many compiled graphs are kept; the one that was not used for longest goes first.
    /// - Throws: `RunError.notLinked` when the program lacks the device's backend.
    public nonisolated convenience init(device: Device = .cpu, executableLimit: Int = 8) throws {
        self.init(backend: try device.backend, executableLimit: executableLimit)
    }

    package nonisolated init(backend: any Backend, executableLimit: Int = 8) {
        self.backend = backend
        self.executableLimit = executableLimit
    }

    /// How many graphs were compiled so far.
    public private(set) var compiledCount = 0

    /// Compiles a step for a batch size, so that its first run takes no longer than the others.
    ///
    /// - Throws: `ShapeError` when the graph does not fit the batch size, `RunError` when there is not enough memory.
    public func prepare(_ step: Step, batch: Int) throws { _ = try executable(step, batch: batch) }

    /// Runs a step once.
    ///
    /// - Parameters:
    ///   - step: what is computed.
    ///   - values: all of its inputs, by name. Their batch axes tell the batch size.
    ///   - number: counts steps and feeds the random numbers, so that a step can be repeated.
    ///   - seed: what random numbers depend on, too.
    /// - Returns: the step's outputs, which can be asked for their values until the next run.
    /// - Throws: `RunError` for an input that is missing, unknown or of another type; as `prepare`.
    @discardableResult
    public func run(
        _ step: Step, _ values: [String: TensorValue], number: UInt64 = 0, seed: UInt64 = 0
    ) throws -> [RunOutput] {
        let executable = try executable(step, batch: step.batch(of: values))
        for (name, value) in values { try executable.setInput(name, to: value) }
        try executable.run(step: number, seed: seed)
        return try step.outputs.indices.map { try executable.output($0) }
    }

    private func executable(_ step: Step, batch: Int) throws -> any Executable {
        try entries.value(Key(step: ObjectIdentifier(step), batch: batch)) {
            let graph = try BoundGraph(
                outputs: step.outputs, updates: step.updates, mode: step.mode, batch: batch)
            let executable = try backend.compile(graph, in: workspace)
            compiledCount += 1
            return Entry(step: step, executable: executable)
        }.executable
    }
}
