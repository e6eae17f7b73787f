import FoveaDatasets
import FoveaGraph

/// Where the batches of a training come from, in order.
@Compute
protocol TrainingSource: AnyObject {
    var stepsPerEpoch: Int { get }

    /// What must be the same for a training that is resumed, by its name.
    var conditions: [String: String] { get }

    /// What is known of the data; takes as long as going through it when that is in memory.
    var fingerprints: [DataFingerprint] { get }

    /// Makes the batch of the given step the next one. Steps count from 0 over all epochs.
    func move(to step: Int) throws

    /// The next batch; nil for one that is left out. Of a source that was not made for shards.
    func next() throws -> Examples?

    /// The shards of the next batch that this process computes. Of a source that was made for shards.
    func nextShards() throws -> BatchParts<Examples>

    /// Takes note that nothing is left of the batch that came last, in any process.
    ///
    /// - Parameter reason: why its first example failed, as far as this process knows.
    /// - Throws: `TrainingError` when that is so of all batches.
    func noteLeftOut(_ reason: (any Error)?) throws
}

/// Batches that a sequence makes, perhaps without end.
final class SequenceSource<Batches: Sequence>: TrainingSource where Batches.Element == Examples {
    let stepsPerEpoch: Int
    let conditions: [String: String]
    private let batches: Batches
    private let sharding: Sharding?
    private var iterator: Batches.Iterator
    private var step = 0

    init(
        _ batches: Batches, stepsPerEpoch: Int, classWeights: ClassWeights?, seed: UInt64,
        sharding: Sharding? = nil
    ) {
        self.batches = batches
        self.sharding = sharding
        self.stepsPerEpoch = stepsPerEpoch
        iterator = batches.makeIterator()
        conditions = [
            "order of examples": "of a sequence", "seed": "\(seed)", "class weights": classWeights.summary,
        ]
    }

    var fingerprints: [DataFingerprint] { [] }

    /// Drops what other runs have used: a sequence can only be followed from its beginning.
    func move(to step: Int) throws {
        if step < self.step {
            iterator = batches.makeIterator()
            self.step = 0
        }
        while self.step < step { _ = try nextBatch() }
    }

    func next() throws -> Examples? { try nextBatch() }

    func nextShards() throws -> BatchParts<Examples> {
        let batch = try nextBatch()
        guard let sharding else { return BatchParts([batch]) }
        return try BatchParts(sharding.own, of: sharding.count, in: batch)
    }

    /// A sequence leaves out none, so this one has none.
    func noteLeftOut(_ reason: (any Error)?) throws { throw TrainingError.noExamples(.training) }

    private func nextBatch() throws -> Examples {
        guard let batch = iterator.next() else {
            throw TrainingError.outOfBatches(
                epoch: step / stepsPerEpoch + 1, step: step % stepsPerEpoch + 1)
        }
        step += 1
        return batch
    }
}

/// The batches of a data set, again and again, each time as another epoch of it.
final class DatasetSource: TrainingSource {
    let stepsPerEpoch: Int
    let conditions: [String: String]
    var fingerprints: [DataFingerprint] { batches.fingerprints }
    private let batches: Dataset<Examples>
    /// The batches from a step on.
    private let loaded: (_ step: Int) throws -> LoadedDataset<Examples>
    private var iterator: LoadedDataset<Examples>.Iterator?
    /// The same of shards; nil without these.
    private let loadedShards: ((_ step: Int) throws -> LoadedDataset<BatchParts<Examples>>)?
    private var shardIterator: LoadedDataset<BatchParts<Examples>>.Iterator?
    private let shardCount: Int
    /// Steps of one time through the data set; of an endless one those of an epoch.
    private let pass: Int
    /// The number of the next step, how many in a row had a batch that was left out, and the number behind the last of these.
    private var step = 0
    private var leftOutCount = 0
    private var leftOutEnd = 0

    /// - Parameters:
    ///   - epochs: how many are trained on; batches of more are not loaded.
    ///   - conditions: what must be the same for a training that is resumed, by its name.
    ///   - stop: ends waits for batches with `CancellationError`; not with shards, where other processes wait for this one.
    init(
        _ batches: Dataset<Examples>, epochs: Int, stepsPerEpoch: Int?, conditions: [String: String],
        loaderThreads: Int?, prefetch: Int = 2, stop: StopSignal?, sharding: Sharding? = nil
    ) throws {
        guard batches.count != 0 else { throw TrainingError.noExamples(.training) }
        guard let stepsPerEpoch = stepsPerEpoch ?? batches.count, stepsPerEpoch <= Int32.max else {
            throw TrainingError.invalidArgument(
                "stepsPerEpoch", "nil", expected: "given, because the data set is endless or very long")
        }
        self.batches = batches
        self.stepsPerEpoch = stepsPerEpoch
        pass = batches.count ?? stepsPerEpoch
        self.conditions = conditions
        let steps = try batches.repeated().take(epochs * stepsPerEpoch)
        loaded = { step in
            var loaded = try steps.loaded(threads: loaderThreads, ahead: prefetch, from: step)
            loaded.isUnwanted = { stop?.isRequested == true }
            return loaded
        }
        shardCount = sharding?.own.count ?? 1
        loadedShards = sharding.map { sharding in
            let shards = steps.parts(sharding.own, of: sharding.count)
            return { try shards.loaded(threads: loaderThreads, ahead: prefetch, from: $0) }
        }
        // So that arguments out of range are found before anything is changed.
        _ = try loaded(0)
    }

    func move(to step: Int) throws {
        if let loadedShards {
            shardIterator = try loadedShards(step).makeAsyncIterator()
        } else {
            iterator = try loaded(step).makeAsyncIterator()
        }
        self.step = step
        (leftOutCount, leftOutEnd) = (0, step)
    }

    func next() throws -> Examples? {
        guard let turn = try iterator?.nextBlockingTurn() else {
            throw TrainingError.noExamples(.training)
        }
        step += 1
        switch turn {
        case .success(let batch): return batch
        case .failure(let leftOut):
            try noteLeftOut(leftOut.reason)
            return nil
        }
    }

    func nextShards() throws -> BatchParts<Examples> {
        guard let turn = try shardIterator?.nextBlockingTurn() else {
            throw TrainingError.noExamples(.training)
        }
        step += 1
        return switch turn {
        case .success(let shards): shards
        case .failure(let leftOut): BatchParts(leftOut: leftOut, count: shardCount)
        }
    }

    func noteLeftOut(_ reason: (any Error)?) throws {
        leftOutCount = leftOutEnd == step - 1 ? leftOutCount + 1 : 1
        leftOutEnd = step
        if leftOutCount >= pass, step.isMultiple(of: pass) {
            throw TrainingError.everyBatchLeftOut(
                .training, reason.map { "\($0)" } ?? "one of another process")
        }
    }
}

/// What a training is validated on after each epoch.
struct ValidationSource {
    /// After every how many epochs.
    let frequency: Int
    /// Which examples, in which batches.
    let summary: String
    let fingerprints: () -> [DataFingerprint]
    let evaluate: () throws -> Totals
}
