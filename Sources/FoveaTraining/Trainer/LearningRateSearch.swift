import FoveaDatasets
import FoveaGraph
import FoveaRuntime

/// The losses of a learning-rate range test: how the loss goes while the learning rate grows from step to step.
///
/// Smith 2015, "Cyclical learning rates for training neural networks", arXiv:1506.01186, section 3.3; the growth is that of a
/// geometric series and the loss is smoothed, as in fastai.
public struct LearningRateSearch: Hashable, Codable, Sendable {
    /// One step of the optimizer.
    public struct Step: Hashable, Codable, Sendable {
        public let learningRate: Double
        /// Of the batch, or the mean over the batches of the step, before the step.
        public let loss: Double
        /// The moving average `a ← s·a + (1 - s)·loss`, divided by `1 - sᵗ` at step t as Adam's, with `s = 0.9^(100 / steps)`.
        public let smoothedLoss: Double
    }

    /// In the order of their rates, up to the one at which the loss had grown too large.
    public let steps: [Step]
    /// Whether it ended before the largest rate, because the smoothed loss was more than four times its smallest value or the
    /// loss was not finite.
    public let diverged: Bool

    /// The rate of the step with the smallest smoothed loss; nil when no loss was finite.
    public var bestRate: Double? { steps.min { $0.smoothedLoss < $1.smoothedLoss }?.learningRate }

    /// A rate to train with: a tenth of `bestRate`, as fastai's `lr_find` suggests it, so that there is room to where training
    /// breaks down. Nil when the loss never fell, so that nothing can be said.
    public var suggestedRate: Double? {
        guard let best = steps.indices.min(by: { steps[$0].smoothedLoss < steps[$1].smoothedLoss }), best > 0
        else { return nil }
        return steps[best].learningRate / 10
    }
}

extension Trainer {
    /// Tries learning rates from small to large, a step of the optimizer with each: a range test. All that it changes is set
    /// back to what it was, so training can begin behind it.
    ///
    /// ```swift
    /// let search = try await trainer.findLearningRate(batches)
    /// if let rate = search.suggestedRate { trainer.learningRate = rate }
    /// ```
    ///
    /// A schedule has no effect meanwhile; clipping, accumulation, penalties and multipliers of layers have.
    ///
    /// - Parameters:
    ///   - batches: the training data, gone through again where it is too short.
    ///   - smallest: the rate of the first step, positive.
    ///   - largest: that of the last one, larger.
    ///   - steps: how many rates, at least 2.
    ///   - classWeights: as for `fit`.
    ///   - seed: for random layers such as dropout.
    ///   - loaderThreads: as for `fit`.
    ///   - stop: ends the test with `CancellationError`.
    /// - Throws: as `fit`.
    public func findLearningRate(
        _ batches: Dataset<Examples>, from smallest: Double = 1e-7, to largest: Double = 10,
        steps: Int = 100, classWeights: ClassWeights? = nil, seed: UInt64 = 0, loaderThreads: Int? = nil,
        stop: StopSignal? = nil
    ) throws -> LearningRateSearch {
        try check("steps", steps, in: 2...100_000, "in 2...100000")
        guard smallest.isFinite, smallest > 0, largest.isFinite, largest > smallest else {
            throw TrainingError.invalidArgument(
                "the range of learning rates", "\(smallest) to \(largest)",
                expected: "from a positive number to a larger one, such as 1e-7 to 10")
        }
        if trained.isEmpty { throw TrainingError.nothingToTrain }
        let accumulation = configuration.accumulation
        let (count, overflow) = steps.multipliedReportingOverflow(by: accumulation)
        guard !overflow, count <= Int32.max else {
            throw TrainingError.invalidArgument(
                "accumulation", "\(accumulation)", expected: "small enough for \(steps) steps")
        }
        let source = try DatasetSource(
            batches, epochs: 1, stepsPerEpoch: count, conditions: [:], loaderThreads: loaderThreads,
            stop: stop)
        try source.move(to: 0)

        let (before, rate) = (try Snapshot(of: changingVariables), learningRate)
        defer { learningRate = rate }
        let result = Result {
            try search(source, smallest, largest, steps, classWeights, seed, stop)
        }
        try before.restore()
        return try result.get()
    }

    /// Tries learning rates on batches of examples in memory, in another order than they have.
    ///
    /// - Parameters: as on batches.
    /// - Throws: as `fit`.
    public func findLearningRate(
        _ examples: Examples, batchSize: Int = 32, from smallest: Double = 1e-7, to largest: Double = 10,
        steps: Int = 100, classWeights: ClassWeights? = nil, seed: UInt64 = 0, stop: StopSignal? = nil
    ) throws -> LearningRateSearch {
        try check("batchSize", batchSize, in: 1..., "positive")
        try check(examples, .training, classWeights: classWeights)
        return try findLearningRate(
            .batches(of: examples, size: batchSize, shuffleSeed: seed), from: smallest, to: largest,
            steps: steps, classWeights: classWeights, seed: seed, loaderThreads: 1, stop: stop)
    }

    private func search(
        _ source: DatasetSource, _ smallest: Double, _ largest: Double, _ count: Int,
        _ classWeights: ClassWeights?, _ seed: UInt64, _ stop: StopSignal?
    ) throws -> LearningRateSearch {
        let smoothing = power(0.9, 100 / Double(count))
        var (average, weight) = (0.0, 1.0)
        var steps: [LearningRateSearch.Step] = []
        for index in 0..<count {
            if stop?.isRequested == true { throw CancellationError() }
            let rate = smallest * power(largest / smallest, Double(index) / Double(count - 1))
            guard let loss = try step(index, source, rate, classWeights, seed) else { continue }
            guard loss.isFinite else { return LearningRateSearch(steps: steps, diverged: true) }
            average = smoothing * average + (1 - smoothing) * loss
            weight *= smoothing
            let smoothed = average / (1 - weight)
            steps.append(LearningRateSearch.Step(learningRate: rate, loss: loss, smoothedLoss: smoothed))
            if let best = steps.map(\.smoothedLoss).min(), smoothed > 4 * best, best > 0 {
                return LearningRateSearch(steps: steps, diverged: true)
            }
        }
        return LearningRateSearch(steps: steps, diverged: false)
    }

    /// One step of the optimizer. Returns the mean loss of its batches; nil when all were left out.
    private func step(
        _ index: Int, _ source: DatasetSource, _ rate: Double, _ classWeights: ClassWeights?, _ seed: UInt64
    ) throws -> Double? {
        let accumulation = configuration.accumulation
        var losses: [Double] = []
        for part in 0..<accumulation {
            guard let batch = try source.next() else { continue }
            try check(batch, .training, classWeights: classWeights)
            var values = values(of: batch)
            values["learning_rate"] = TensorValue(Float(rate))
            let results = try runner.run(
                trainingStep(GraphKey(batch, classWeights: classWeights)), values,
                number: UInt64(index * accumulation + part), seed: seed)
            losses.append(Double(try results[0].value().scalar))
        }
        return losses.isEmpty ? nil : losses.reduce(0, +) / Double(losses.count)
    }
}
