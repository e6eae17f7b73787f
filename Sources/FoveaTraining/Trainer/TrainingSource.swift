import FoveaDatasets
import FoveaGraph
import FoveaRuntime

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

    /// Puts the next batch into an executable for its size, which is then ready to run; nil for a batch that is left out.
    func next() throws -> (executable: any Executable, examples: Int)?
}

/// Examples in memory, in another order each time they have all been used.
final class ExamplesSource: TrainingSource {
    let stepsPerEpoch: Int
    private let trainer: Trainer
    private let examples: Examples
    private let sources: [String: TensorValue]
    private let key: GraphKey
    private let count: Int
    private let batches: [Range<Int>]
    private let shuffle: Bool
    private let seed: UInt64
    private var loader: BatchLoader?
    /// The passes over all examples that are complete, and the batches of this one.
    private var pass = 0
    private var place = 0

    /// - Parameters:
    ///   - count: how many of the examples, from the first on, are trained on.
    ///   - stepsPerEpoch: batches of an epoch; as many as there are when nil.
    init(
        _ trainer: Trainer, _ examples: Examples, key: GraphKey, count: Int, batchSize: Int, shuffle: Bool,
        seed: UInt64, stepsPerEpoch: Int?
    ) throws {
        self.trainer = trainer
        self.examples = examples
        self.key = key
        self.count = count
        self.shuffle = shuffle
        self.seed = seed
        sources = examples.sources(for: trainer)
        batches = trainer.batchRanges(0..<count, size: batchSize)
        self.stepsPerEpoch = stepsPerEpoch ?? batches.count
        // Before the first step, so that its time is that of a step.
        for size in Set(batches.map(\.count)).sorted(by: >) {
            _ = try trainer.trainingExecutable(key, batch: size, seed: seed)
        }
    }

    var conditions: [String: String] {
        [
            "order of examples": shuffle ? "shuffled" : "as given", "seed": "\(seed)",
            "number of examples": "\(count)", "batch size": "\(batches[0].count)",
            "targets and weights": key.summary,
        ]
    }

    var fingerprints: [DataFingerprint] { Dataset(examples).fingerprints }

    func move(to step: Int) {
        (pass, place) = (step / batches.count, step % batches.count)
        loader = nil
    }

    func next() throws -> (executable: any Executable, examples: Int)? {
        if place == batches.count { move(to: (pass + 1) * batches.count) }
        if loader == nil {
            let order =
                shuffle ? shuffledOrder(count: count, seed: seed, epoch: pass) : Array(0..<count)
            loader = BatchLoader(sources, order: order, batches: Array(batches[place...]))
        }
        let size = batches[place].count
        let executable = try trainer.trainingExecutable(key, batch: size, seed: seed)
        try loader?.load(into: executable)
        place += 1
        return (executable, size)
    }
}

/// Batches that a sequence makes, perhaps without end.
final class SequenceSource<Batches: Sequence>: TrainingSource where Batches.Element == Examples {
    let stepsPerEpoch: Int
    private let trainer: Trainer
    private let classWeights: ClassWeights?
    private let seed: UInt64
    private let batches: Batches
    private var iterator: Batches.Iterator
    private var step = 0

    init(
        _ trainer: Trainer, _ batches: Batches, stepsPerEpoch: Int, classWeights: ClassWeights?, seed: UInt64
    ) {
        self.trainer = trainer
        self.batches = batches
        self.stepsPerEpoch = stepsPerEpoch
        self.classWeights = classWeights
        self.seed = seed
        iterator = batches.makeIterator()
    }

    var conditions: [String: String] {
        ["order of examples": "of a sequence", "seed": "\(seed)", "class weights": classWeights.summary]
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

    func next() throws -> (executable: any Executable, examples: Int)? {
        let batch = try nextBatch()
        let executable = try trainer.trainingExecutable(for: batch, classWeights: classWeights, seed: seed)
        return (executable, batch.count)
    }

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
    private let trainer: Trainer
    private let batches: Dataset<Examples>
    private let classWeights: ClassWeights?
    private let seed: UInt64
    /// The batches from a step on.
    private let loaded: (_ step: Int) throws -> LoadedDataset<Examples>
    private var iterator: LoadedDataset<Examples>.Iterator?
    /// Steps of one time through the data set; of an endless one those of an epoch.
    private let pass: Int
    /// The number of the next step, and how many of those just before it had a batch that was left out.
    private var step = 0
    private var leftOutCount = 0

    /// - Parameters:
    ///   - epochs: how many are trained on; batches of more are not loaded.
    ///   - stop: ends waits for batches with `CancellationError`.
    init(
        _ trainer: Trainer, _ batches: Dataset<Examples>, epochs: Int, stepsPerEpoch: Int?,
        classWeights: ClassWeights?, seed: UInt64, loaderThreads: Int?, prefetch: Int, stop: StopSignal?
    ) throws {
        guard batches.count != 0 else { throw TrainingError.noExamples(.training) }
        guard let stepsPerEpoch = stepsPerEpoch ?? batches.count, stepsPerEpoch <= Int32.max else {
            throw TrainingError.invalidArgument(
                "stepsPerEpoch", "nil", expected: "given, because the data set is endless or very long")
        }
        self.trainer = trainer
        self.batches = batches
        self.stepsPerEpoch = stepsPerEpoch
        pass = batches.count ?? stepsPerEpoch
        self.classWeights = classWeights
        self.seed = seed
        conditions = [
            "data set": batches.description, "seed": "\(seed)", "class weights": classWeights.summary,
        ]
        let steps = try batches.repeated().take(epochs * stepsPerEpoch)
        loaded = { step in
            var loaded = try steps.loaded(threads: loaderThreads, ahead: prefetch, from: step)
            loaded.isUnwanted = { stop?.isRequested == true }
            return loaded
        }
        // So that arguments out of range are found before anything is changed.
        _ = try loaded(0)
    }

    func move(to step: Int) throws {
        iterator = try loaded(step).makeAsyncIterator()
        self.step = step
        leftOutCount = 0
    }

    func next() throws -> (executable: any Executable, examples: Int)? {
        guard let turn = try iterator?.nextBlockingTurn() else {
            throw TrainingError.noExamples(.training)
        }
        step += 1
        let batch: Examples
        switch turn {
        case .success(let next): batch = next
        case .failure(let leftOut):
            leftOutCount += 1
            if leftOutCount >= pass, step.isMultiple(of: pass) {
                throw TrainingError.everyBatchLeftOut(.training, "\(leftOut.reason)")
            }
            return nil
        }
        leftOutCount = 0
        let executable = try trainer.trainingExecutable(for: batch, classWeights: classWeights, seed: seed)
        return (executable, batch.count)
    }
}

/// What a training is validated on after each epoch.
struct ValidationSource {
    /// Which examples, in which batches.
    let summary: String
    let fingerprints: () -> [DataFingerprint]
    let evaluate: () throws -> Totals
}

extension Trainer {
    /// A training step with its inputs set to a batch.
    ///
    /// - Throws: `TrainingError` or `ShapeError` when the batch does not fit the model.
    fileprivate func trainingExecutable(
        for batch: Examples, classWeights: ClassWeights?, seed: UInt64
    ) throws -> any Executable {
        try check(batch, .training, classWeights: classWeights)
        let executable = try trainingExecutable(
            GraphKey(batch, classWeights: classWeights), batch: batch.count, seed: seed)
        for (name, value) in batch.sources(for: self) { try executable.setInput(name, to: value) }
        return executable
    }
}
