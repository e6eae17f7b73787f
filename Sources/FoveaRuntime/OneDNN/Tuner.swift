import FoveaGraph
import FoveaPlanner

/// Chooses the algorithms of convolutions, their gradients and matrix products by timing each that the precision allows.
///
/// `OneDNNBackend` by itself chooses from precision, shape and CPU, the same at every run. With a tuner it takes the
/// fastest of what was measured, but keeps its own choice where that is at most 3 % slower, so that noise changes little.
/// Algorithms round differently: only runs that find their times in the same file compute the same bits.
///
/// What is timed is the kernel alone, on random numbers in memory, in the layouts that it asks for: not the layout changes
/// that a choice may cause before or after it.
@Compute
public final class Tuner {
    /// How the algorithm for a request was chosen.
    public struct Record: Sendable, Hashable, Codable {
        /// Direction, shapes and all else that the choice depends on, besides precision and machine.
        public let request: String
        /// What was chosen, such as `winograd`.
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
    /// Times known from the file, and those measured since.
    private var known: TimingFile.Times?
    private var measured: TimingFile.Times = [:]
    private var algorithms: [String: Algorithm] = [:]

    /// Seconds that each of the kernels takes.
    typealias LeastSeconds = @Compute ([ContractionChoice]) throws -> [Double]

    /// - Parameters:
    ///   - cacheFile: where times are kept for later runs, such as `Tuner.usualCacheFile()`; nil keeps them nowhere.
    ///     Missing folders are made. Times count for the same CPU, number of threads, version of oneDNN and `version`.
    ///   - version: of the program that measures; another one may have other kernels, so its times are others.
    ///   - warn: is told of a file that cannot be read or written. Neither keeps anything from being computed.
    public nonisolated convenience init(
        cacheFile: String?, version: String, warn: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.init(cacheFile: cacheFile, version: version, warn: warn) {
            try ContractionTimer($0).leastSeconds()
        }
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
        let open = plan.calls.compactMap { ContractionChoice($0.kernel)?.request }
            .filter { catalog.tuned[$0] == nil }
        for request in open { catalog.tuned[request] = try algorithm(for: request, catalog) }
        save()
        return !open.isEmpty
    }

    private func algorithm(for request: ContractionRequest, _ catalog: OneDNNCatalog) throws -> Algorithm {
        let machine = Machine.description(threads: catalog.threads, version: version)
        let entry = "\(catalog.precision): \(request)"
        if let algorithm = algorithms[machine + entry] { return algorithm }
        let candidates = try catalog.candidates(request)
        let names = candidates.map(\.algorithm.description)
        var microseconds: [Double] = []
        var isFromCache = false
        if candidates.count > 1 {
            if let times = knownTimes()[machine]?[entry], let ordered = times.inOrder(names) {
                (microseconds, isFromCache) = (ordered, true)
            } else {
                microseconds = try leastSeconds(candidates).map { ($0 * 1e9).rounded() / 1e3 }
                measured[machine, default: [:]][entry] = Dictionary(
                    zip(names, microseconds), uniquingKeysWith: min)
            }
        }
        let algorithm = candidates[Self.best(microseconds)].algorithm
        algorithms[machine + entry] = algorithm
        records.append(
            Record(
                request: request.description, algorithm: algorithm.description,
                microseconds: Dictionary(zip(names, microseconds), uniquingKeysWith: min),
                isFromCache: isFromCache))
        return algorithm
    }

    /// The place of the least time; the first where that is hardly longer.
    static func best(_ times: [Double]) -> Int {
        let tie = 1.03
        guard let least = times.min(), times[0] > least * tie else { return 0 }
        return times.firstIndex(of: least) ?? 0
    }

    // MARK: - The file

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

    /// Adds what was measured since the last time.
    private func save() {
        guard let file, !measured.isEmpty else { return }
        do {
            try file.add(measured)
            measured = [:]
        } catch {
            warn("\(error); the times measured now are not kept")
            self.file = nil
        }
    }
}

extension [String: Double] {
    /// The values for the keys; nil unless these are all keys, and the values can be times.
    fileprivate func inOrder(_ keys: [String]) -> [Double]? {
        let values = keys.compactMap { self[$0] }
        return values.count == count && count == keys.count && values.allSatisfy { $0 >= 0 } ? values : nil
    }
}
