import CMPI
import Foundation
import FoveaFiles
import FoveaTraining

/// The processes that `mpirun` has started, by Open MPI 4 or 5.
///
/// ```swift
/// let history = try await trainer.fit(data, epochs: 10, batchSize: 128, sharding: .shards(8, over: .mpi()))
/// ```
///
/// The library is opened when the first group is made; all groups of a process are the same. From then on the end of one process
/// ends all, but for the time after a training that has ended in all of them: then each waits at its end for the others.
public final class MPIGroup: ProcessGroup {
    public let rank: Int
    public let size: Int
    /// The library's name and version.
    public let summary: String
    private let timeout: Double

    /// The number of this process among those that `mpirun` has started with it; nil where it did not start this one.
    public static var launchedRank: Int? {
        let environment = ProcessInfo.processInfo.environment
        // The second is what other starters give that speak PMIx, such as `srun --mpi=pmix`.
        return (environment["OMPI_COMM_WORLD_RANK"] ?? environment["PMIX_RANK"]).flatMap { Int($0) }
    }

    /// Joins the other processes.
    ///
    /// - Parameter timeout: how many seconds another process may take to answer: as long as it may be behind, because it loads data or
    ///   writes a file.
    /// - Throws: `MPIError` when Open MPI is not installed or cannot be used; `TrainingError.invalidArgument` for a timeout that is not
    ///   positive.
    public init(timeout: Double = 60) throws {
        guard timeout > 0, timeout.isFinite else {
            throw TrainingError.invalidArgument(
                "timeout of MPIGroup", "\(timeout)", expected: "a positive number of seconds")
        }
        self.timeout = timeout
        var place = fovea_mpi_place()
        let message = Self.message { fovea_mpi_join(&place, $0) }
        if let message {
            throw MPIError(
                "Open MPI cannot be used: \(message); install Open MPI 4 or 5, or start without mpirun")
        }
        (rank, size) = (Int(place.rank), Int(place.size))
        summary = withUnsafeBytes(of: place.library) {
            String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    public func exchange(
        sending sent: UnsafeRawBufferPointer, receiving received: UnsafeMutableRawBufferPointer,
        with rank: Int
    ) throws {
        var status = fovea_mpi_success
        let message = Self.message {
            status = fovea_mpi_exchange(
                sent.baseAddress, sent.count, received.baseAddress, received.count, Int32(rank), timeout, $0)
            return status
        }
        guard let message else { return }
        switch status {
        case fovea_mpi_silent:
            throw MPIError(
                "process \(rank) has not answered process \(self.rank) for \(Int(timeout)) s, so training ends; where a process may "
                    + "take longer for its data or files, choose a longer timeout (--rank-timeout)")
        case fovea_mpi_orphaned:
            throw MPIError("mpirun is gone, so training ends")
        default:
            throw MPIError("process \(self.rank) has lost process \(rank): \(message)")
        }
    }

    public func begin() { fovea_mpi_set_bound(1) }
    public func ended() { fovea_mpi_set_bound(0) }

    /// What a call of the library says of its failure; nil when it succeeded.
    private static func message(
        _ body: (UnsafeMutablePointer<CChar>) throws -> fovea_mpi_status
    ) rethrows -> String? {
        try withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(fovea_mpi_message_size)) {
            buffer in
            buffer.initialize(repeating: 0)
            guard let start = buffer.baseAddress, try body(start) != fovea_mpi_success else { return nil }
            return String(cString: start)
        }
    }
}

/// Processes cannot be joined, or one of them is lost.
public struct MPIError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = visible(description) }
}

extension ProcessGroup where Self == MPIGroup {
    /// The processes that `mpirun` has started.
    ///
    /// - Parameter timeout: how many seconds another process may take to answer.
    /// - Throws: as `MPIGroup.init`.
    public static func mpi(timeout: Double = 60) throws -> MPIGroup { try MPIGroup(timeout: timeout) }
}
