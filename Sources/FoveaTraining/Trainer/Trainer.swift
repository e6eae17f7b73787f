import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaRuntime
import Synchronization

/// Trains, evaluates and runs one model on one device.
///
/// ```swift
/// let trainer = try model.compile(
///     optimizer: .adam(), loss: .sparseCategoricalCrossentropy(), metrics: [.accuracy])
/// let history = try await trainer.fit(training, epochs: 10, batchSize: 128, validationSplit: 0.1)
/// let result = try await trainer.evaluate(test)
/// ```
///
/// A call runs on the compute thread from its beginning to its end. For each batch size that occurs a graph is compiled
/// once; a data set usually has two, the last batch being smaller. Where the model's inputs leave extents open, that is so for
/// each size of inputs, too; what was compiled for the last eight is kept.
///
/// Inputs are float32, or uint8 for images: 0...255 is taken as 0...1.
@Compute
public final class Trainer {
    public nonisolated let model: any ModelProtocol
    public nonisolated let configuration: TrainingConfiguration
    /// What the optimizer remembers between steps; it lasts from one `fit` to the next.
    public nonisolated let optimizerState: OptimizerState
    /// The step size of the steps that follow, at first the optimizer's. A schedule sets it before each step.
    public nonisolated var learningRate: Double {
        get { currentLearningRate.withLock { $0 } }
        set { currentLearningRate.withLock { $0 = newValue } }
    }

    /// What runs have yet to warn of.
    var warnings = Warnings()

    nonisolated let compiled: CompiledModel
    /// What the learning rate is multiplied with for variables that do not have all of it.
    nonisolated let rateMultipliers: [Variable: Double]
    /// The outputs that have a loss or metrics, in the model's order: each has a target.
    nonisolated let outputs: [TrainedOutput]
    nonisolated let runner: StepRunner
    nonisolated let modelOutputs: ModelOutputs
    private let currentLearningRate: Mutex<Double>
    /// As many as a runner keeps executables: a model that takes inputs of any size has one for each.
    private var graphs = RecentlyUsed<GraphKey, TrainingGraph>(limit: 8)
    private lazy var shardUpdate = Result { try makeShardUpdate() }

    /// An output of the model with what is asked of it.
    struct TrainedOutput: Sendable {
        let name: String
        /// Its place among the model's outputs.
        let index: Int
        let shape: Shape
        let training: OutputTraining
    }

    /// - Throws: `ShapeError` when the model has not been built; `TrainingError` for a setting outside its range, for an
    ///   output that does not exist, and when no output has a loss.
    nonisolated init(
        model: any ModelProtocol, configuration: TrainingConfiguration, device: Device
    ) throws {
        try configuration.checkSettings()
        self.model = model
        self.configuration = configuration
        compiled = try CompiledModel(model)
        rateMultipliers = try compiled.rateMultipliers(configuration.learningRateMultipliers, in: model)
        let named = model.namedOutputs
        runner = try StepRunner(device: device)
        modelOutputs = ModelOutputs(compiled, shapes: named.map(\.shape), runner: runner)
        guard Set(named.map(\.name)).count == named.count else {
            throw TrainingError.invalidArgument(
                "the names of the model's outputs", named.map(\.name).joined(separator: ", "),
                expected: "different; name the layers that give them")
        }
        if let unknown = configuration.outputs.keys.sorted().first(where: { name in
            !named.contains { $0.name == name }
        }) {
            throw TrainingError.unknownOutput(unknown, known: named.map(\.name))
        }
        outputs = named.enumerated().compactMap { index, output in
            configuration.outputs[output.name].map {
                TrainedOutput(name: output.name, index: index, shape: output.shape, training: $0)
            }
        }
        guard outputs.contains(where: { $0.training.loss != nil }) else { throw TrainingError.noLoss }
        optimizerState = OptimizerState(
            configuration.optimizer, for: compiled.trained.compactMap(\.variable),
            accumulation: configuration.accumulation, averaging: configuration.weightAveraging)
        currentLearningRate = Mutex(configuration.optimizer.learningRate)
    }

    /// What computes.
    public nonisolated var backend: any Backend { runner.backend }

    nonisolated var inputs: [ModelInput] { compiled.inputs }
    nonisolated var trained: [Parameter] { compiled.trained }

    /// Everything that training changes: the model's parameters and other state, but for what was frozen, and what the
    /// optimizer remembers.
    nonisolated var changingVariables: [Variable] { compiled.variables + optimizerState.variables }

    // MARK: Steps

    /// Computes loss and metrics of a batch.
    func evaluationStep(_ key: GraphKey) throws -> Step { try graph(key).evaluation }

    /// Computes loss and metrics of a batch, and then the model's outputs that are trained.
    func reportStep(_ key: GraphKey) throws -> Step { try graph(key).report }

    /// Computes loss and metrics of a batch, and trains the model on it.
    func trainingStep(_ key: GraphKey) throws -> Step {
        try graph(key).training.get()
    }

    /// Computes loss and metrics of a shard, and what its training adds to that of others.
    func shardStep(_ key: GraphKey) throws -> Step { try graph(key).shard.get() }

    /// Trains the model on what shards came to.
    func shardUpdateStep() throws -> Step { try shardUpdate.get() }

    /// Does what needs no batch size yet.
    ///
    /// - Throws: `ShapeError` when the targets do not fit the loss or a metric.
    func buildGraph(_ key: GraphKey) throws { _ = try graph(key) }

    private func graph(_ key: GraphKey) throws -> TrainingGraph {
        try graphs.value(key) { try makeGraph(key) }
    }
}

extension ModelProtocol {
    /// Joins the model with what it is trained with.
    ///
    /// What is frozen now (`Layer.isTrainable`) stays frozen in every `fit` of this trainer, and all else stays trained, also
    /// after `isTrainable` has changed: parameters, moving averages, whether batch normalisation uses these or the batch's
    /// own, penalties, and what checkpoints, callbacks and a loss that is not finite keep or set back. As in Keras, compile
    /// again for a change to take effect.
    ///
    /// - Parameters:
    ///   - optimizer: such as `.adam()`.
    ///   - loss: what training makes smaller; of a model with several outputs for each, added up.
    ///   - metrics: what else is reported.
    ///   - schedule: the learning rate of each step of the optimizer; the optimizer's when nil.
    ///   - clipping: how large gradients are made smaller; not when nil.
    ///   - accumulation: how many batches make one step of the optimizer. Schedules count these steps, and constraints hold
    ///     after each, as if the batch were so many times larger. (Keras counts batches: its `CosineDecay(decay_steps=1000)`
    ///     with `gradient_accumulation_steps=4` ends after 250 steps, and its constraints are applied after each batch.)
    ///   - excludeFromWeightDecay: parts of the names of variables that weight decay leaves, such as `bias`.
    ///   - weightAveraging: whether and how averages of what is trained are kept (`Trainer.useAverages`); none when nil.
    ///   - learningRateMultipliers: how much of the learning rate layers have, by their paths, such as `["base": 0.1]`.
    ///   - device: where it is computed.
    /// - Throws: `ShapeError` when the model has not been built; `TrainingError` for a setting outside its range.
    public func compile(
        optimizer: any Optimizer, loss: any Loss, metrics: [any Metric] = [],
        schedule: LearningRateSchedule? = nil,
        clipping: GradientClipping? = nil, accumulation: Int = 1, excludeFromWeightDecay: [String] = [],
        weightAveraging: WeightAveraging? = nil, learningRateMultipliers: [String: Double] = [:],
        device: Device = .cpu
    ) throws -> Trainer {
        let output = OutputTraining(loss: loss, metrics: metrics)
        return try compile(
            TrainingConfiguration(
                optimizer: optimizer,
                outputs: Dictionary(namedOutputs.map { ($0.name, output) }, uniquingKeysWith: { $1 }),
                schedule: schedule, clipping: clipping, accumulation: accumulation,
                excludeFromWeightDecay: excludeFromWeightDecay, weightAveraging: weightAveraging,
                learningRateMultipliers: learningRateMultipliers),
            device: device)
    }

    /// Joins the model with what it is trained with, which is stated for each output by its name.
    ///
    /// ```swift
    /// let configuration = TrainingConfiguration(optimizer: .adam(), outputs: [
    ///     "class": OutputTraining(loss: .sparseCategoricalCrossentropy(), metrics: [.accuracy]),
    ///     "box": OutputTraining(loss: .huber(), weight: 0.5),
    /// ])
    /// let trainer = try model.compile(configuration)
    /// ```
    ///
    /// - Throws: `ShapeError` when the model has not been built; `TrainingError` for a setting outside its range, for an
    ///   output that does not exist, and when no output has a loss.
    public func compile(
        _ configuration: TrainingConfiguration, device: Device = .cpu
    ) throws -> Trainer {
        try Trainer(model: self, configuration: configuration, device: device)
    }
}
