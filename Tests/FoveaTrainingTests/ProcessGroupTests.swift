import Foundation
import Synchronization
import Testing

@testable import FoveaTraining

/// Processes that are threads of the test.
private final class Threads: Sendable {
    /// What was sent from one to another and not yet received.
    private let mail = Mutex<[[Int]: [[UInt8]]]>([:])
    let count: Int
    /// How many bytes each has sent.
    let sentCounts: Mutex<[Int]>

    init(_ count: Int) {
        self.count = count
        sentCounts = Mutex(Array(repeating: 0, count: count))
    }

    struct Member: ProcessGroup {
        let all: Threads
        let rank: Int
        var size: Int { all.count }
        var summary: String { "threads" }

        func exchange(
            sending sent: UnsafeRawBufferPointer, receiving received: UnsafeMutableRawBufferPointer,
            with other: Int
        ) {
            let bytes = Array(sent)
            all.sentCounts.withLock { $0[rank] += bytes.count }
            if !bytes.isEmpty { all.mail.withLock { $0[[rank, other], default: []].append(bytes) } }
            if received.isEmpty { return }
            while true {
                let next = all.mail.withLock { mail -> [UInt8]? in
                    guard let first = mail[[other, rank]]?.first else { return nil }
                    mail[[other, rank]]?.removeFirst()
                    return first
                }
                if let next {
                    #expect(next.count == received.count)
                    received.copyBytes(from: next.prefix(received.count))
                    return
                }
                usleep(100)
            }
        }

        func begin() {}
        func ended() {}
    }

    /// What each member comes to.
    func each<Result: Sendable>(_ body: @escaping @Sendable (Member) throws -> Result) async -> [Result?] {
        let results = Mutex<[Result?]>(Array(repeating: nil, count: count))
        await withCheckedContinuation { continuation in
            let rest = Mutex(count)
            for rank in 0..<count {
                Thread.detachNewThread { [self] in
                    let result = try? body(Member(all: self, rank: rank))
                    results.withLock { $0[rank] = result }
                    if rest.withLock({
                        $0 -= 1
                        return $0
                    }) == 0 {
                        continuation.resume()
                    }
                }
            }
        }
        return results.withLock { $0 }
    }
}

struct ProcessGroupTests {
    /// Numbers of very different size, so that the order of a sum shows.
    private static func numbers(_ shard: Int, _ count: Int) -> [Float] {
        (0..<count).map { place in
            let number = Float((shard * 7919 + place * 104_729) % 1009) - 500
            return number * (place % 3 == 0 ? 1e-6 : place % 3 == 1 ? 1 : 1e5)
        }
    }

    /// Sums of eight shards have the same bits however many processes share them out.
    @Test(arguments: [0, 1, 3, 16, 1001])
    func sumsDoNotDependOnTheNumberOfProcesses(_ count: Int) async {
        let whole = treeSum(over: 0..<8) {
            Self.numbers($0, count)
        } add: {
            $0 = zip($0, $1).map(+)
        }
        for size in [1, 2, 4, 8] {
            let results = await Threads(size).each { group in
                let own = Sharding.shards(8, over: group).own
                var sum = treeSum(over: own) {
                    Self.numbers($0, count)
                } add: {
                    $0 = zip($0, $1).map(+)
                }
                try group.sum(&sum)
                return sum.map(\.bitPattern)
            }
            for result in results { #expect(result == whole.map(\.bitPattern), "\(size) processes") }
        }
        let inTurn = (1..<8).reduce(Self.numbers(0, count)) { zip($0, Self.numbers($1, count)).map(+) }
        if count > 16 { #expect(inTurn != whole) }
    }

    @Test(arguments: [1, 2, 4, 8])
    func sumsOfDoublesAreThoseOfTheTree(_ size: Int) async {
        let numbers: @Sendable (Int) -> [Double] = { rank in
            [1e16 * Double(rank % 2), Double(rank) + 0.1, -1]
        }
        let expected = treeSum(over: 0..<size, numbers) { $0 = zip($0, $1).map(+) }
        let results = await Threads(size).each { group in
            var sum = numbers(group.rank)
            try group.sum(&sum)
            return sum
        }
        for result in results { #expect(result == expected) }
    }

    /// No process sends more than twice what it has, however many there are.
    @Test func largeArraysAreSharedOut() async {
        let (threads, count) = (Threads(8), 8000)
        _ = await threads.each { group in
            var numbers = [Float](repeating: 1, count: count)
            try group.sum(&numbers)
        }
        let sent = threads.sentCounts.withLock { $0 }
        #expect(sent.allSatisfy { $0 <= 2 * 4 * count }, "\(sent)")
    }

    @Test(arguments: [1, 2, 4, 8], [0, 1, 1000])
    func allGetWhatTheFirstHas(_ size: Int, _ count: Int) async {
        let results = await Threads(size).each { group in
            try group.broadcast(group.rank == 0 ? (0..<count).map { UInt8($0 % 251) } : [9])
        }
        for result in results { #expect(result == (0..<count).map { UInt8($0 % 251) }) }
    }

    /// A process that cannot go on is an error in all, and one that was asked to stop stops all.
    @Test func whatOneKnowsAllLearn() async {
        let failures = await Threads(4).each { group -> String in
            do {
                let own: Result<ShardSums, any Error> =
                    group.rank == 2 ? .failure(TrainingError.noLoss) : .success(ShardSums())
                _ = try group.agree(own, numberCount: 2)
                return "none"
            } catch let agreed as Agreed {
                return "\(agreed.error)"
            }
        }
        let other = "\(TrainingError.otherProcessFailed)"
        #expect(failures == [other, other, "\(TrainingError.noLoss)", other])
        let stops = await Threads(4).each { group in
            try group.agree(.success(ShardSums()), numberCount: 2, isStopRequested: group.rank == 3)
                .isStopRequested
        }
        #expect(stops == [true, true, true, true])
    }

    /// Processes whose shards are empty learn from the others how many numbers there are.
    @Test func emptyShardsTakePart() async {
        let sums = await Threads(4).each { group -> ShardSums in
            var own = ShardSums()
            if group.rank == 1 { own = ShardSums(examples: 3, numbers: [[1], [2, 3]], gradients: [4, -5]) }
            if group.rank == 3 {
                own = ShardSums(examples: 1, numbers: [[10], [20, 30]], gradients: [0.5, 1])
            }
            return try group.agree(.success(own), numberCount: 2, gradientCount: 2).sums
        }
        for sum in sums {
            #expect(sum?.examples == 4)
            #expect(sum?.numbers == [[11], [22, 33]])
            #expect(sum?.gradients == [4.5, -4])
        }
    }

    /// Also of zeros: the sum of -0 and nothing is 0 everywhere.
    @Test func emptyShardsAddZeros() {
        var negative = ShardSums(examples: 1, numbers: [[-0.0]], gradients: [-0.0])
        negative += ShardSums()
        var other = ShardSums()
        other += ShardSums(examples: 1, numbers: [[-0.0]], gradients: [-0.0])
        for sums in [negative, other] {
            #expect(sums.gradients.map(\.bitPattern) == [0])
            #expect(sums.numbers[0].map(\.bitPattern) == [0])
        }
    }

    @Test func groupsThatDoNotFitAreRefused() {
        func problem(_ shards: Int, of size: Int) -> String {
            do {
                try Sharding.shards(shards, over: Threads.Member(all: Threads(size), rank: 0)).check()
                return ""
            } catch { return "\(error)" }
        }
        #expect(problem(8, of: 8) == "")
        #expect(problem(1, of: 1) == "")
        #expect(problem(12, of: 1).contains("power of two"))
        #expect(problem(0, of: 1).contains("number of shards is 0"))
        #expect(problem(8, of: 3).contains("number of processes is 3"))
        #expect(problem(8, of: 16).contains("number of processes is 16"))
    }
}
