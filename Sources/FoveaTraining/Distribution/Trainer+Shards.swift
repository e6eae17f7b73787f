import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaRuntime

/// The inputs of the two steps that sharded training has. Gradients leave the one through outputs and come into the other through
/// inputs, so they can be added anywhere, and by any backend's user.
private let examplesKey = "examples"
private func sumKey(_ number: Int) -> String { "sums/\(number)" }

extension Trainer {
    /// Variables that layers change themselves in training, such as moving averages.
    nonisolated var layerVariables: [Variable] { updatedVariables(of: compiled.exampleOutputs) }

    /// Of what shards are added: the gradient of each variable that is trained, and the new values of those that layers change.
    nonisolated private var summedVariables: [Variable] { trained.compactMap(\.variable) + layerVariables }

    nonisolated var summedElementCount: Int { summedVariables.reduce(0) { $0 + $1.shape.elementCount } }

    /// What a shard's step computes: the numbers that are reported; then gradients and new values, each multiplied with the number
    /// of the shard's examples, so that sums over shards divided by the examples of all are means over these.
    static nonisolated func shardOutputs(
        _ reported: [Tensor], minimizing loss: Tensor, parameters: [Parameter], layerVariables: [Variable]
    ) throws -> [Tensor] {
        let count = Tensor.argument(examplesKey)
        let gradients = try gradient(of: loss * count, withRespectTo: parameters.map { try $0.tensor })
        let (tensors, updates) = try detached(reported + gradients)
        let changed = Dictionary(updates.map { ($0.variable, $0.value) }, uniquingKeysWith: { $1 })
        return try tensors
            + layerVariables.map { variable in
                guard variable.dtype == .float32 else {
                    throw TrainingError.invalidArgument(
                        "the type of '\(variable.name)', which a layer changes", "\(variable.dtype.rawValue)",
                        expected: "float32 to be averaged over shards; train without these")
                }
                return try (changed[variable] ?? Tensor(variable)) * count
            }
    }

    /// One step of the optimizer with sums over shards.
    func makeShardUpdate() throws -> Step {
        let count = Tensor.argument(examplesKey)
        let means = try summedVariables.enumerated().map { number, variable in
            try Tensor.argument(sumKey(number), variable.shape) / count
        }
        let updates =
            try configuration.optimizer.updates(
                for: trained, gradients: Array(means.prefix(trained.count)), state: optimizerState,
                clipping: configuration.clipping,
                excludeFromWeightDecay: configuration.excludeFromWeightDecay,
                learningRateMultipliers: rateMultipliers)
            + zip(layerVariables, means.dropFirst(trained.count)).map { try Update($0, to: $1) }
        return Step(outputs: [], updates: updates, mode: .training)
    }

    /// What one shard comes to.
    func shardSums(
        of shard: Examples, _ classWeights: ClassWeights?, number: UInt64, seed: UInt64
    ) throws -> ShardSums {
        var values = values(of: shard)
        values[examplesKey] = TensorValue(Float(shard.count))
        let step = try shardStep(GraphKey(shard, classWeights: classWeights))
        let results = try runner.run(step, values, number: number, seed: seed)
        let totals = Totals(self)
        var gradients: [Float] = []
        gradients.reserveCapacity(summedElementCount)
        for result in results.dropFirst(totals.sumCount) { gradients += try result.value().floats }
        return ShardSums(
            examples: shard.count, numbers: try totals.sums(of: results, examples: shard.count),
            gradients: gradients)
    }

    /// Takes a step of the optimizer with what all shards of a batch came to.
    func update(with sums: ShardSums) throws {
        var values = [
            examplesKey: TensorValue(Float(sums.examples)), "learning_rate": TensorValue(Float(learningRate)),
        ]
        var rest = sums.gradients[...]
        for (number, variable) in summedVariables.enumerated() {
            let count = variable.shape.elementCount
            values[sumKey(number)] = try TensorValue(shape: variable.shape, Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        try runner.run(shardUpdateStep(), values)
    }

    /// Loss and metrics over batches that shards share out: each has the batches of a part of the data set.
    ///
    /// - Parameter loaded: the batches of a part, computed ahead.
    func evaluated(
        _ batches: Dataset<Examples>, _ data: TrainingError.Data, isChecked: Bool = false,
        _ sharding: Sharding, loaded: (Dataset<Examples>) throws -> LoadedDataset<Examples>
    ) throws -> Totals {
        let own = Result {
            try treeSum(over: sharding.own) { shard in
                let part = partRange(shard, of: sharding.count, in: batches.count ?? 0)
                guard !part.isEmpty else { return ShardSums() }
                do {
                    let totals = try evaluated(
                        loaded(batches.skip(part.lowerBound).take(part.count)), data, isChecked: isChecked)
                    return ShardSums(examples: totals.examples, numbers: totals.sums)
                } catch let error as TrainingError {
                    guard case .everyBatchLeftOut = error else { throw error }
                    return ShardSums(leftOutReason: error)
                }
            } add: {
                $0 += $1
            }
        }
        var totals = Totals(self)
        let sums = try sharding.group.agree(own, numberCount: totals.sumCount).sums
        guard sums.examples > 0 else { throw sums.leftOutReason ?? TrainingError.noExamples(data) }
        totals.add(sums.numbers, examples: sums.examples)
        return totals
    }
}
