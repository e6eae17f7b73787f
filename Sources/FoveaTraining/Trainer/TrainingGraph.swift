import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaRuntime

/// What graphs of one trainer differ in.
struct GraphKey: Hashable {
    /// The types of one example's inputs: models whose inputs leave extents open have graphs for each size.
    let inputs: [TensorType]
    /// The types of one example's targets.
    let targets: [TensorType]
    let hasWeights: Bool
    /// What training weighs classes with; evaluation does not.
    var classWeights: ClassWeights?

    init(_ examples: Examples, classWeights: ClassWeights? = nil) {
        inputs = examples.inputs.map(\.exampleType)
        targets = examples.targets.map(\.exampleType)
        hasWeights = examples.weights != nil
        self.classWeights = classWeights
    }
}

extension TensorValue {
    /// The type of one of the examples that the first axis counts.
    var exampleType: TensorType { TensorType(Shape(Array(shape.dimensions.dropFirst())), dtype) }
}

extension GraphKey {
    var summary: String {
        "targets \(targets.map(\.description).joined(separator: ", ")), sample weights \(hasWeights ? "given" : "none"), "
            + "class weights \(classWeights.summary)"
    }
}

extension ClassWeights? {
    /// In the order of the classes.
    var summary: String {
        guard let weights = self?.weights else { return "none" }
        return weights.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
    }
}

/// The loss and the metrics of a batch, and how a training step changes the model.
final class TrainingGraph {
    /// Computes the whole loss; of a model with several trained outputs the loss of each; then the sums of each metric.
    let evaluation: Step
    /// Computes the same and changes the model; made when it is first needed.
    private(set) lazy var training = Result {
        Step(outputs: evaluation.outputs, updates: try updates(), mode: .training)
    }

    /// Computes the same of a shard, and what is added over shards (`Trainer.shardOutputs`); changes nothing.
    private(set) lazy var shard = Result { Step(outputs: try shardOutputs(), mode: .training) }

    /// Computes the same as `evaluation` and then the model's outputs that are trained.
    private(set) lazy var report = Step(outputs: evaluation.outputs + predictions, mode: .inference)

    private let predictions: [Tensor]
    private let updates: () throws -> [Update]
    private let shardOutputs: () throws -> [Tensor]

    init(
        outputs: [Tensor], predictions: [Tensor], updates: @escaping () throws -> [Update],
        shardOutputs: @escaping () throws -> [Tensor]
    ) {
        evaluation = Step(outputs: outputs, mode: .inference)
        self.predictions = predictions
        self.updates = updates
        self.shardOutputs = shardOutputs
    }
}

extension Trainer {
    /// Every tensor of a batch under the name of the graph's input that takes it.
    func values(of batch: Examples) -> [String: TensorValue] {
        var values = compiled.values(of: batch.inputs)
        for (output, value) in zip(outputs, batch.targets) { values[targetKey(output.name)] = value }
        values[weightsKey] = batch.weights
        return values
    }
}

/// The names of a training graph's inputs.
func inputKey(_ name: String) -> String { "inputs/\(name)" }
private func targetKey(_ name: String) -> String { "targets/\(name)" }
private let weightsKey = "weights"

extension Trainer {
    func makeGraph(_ key: GraphKey) throws -> TrainingGraph {
        let predictions = try compiled.outputs(for: key.inputs)
        let sampleWeights = key.hasWeights ? Tensor.input(weightsKey, []) : nil
        var total: Tensor?
        var losses: [Tensor] = []
        var metrics: [Tensor] = []
        for (output, type) in zip(outputs, key.targets) {
            let targets = Tensor.input(targetKey(output.name), type.shape, type.dtype)
            let prediction = predictions[output.index]
            do {
                if let loss = output.training.loss {
                    var weights = sampleWeights
                    if let classWeights = key.classWeights {
                        let ofClass = try classWeights.weights(for: targets, predictions: prediction)
                        weights = try weights.map { try $0 * ofClass } ?? ofClass
                    }
                    let mean = try loss(targets: targets, predictions: prediction).weightedMean(weights)
                    losses.append(mean)
                    let part =
                        output.training.weight == 1 ? mean : try mean * Float(output.training.weight)
                    total = try total.map { try $0 + part } ?? part
                }
                for metric in output.training.metrics {
                    metrics.append(
                        try metric(
                            targets: targets, predictions: prediction,
                            fromLogits: output.training.loss?.fromLogits ?? false,
                            sampleWeights: sampleWeights))
                }
            } catch let error as ShapeError {
                throw outputs.count > 1 ? error.inside("output '\(output.name)'") : error
            }
        }
        guard var total else { throw TrainingError.noLoss }
        for penalty in compiled.penalties + addedLosses(of: predictions) { total = try total + penalty }
        let (loss, parameters) = (total, trained)
        let (configuration, state) = (configuration, optimizerState)
        let multipliers = rateMultipliers
        let reported = [loss] + (reportsEachLoss ? losses : []) + metrics
        let layerVariables = layerVariables
        return TrainingGraph(
            outputs: reported, predictions: outputs.map { predictions[$0.index] },
            updates: {
                try configuration.optimizer.updates(
                    for: parameters, minimizing: loss, state: state, clipping: configuration.clipping,
                    excludeFromWeightDecay: configuration.excludeFromWeightDecay,
                    learningRateMultipliers: multipliers)
            },
            shardOutputs: {
                try Self.shardOutputs(
                    reported, minimizing: loss, parameters: parameters, layerVariables: layerVariables)
            })
    }

    /// Whether the losses of single outputs are reported: when the whole loss is the sum of several.
    nonisolated var reportsEachLoss: Bool { outputs.count { $0.training.loss != nil } > 1 }
}
