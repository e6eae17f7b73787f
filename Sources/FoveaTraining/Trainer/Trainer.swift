import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaRuntime

/// Trains, evaluates and runs one model on one backend.
///
/// ```swift
/// let trainer = try model.compile(
///     optimizer: .adam(), loss: .sparseCategoricalCrossentropy(), metrics: [.accuracy], backend: backend)
/// let history = try await trainer.fit(training, epochs: 10, batchSize: 128, validationSplit: 0.1)
/// let result = try await trainer.evaluate(test)
/// ```
///
/// A call runs on the compute thread from its beginning to its end. For each batch size that occurs a graph is compiled
/// once and kept; a data set usually has two, the last batch being smaller.
///
/// Inputs are float32, or uint8 for images: 0...255 is taken as 0...1.
@Compute
public final class Trainer {
    public nonisolated let model: any ModelProtocol
    public nonisolated let configuration: TrainingConfiguration
    public nonisolated let backend: any Backend
    /// What the optimizer remembers between steps; it lasts from one `fit` to the next.
    public nonisolated let optimizerState: OptimizerState
    /// The step size of the epochs that follow, at first the optimizer's.
    public var learningRate: Double

    nonisolated let trainedVariables: [Variable]
    nonisolated let inputShape: Shape
    nonisolated let outputShape: Shape
    private var executables: [ExecutableKey: any Executable] = [:]
    private var graphs: [GraphKey: TrainingGraph] = [:]

    /// - Throws: `ShapeError` when the model has not been built; `TrainingError` for a setting outside its range.
    nonisolated init(model: any ModelProtocol, configuration: TrainingConfiguration, backend: any Backend)
        throws
    {
        try configuration.optimizer.checkSettings()
        self.model = model
        self.configuration = configuration
        self.backend = backend
        inputShape = try model.inputShape
        outputShape = try model.outputShape
        trainedVariables = model.trainableParameters.compactMap(\.parameter.variable)
        optimizerState = OptimizerState(configuration.optimizer, for: trainedVariables)
        learningRate = configuration.optimizer.learningRate
    }

    // MARK: Graphs

    /// What graphs of one model and loss differ in.
    private struct GraphKey: Hashable {
        let inputs: DType
        let targets: TensorType

        init(_ examples: Examples) {
            let targetShape = examples.targets.shape.dimensions.dropFirst()
            inputs = examples.inputs.dtype
            targets = TensorType(Shape(Array(targetShape)), examples.targets.dtype)
        }
    }

    /// The loss and the metrics of a batch, and how a training step changes the model.
    private struct TrainingGraph {
        /// The mean loss, then the sums of each metric.
        let outputs: [Tensor]
        let updates: [Update]
    }

    private struct ExecutableKey: Hashable {
        enum Purpose: Hashable {
            case training(GraphKey, seed: UInt64)
            case evaluation(GraphKey)
            case prediction(DType)
        }
        let purpose: Purpose
        let batch: Int
    }

    private func predictions(_ inputs: DType) throws -> Tensor {
        let inputs = Tensor.input("inputs", inputShape, inputs)
        return try model(inputs.dtype == .uint8 ? inputs.cast(to: .float32) / 255 : inputs)
    }

    private func graph(_ key: GraphKey) throws -> TrainingGraph {
        if let graph = graphs[key] { return graph }
        let predictions = try predictions(key.inputs)
        let targets = Tensor.input("targets", key.targets.shape, key.targets.dtype)
        let loss = try configuration.loss(targets: targets, predictions: predictions).mean()
        let sums = try configuration.metrics.map {
            try $0(targets: targets, predictions: predictions, fromLogits: configuration.loss.fromLogits)
        }
        let gradients = try gradient(of: loss, withRespectTo: trainedVariables.map { Tensor($0) })
        let updates = try configuration.optimizer.updates(
            for: trainedVariables, gradients: gradients, state: optimizerState)
        let graph = TrainingGraph(outputs: [loss] + sums, updates: updates)
        graphs[key] = graph
        return graph
    }

    /// Does what needs no batch size yet.
    ///
    /// - Throws: `ShapeError` when the targets do not fit the loss or a metric.
    func buildGraph(for examples: Examples) throws { _ = try graph(GraphKey(examples)) }

    // MARK: Executables

    private func executable(_ key: ExecutableKey, _ make: () throws -> any Executable) throws
        -> any Executable
    {
        if let executable = executables[key] { return executable }
        let executable = try make()
        executables[key] = executable
        return executable
    }

    func trainingExecutable(for examples: Examples, batch: Int, seed: UInt64) throws -> any Executable {
        let key = GraphKey(examples)
        return try executable(ExecutableKey(purpose: .training(key, seed: seed), batch: batch)) {
            let graph = try graph(key)
            return try backend.compile(
                outputs: graph.outputs, updates: graph.updates, mode: .training, batch: batch, seed: seed)
        }
    }

    func evaluationExecutable(for examples: Examples, batch: Int) throws -> any Executable {
        let key = GraphKey(examples)
        return try executable(ExecutableKey(purpose: .evaluation(key), batch: batch)) {
            try backend.compile(outputs: graph(key).outputs, mode: .inference, batch: batch)
        }
    }

    func predictionExecutable(_ inputs: DType, batch: Int) throws -> any Executable {
        try executable(ExecutableKey(purpose: .prediction(inputs), batch: batch)) {
            try backend.compile(outputs: [predictions(inputs)], mode: .inference, batch: batch)
        }
    }

    /// Forgets what was compiled to train with other seeds: each holds memory for a whole step.
    func dropTrainingExecutables(exceptSeed seed: UInt64) {
        executables = executables.filter { key, _ in
            if case .training(_, let other) = key.purpose { other == seed } else { true }
        }
    }
}

extension ModelProtocol {
    /// Joins the model with what it is trained with.
    ///
    /// Parameters that are frozen now stay as they are in every `fit` of this trainer.
    ///
    /// - Parameters:
    ///   - optimizer: such as `.adam()`.
    ///   - loss: what training makes smaller.
    ///   - metrics: what else is reported, each once.
    ///   - backend: what computes; the CPU unless said.
    /// - Throws: `ShapeError` when the model has not been built; `TrainingError` for a setting outside its range.
    public func compile(
        optimizer: any Optimizer, loss: Loss, metrics: [Metric] = [], backend: any Backend = OneDNNBackend()
    ) throws -> Trainer {
        var seen = Set<Metric>()
        let metrics = metrics.filter { seen.insert($0).inserted }
        return try Trainer(
            model: self,
            configuration: TrainingConfiguration(optimizer: optimizer, loss: loss, metrics: metrics),
            backend: backend)
    }
}
