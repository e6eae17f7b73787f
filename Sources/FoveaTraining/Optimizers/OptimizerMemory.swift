import FoveaGraph
import FoveaLayers

/// What an optimizer remembers of a model between steps, as values: with the model's parameters enough to go on with training
/// elsewhere. A `Checkpoint` has these and the place in the data.
public struct OptimizerMemory: Sendable {
    /// The number of steps taken.
    public var iterations: Int
    /// The step size of the steps that follow.
    public var learningRate: Double
    /// What is kept once for all parameters, by the names of the optimizer's `scalars`.
    public var scalars: [String: Double]
    /// For the path of each trained parameter the tensors that are kept, by the names of the optimizer's `slots`; with weight
    /// averaging its `average`, with accumulation the `gradient_accumulator`.
    public var slots: [String: [String: TensorValue]]
    /// How many batches are in the `gradient_accumulator`s, fewer than make a step.
    public var accumulatedRuns: Int

    public init(
        iterations: Int, learningRate: Double, scalars: [String: Double] = [:],
        slots: [String: [String: TensorValue]], accumulatedRuns: Int = 0
    ) {
        self.iterations = iterations
        self.learningRate = learningRate
        self.scalars = scalars
        self.slots = slots
        self.accumulatedRuns = accumulatedRuns
    }

    /// The names of what is kept for each parameter beside slots.
    package static let average = "average"
    package static let accumulator = "gradient_accumulator"
}

extension Trainer {
    /// What the optimizer remembers.
    public func optimizerMemory() throws -> OptimizerMemory {
        var memory = OptimizerMemory(
            iterations: Int(try optimizerState.iterations.value().doubles.first ?? 0),
            learningRate: learningRate,
            slots: [:],
            accumulatedRuns: Int(try optimizerState.accumulation?.count.value().doubles.first ?? 0))
        for (scalar, variable) in zip(configuration.optimizer.scalars, optimizerState.scalars) {
            memory.scalars[scalar.name] = Double(try variable.value().scalar)
        }
        for (path, variables) in rememberedVariables {
            memory.slots[path] = try variables.mapValues { try $0.value() }
        }
        return memory
    }

    /// Goes on from what an optimizer remembers of a model with the same layers and the same training.
    ///
    /// - Throws: `TrainingError.optimizerMemoryDoesNotFit` when it is of other parameters or another optimizer; nothing is
    ///   changed then.
    public func restore(_ memory: OptimizerMemory) throws {
        func failure(_ problem: String) -> TrainingError { .optimizerMemoryDoesNotFit(problem) }
        let steps = Int32(exactly: memory.iterations) ?? -1
        let runs = Int32(exactly: memory.accumulatedRuns) ?? -1
        guard steps >= 0, (0..<Int32(clamping: configuration.accumulation)).contains(runs),
            memory.learningRate.isFinite, memory.learningRate >= 0
        else { throw failure("its number of steps or its learning rate is impossible") }
        let names = configuration.optimizer.scalars.map(\.name)
        guard Set(names) == Set(memory.scalars.keys) else {
            throw failure("it is of another optimizer than \(type(of: configuration.optimizer).name)")
        }
        var values: [(Variable, TensorValue)] = []
        let remembered = rememberedVariables
        for (path, variables) in remembered.sorted(by: { $0.key < $1.key }) {
            for (slot, variable) in variables.sorted(by: { $0.key < $1.key }) {
                guard let value = memory.slots[path]?[slot] else {
                    throw failure("it lacks the \(slot) of '\(path)'")
                }
                guard value.shape == variable.shape, value.dtype == variable.dtype else {
                    throw failure(
                        "its \(slot) of '\(path)' is \(TensorType(value.shape, value.dtype)), not \(variable.type)"
                    )
                }
                values.append((variable, value))
            }
        }
        if let other = memory.slots.keys.filter({ remembered[$0] == nil }).min() {
            throw failure("it is of '\(other)', too, which is not trained")
        }
        func number(_ value: Int32) -> TensorValue {
            TensorValue(shape: .scalar, dtype: .int32, doubles: [Double(value)])
        }
        for (variable, value) in values { try variable.assign(value) }
        for (name, variable) in zip(names, optimizerState.scalars) {
            try variable.assign(TensorValue(repeating: Float(memory.scalars[name] ?? 0), shape: .scalar))
        }
        try optimizerState.iterations.assign(number(steps))
        try optimizerState.accumulation?.count.assign(number(runs))
        if let averages = optimizerState.averages, let count = averages.count,
            let frequency = averages.averaging.overwriteFrequency, frequency > 0
        {
            try count.assign(number(steps % Int32(clamping: frequency)))
        }
        learningRate = memory.learningRate
    }

    /// What is kept for each trained parameter, by its path.
    private nonisolated var rememberedVariables: [String: [String: Variable]] {
        let trained = Set(compiled.trained.map { ObjectIdentifier($0) })
        let slots = configuration.optimizer.slots.map(\.name)
        var result: [String: [String: Variable]] = [:]
        for (path, parameter) in compiled.changing where trained.contains(ObjectIdentifier(parameter)) {
            guard let variable = parameter.variable else { continue }
            var kept = Dictionary(
                zip(slots, optimizerState.slots[variable] ?? []), uniquingKeysWith: { $1 })
            kept[OptimizerMemory.average] = optimizerState.averages?.averages[variable]
            kept[OptimizerMemory.accumulator] = optimizerState.accumulation?.sums[variable]
            result[path] = kept
        }
        return result
    }
}
