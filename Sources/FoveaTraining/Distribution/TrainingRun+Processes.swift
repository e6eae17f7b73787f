import FoveaDatasets
import FoveaGraph
import FoveaRuntime

/// A training in several processes. Whatever decides how it goes on, such as the loss, is the same number in all of them, so they do
/// the same; what only one can know, that it failed or was asked to stop, it tells the others when they next add something.
extension TrainingRun {
    func train(with group: any ProcessGroup) throws -> History {
        group.begin()
        do {
            let history = try trainToEnd()
            _ = try group.agree(.success(ShardSums()), numberCount: totals.sumCount)
            group.ended()
            return history
        } catch let agreed as Agreed {
            group.ended()
            throw agreed.error
        } catch {
            do { _ = try group.agree(.failure(error), numberCount: totals.sumCount) } catch is Agreed {
                group.ended()
            } catch {
                // The others are gone, or what this process could not do was to reach them.
            }
            throw error
        }
    }

    /// Gives all processes what the first one begins with.
    ///
    /// - Throws: `TrainingError.processDiffers` in one that does not train the same.
    func beginTogether(_ sharding: Sharding) throws {
        let group = sharding.group
        guard group.size > 1 else { return }
        var own = try conditions
        // What is done to a checkpoint later may differ from what is done now.
        own["number of epochs"] = "\(epochs)"
        own["epochs before"] = "\(completeEpochs)"
        own["steps of an epoch"] = "\(stepsPerEpoch)"
        own["callbacks"] = callbacks.map { "\(type(of: $0))" }.joined(separator: ", ")
        own["number of processes"] = "\(group.size)"
        own["instructions"] = trainer.backend.versions.sorted { $0.key < $1.key }
            .map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        own["program"] = digestOfProgram ?? "unknown"
        _ = try group.agree(.success(ShardSums()), numberCount: totals.sumCount)

        var bytes: [UInt8] = []
        if group.rank == 0 {
            var first = try checkpoint()
            first.conditions = own
            bytes = try first.bytes()
        }
        bytes = try group.broadcast(bytes)
        if group.rank != 0 {
            let first = try Checkpoint(bytes: bytes, CustomTypes(of: trainer.configuration))
            // Whether anything was resumed is for the first to find.
            own["epochs before"] = first.conditions["epochs before"]
            if let difference = try difference(from: first, own) {
                throw TrainingError.processDiffers(rank: group.rank, difference)
            }
            try move(to: first)
            remember(first.memories)
        }
        // So that nothing begins where one is refused.
        _ = try group.agree(.success(ShardSums()), numberCount: totals.sumCount)
        if verbosity != .silent {
            output.write(
                "Training in \(group.size) processes (\(group.summary)), which compute \(sharding.own.count) of "
                    + "\(sharding.count) shards each\n")
        }
    }

    /// Lets training end in all processes when it does in one.
    func endEpochTogether(_ group: any ProcessGroup) throws {
        guard group.size > 1 else { return }
        let isEnding = try group.agree(
            .success(ShardSums()), numberCount: totals.sumCount, isStopRequested: stopReason != nil
        ).isStopRequested
        if isEnding, stopReason == nil { stopTraining("another process ended it") }
    }

    /// A step with shards. Returns the loss; nil when the batch was left out.
    func takeStep(_ sharding: Sharding) throws -> Float? {
        let step = UInt64(step)
        setLearningRate()
        let own = Result {
            let shards = try source.nextShards()
            lastBatch = shards.parts.lazy.compactMap(\.self).first
            var sums = try treeSum(over: sharding.own) { number in
                guard let shard = shards.parts[number - sharding.own.lowerBound] else { return ShardSums() }
                if !isChecked { try trainer.check(shard, .training, classWeights: classWeights) }
                for problem in trainer.warnings.take() { warn(problem) }
                return try trainer.shardSums(
                    of: shard, classWeights, number: step &* UInt64(sharding.count) &+ UInt64(number),
                    seed: seed)
            } add: {
                $0 += $1
            }
            sums.leftOutReason = shards.leftOutReason
            return sums
        }
        let agreement = try sharding.group.agree(
            own, numberCount: totals.sumCount, gradientCount: trainer.summedElementCount,
            isStopRequested: stop?.isRequested == true)
        stopIsAgreed = agreement.isStopRequested
        let sums = agreement.sums
        guard sums.examples > 0 else {
            try source.noteLeftOut(sums.leftOutReason)
            completeSteps += 1
            return nil
        }
        try trainer.update(with: sums)
        completeSteps += 1
        totals.add(sums.numbers, examples: sums.examples)
        return Float(sums.numbers[0][0] / Double(sums.examples))
    }
}
