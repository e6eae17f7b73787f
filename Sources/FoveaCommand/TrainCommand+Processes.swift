import ArgumentParser
import Fovea

extension TrainCommand {
    /// How batches are cut: as was asked for, and where mpirun has started this process, for all that it has started. Joins these.
    func makeSharding() throws -> Sharding? {
        guard MPIGroup.launchedRank != nil else {
            let sharding = training.shards.map { Sharding.shards($0) }
            try sharding?.check()
            return sharding
        }
        let group = try MPIGroup(timeout: Double(training.rankTimeout))
        let sharding = Sharding.shards(training.shards ?? 8, over: group)
        do {
            try sharding.check()
            if findRate || autotune {
                throw ValidationError(
                    "--find-rate and --autotune are for one process, which finds the step size or the algorithms out by itself; "
                        + "start it without mpirun")
            }
        } catch {
            guard group.rank > 0 else { throw error }
            // The first says it, and ends all.
            group.ended()
            throw ExitCode.failure
        }
        return sharding
    }
}
