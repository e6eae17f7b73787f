import FoveaGraph
import FoveaPictures
import Synchronization

extension Dataset {
    /// Elements in groups, one after the other. Loading threads compute the elements of a batch at the same time.
    ///
    /// - Parameters:
    ///   - size: elements in a batch; the last one has the rest.
    ///   - dropsRemainder: whether a last batch that is smaller is left out.
    ///   - onError: what becomes of a batch with an element that cannot be computed.
    /// - Throws: `DatasetError` when the size is not positive.
    public func batched(
        _ size: Int, dropsRemainder: Bool = false, onError: ElementErrorPolicy = .stop
    ) throws(DatasetError) -> Dataset<[Element]> {
        try batched(size, dropsRemainder, onError) { $0 }
    }

    private func batched<Batch>(
        _ size: Int, _ dropsRemainder: Bool, _ policy: ElementErrorPolicy, rows: ExampleRows? = nil,
        _ joined: @escaping @Sendable ([Element]) throws -> Batch
    ) throws(DatasetError) -> Dataset<Batch> {
        let batches = try batchCount(size, dropsRemainder)
        @Sendable func places(_ batch: Place) -> some Sequence<Place> {
            let start = batch.index * size
            return (start..<(start + min(size, extent - start))).lazy.map {
                Place(index: $0, epoch: batch.epoch)
            }
        }
        return Dataset<Batch>(
            extent: batches, isEndless: isEndless, reorders: reorders,
            stages: stages + [batchStage(size, dropsRemainder, policy)],
            parts: { batch, range, count in
                let elements = Array(places(batch))
                let parts = range.map { elements[partRange($0, of: count, in: elements.count)].map(work) }
                return Work(pieces: parts.flatMap { $0.flatMap(\.pieces) }) {
                    var result = BatchParts<Batch>()
                    for works in parts {
                        try result.append {
                            guard !works.isEmpty else { return nil }
                            return try joined(
                                policy.elements(
                                    works.lazy.map { work in Result(catching: work.result) }, isPart: true))
                        }
                    }
                    return result
                }
            },
            pieces: { batch in
                let works = places(batch).map(work)
                return Work(pieces: works.flatMap(\.pieces)) {
                    try joined(policy.elements(works.lazy.map { work in Result(catching: work.result) }))
                }
            },
            compute: { batch in
                try joined(
                    policy.elements(places(batch).map { place in Result { try compute(place) } }))
            })
    }

    fileprivate func batchCount(_ size: Int, _ dropsRemainder: Bool) throws(DatasetError) -> Int {
        guard size > 0 else {
            throw DatasetError(.invalidArgument, "the batch size is \(size); it must be positive")
        }
        // The last batch of an endless data set would go over the largest number.
        return extent / size + (dropsRemainder || isEndless || extent % size == 0 ? 0 : 1)
    }

    fileprivate func batchStage(_ size: Int, _ dropsRemainder: Bool, _ policy: ElementErrorPolicy) -> Stage {
        Stage("batches of \(size)" + (dropsRemainder ? " without a smaller one" : "") + policy.summary)
    }
}

extension Dataset where Element == Example {
    /// Examples in batches for training, each input and target of the model as one tensor.
    ///
    /// - Parameters: as for batches of any elements.
    /// - Throws: `DatasetError` when the size is not positive. A batch throws it when its examples have not all the same
    ///   shapes and types.
    public func batched(
        _ size: Int, dropsRemainder: Bool = false, onError: ElementErrorPolicy = .stop
    ) throws(DatasetError) -> Dataset<Examples> {
        guard let rows else {
            return try batched(size, dropsRemainder, onError) { try Examples(stacking: $0) }
        }
        let extent = extent
        @Sendable func picked(_ part: Range<Int>, of batch: Place) -> Examples {
            let start = batch.index * size
            return rows.examples.picking(
                part.map { rows.index(Place(index: start + $0, epoch: batch.epoch)) })
        }
        @Sendable func count(_ batch: Place) -> Int { min(size, extent - batch.index * size) }
        return Dataset<Examples>(
            extent: try batchCount(size, dropsRemainder), isEndless: isEndless, reorders: reorders,
            stages: stages + [batchStage(size, dropsRemainder, onError)],
            parts: { batch, range, parts in
                Work {
                    BatchParts(
                        range.map { number in
                            let part = partRange(number, of: parts, in: count(batch))
                            return part.isEmpty ? nil : picked(part, of: batch)
                        })
                }
            }, compute: { batch in picked(0..<count(batch), of: batch) })
    }
}

/// What becomes of a batch when one of its elements cannot be computed, such as a picture that is damaged.
public enum ElementErrorPolicy: Sendable {
    /// The batch throws the error of the first such element.
    case stop
    /// Such elements are left out of their batch, which is smaller then, and noted. All others stay in the batch that they
    /// would be in, so training can be resumed.
    ///
    /// A batch without any element left is left out itself: `loaded` passes it over, and so do training, where it is a step
    /// without an update that gradient accumulation does not count, evaluation and prediction. All other batches keep their
    /// numbers, so fewer come than `count` says. `element(at:)` throws an error of the kind and file of the first.
    case skip(FailedElements)

    fileprivate var summary: String {
        switch self {
        case .stop: ""
        case .skip: ", failed elements left out"
        }
    }

    /// - Parameter isPart: whether they are a part of a batch, which is no batch without elements if nothing is left of it.
    fileprivate func elements<Element>(
        _ results: some Sequence<Result<Element, any Error>>, isPart: Bool = false
    ) throws -> [Element] {
        var elements: [Element] = []
        var firstReason: (any Error)?
        for result in results {
            do { elements.append(try result.get()) } catch let leftOut as LeftOut {
                // A batch in a batch, noted already.
                firstReason = firstReason ?? leftOut.reason
            } catch {
                guard case .skip(let failed) = self else { throw error }
                failed.add(error)
                firstReason = firstReason ?? error
            }
        }
        guard let firstReason, elements.isEmpty else { return elements }
        if case .skip(let failed) = self, !isPart { failed.addBatch() }
        throw LeftOut(reason: firstReason)
    }
}

/// What is thrown in the place of an element that whoever goes through a data set passes over: a batch of which nothing is
/// left.
package struct LeftOut: Error, CustomStringConvertible {
    /// Why its first element failed.
    package let reason: any Error

    package var description: String { "\(explained)" }

    /// An error of the kind and file of the first.
    var explained: any Error {
        let problem = "every element of a batch failed, this one first: "
        return switch reason {
        case let error as DatasetError: DatasetError(error.kind, file: error.file, problem + error.message)
        case let error as PictureError: PictureError(error.kind, file: error.file, problem + error.message)
        default: DatasetError(.invalidArgument, problem + "\(reason)")
        }
    }
}

/// Notes which elements were left out of their batches.
public final class FailedElements: Sendable {
    private struct State {
        var count = 0
        var batchCount = 0
        var descriptions: Set<String> = []
    }

    /// How many different errors are kept.
    private static let limit = 1000
    private let state = Mutex(State())

    public init() {}

    /// How often an element was left out, so far and also of batches that were loaded ahead: in each epoch once more.
    public var count: Int { state.withLock { $0.count } }

    /// How often nothing was left of a batch, which was then left out; counted as `count` is.
    public var batchCount: Int { state.withLock { $0.batchCount } }

    /// What the errors say, each once, sorted; at most 1,000.
    public var descriptions: [String] { state.withLock { $0.descriptions.sorted() } }

    fileprivate func add(_ error: any Error) {
        let description = "\(error)"
        state.withLock { state in
            state.count += 1
            if state.descriptions.count < Self.limit { state.descriptions.insert(description) }
        }
    }

    fileprivate func addBatch() { state.withLock { $0.batchCount += 1 } }
}
