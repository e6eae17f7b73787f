import FoveaGraph
import FoveaPlanner
import FoveaRuntime

/// Chooses the algorithms of convolutions, their gradients and matrix products by timing each that the precision allows.
///
/// `OneDNNBackend` by itself chooses from precision, shape and CPU, the same at every run. With a tuner it takes the
/// fastest of what was measured, but keeps its own choice where that is at most 3 % slower, so that noise changes little.
/// Algorithms round differently: only runs that find their times in the same file compute the same bits.
///
/// What is timed is the kernel alone, on random numbers in memory, in the layouts that it asks for: not the layout changes
/// that a choice may cause before or after it. Nor are the caches quite as the other calls of a plan leave them, so gains
/// of a few percent may not show in a training step.
@Compute
public final class Tuner {
    /// How the algorithm for a request was chosen.
    public struct Record: Sendable, Hashable, Codable {
        /// Direction, shapes and all else that the choice depends on, besides precision and machine.
        public let request: String
        /// What was chosen, such as `winograd tiles`.
        public let algorithm: String
        /// The least time of each algorithm, by its name. Empty where there is but one, which needs no measuring.
        public let microseconds: [String: Double]
        /// Whether the times were known from an earlier run.
        public let isFromCache: Bool
    }

    /// All choices so far, in the order in which plans asked for them.
    public private(set) var records: [Record] = []

    private let version: String
    private let warn: @Sendable (String) -> Void
    private let leastSeconds: LeastSeconds
    /// nil once it is known that it cannot be written.
    private var file: TimingFile?
    /// Times from the file and those measured since; nil before the file was read.
    private var known: TimingFile.Times?
    private var recorded: Set<[String]> = []

    /// Seconds that each kernel takes, for several requests at once.
    typealias LeastSeconds = @Compute ([[any ContractionKernel]]) throws -> [[Double]]

    /// A request and what it could be computed with.
    private struct Question {
        let request: ContractionRequest
        let candidates: [any ContractionKernel]
        /// Where its times are found: machine and entry.
        let key: [String]

        var names: [String] { candidates.map(\.algorithm.description) }
    }

    /// - Parameters:
    ///   - cacheFile: where times are kept for later runs; nil keeps them nowhere. Missing folders are made. Times
    ///     count for the same CPU, number of threads, version of oneDNN and `version`.
    ///   - version: of the program that measures; another one may have other kernels, so its times are others.
    ///   - warn: is told of a file that cannot be read or written. Neither keeps anything from being computed.
    public nonisolated convenience init(
        cacheFile: String?, version: String, warn: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.init(
            cacheFile: cacheFile, version: version, warn: warn, leastSeconds: ContractionTimer.leastSeconds)
    }

    /// The same with the clock given, so that tests need not depend on times.
    nonisolated init(
        cacheFile: String?, version: String, warn: @escaping @Sendable (String) -> Void,
        leastSeconds: @escaping LeastSeconds
    ) {
        file = cacheFile.map { TimingFile(path: $0) }
        self.version = version
        self.warn = warn
        self.leastSeconds = leastSeconds
    }

    /// Chooses for what a plan computes and the catalog has no tuned choice for.
    ///
    /// - Returns: whether there was any such; the graph is then to be planned again, for other algorithms want other
    ///   layouts.
    func tune(_ catalog: inout OneDNNCatalog, for plan: Plan) throws -> Bool {
        let machine = Machine.description(threads: catalog.threads, version: version)
        var seen = Set(catalog.tuned.keys)
        let open = try plan.calls.compactMap { ($0.kernel as? any ContractionKernel)?.contraction }
            .filter { seen.insert($0).inserted }
            .map { request in
                Question(
                    request: request, candidates: try catalog.candidates(request),
                    key: [machine, "\(catalog.precision): \(request)"])
            }
        let unknown = open.filter { $0.candidates.count > 1 && times(for: $0) == nil }
        try measure(unknown)
        let measured = Set(unknown.map(\.key))
        for question in open {
            let times = question.candidates.count > 1 ? times(for: question) ?? [] : []
            let algorithm = question.candidates[Self.best(times)].algorithm
            catalog.tuned[question.request] = algorithm
            guard recorded.insert(question.key).inserted else { continue }
            records.append(
                Record(
                    request: question.request.description, algorithm: algorithm.description,
                    microseconds: Dictionary(zip(question.names, times), uniquingKeysWith: min),
                    isFromCache: !times.isEmpty && !measured.contains(question.key)))
        }
        return !open.isEmpty
    }

    /// The place of the least time; the first where that is hardly longer.
    static func best(_ times: [Double]) -> Int {
        let tie = 1.03
        guard let least = times.min(), times[0] > least * tie else { return 0 }
        return times.firstIndex(of: least) ?? 0
    }

    // MARK: - Times

    /// Microseconds for each candidate; nil unless they are known for these algorithms and can be times.
    private func times(for question: Question) -> [Double]? {
        guard let entry = knownTimes()[question.key[0]]?[question.key[1]] else { return nil }
        let times = question.names.compactMap { entry[$0] }
        let isWhole = times.count == entry.count && times.count == question.names.count
        return isWhole && times.allSatisfy { $0 >= 0 } ? times : nil
    }

    private func knownTimes() -> TimingFile.Times {
        if let known { return known }
        var times: TimingFile.Times = [:]
        do {
            times = try file?.read() ?? [:]
        } catch {
            warn("\(error); measuring again")
        }
        known = times
        return times
    }

    private func measure(_ questions: [Question]) throws {
        guard !questions.isEmpty else { return }
        var added: TimingFile.Times = [:]
        for (question, seconds) in zip(questions, try leastSeconds(questions.map(\.candidates))) {
            let microseconds = seconds.map { ($0 * 1e9).rounded() / 1e3 }
            added[question.key[0], default: [:]][question.key[1]] = Dictionary(
                zip(question.names, microseconds), uniquingKeysWith: min)
        }
        known = knownTimes().adding(added)
        do {
            try file?.add(added)
        } catch {
            warn("\(error); the times measured now are not kept")
            file = nil
        }
    }
}
