/// How each batch of a training is cut into shards, and which processes share them out.
///
/// ```swift
/// let history = try await trainer.fit(data, epochs: 10, batchSize: 128, sharding: .shards(8))
/// ```
///
/// A batch is cut by position into `count` parts of the same size, or one more or less; a small one leaves some empty. The
/// gradients of each shard, its random numbers, and the changes that layers make themselves, such as batch normalization's
/// moving statistics, depend on the shard alone. They are added in pairs, pairs of pairs and so on, and one step of the optimizer
/// is taken with their mean over all examples. So the same seed, data and number of shards give the same bits for any number of
/// processes.
///
/// Sharded training is another one than that with whole batches: the same gradient but for rounding, other random numbers
/// for dropout, and statistics of batch normalization over each shard by itself. Moving variances become means of the shards'.
public struct Sharding: Sendable {
    /// A power of two.
    public let count: Int
    public let group: any ProcessGroup

    /// All shards in this process.
    ///
    /// - Parameter count: a power of two.
    public static func shards(_ count: Int) -> Sharding { Sharding(count: count, group: SingleProcess()) }

    /// As many shards in each of some processes.
    ///
    /// - Parameters:
    ///   - count: a power of two and a multiple of the number of processes.
    ///   - group: the processes.
    public static func shards(_ count: Int = 8, over group: any ProcessGroup) -> Sharding {
        Sharding(count: count, group: group)
    }

    /// Whether files are written and progress is shown by this process: by the first only.
    var isFirst: Bool { group.rank == 0 }

    /// The shards of this process.
    var own: Range<Int> {
        let count = count / group.size
        return group.rank * count..<(group.rank + 1) * count
    }

    static let counts = 1...4096

    /// - Throws: `TrainingError.invalidArgument` when there are no such shards, or they cannot be shared out.
    public func check() throws {
        func isPowerOfTwo(_ number: Int) -> Bool { number > 0 && number & (number - 1) == 0 }
        guard Self.counts.contains(count), isPowerOfTwo(count) else {
            throw TrainingError.invalidArgument(
                "the number of shards", "\(count)", expected: "1, 2, 4, 8 or another power of two up to 4096")
        }
        guard isPowerOfTwo(group.size), count.isMultiple(of: group.size) else {
            throw TrainingError.invalidArgument(
                "the number of processes", "\(group.size)",
                expected: count == 1
                    ? "1, as there is one shard"
                    : "a power of two up to the number of shards, \(count), so that each has as many")
        }
    }
}

/// What `leaf` gives for each number of a range, which has a power of two of them, added in pairs, pairs of pairs and so on.
func treeSum<Sum>(
    over range: Range<Int>, _ leaf: (Int) throws -> Sum, add: (inout Sum, Sum) -> Void
) rethrows -> Sum {
    guard range.count > 1 else { return try leaf(range.lowerBound) }
    let middle = range.lowerBound + range.count / 2
    var sum = try treeSum(over: range.lowerBound..<middle, leaf, add: add)
    add(&sum, try treeSum(over: middle..<range.upperBound, leaf, add: add))
    return sum
}
