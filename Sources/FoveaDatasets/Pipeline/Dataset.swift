import FoveaGraph

/// Elements that are computed when they are asked for, such as pictures that are read from files.
///
/// A data set is a function of the number of an element and of an epoch: the same numbers give the same element, in any
/// order and on any thread. So training goes on anywhere without a replay of what came before. Operations such as `map` and
/// `shuffled` make further data sets and compute nothing yet.
///
/// ```swift
/// let batches = try Dataset(pictures)
///     .shuffled(seed: 1)
///     .map { try read($0) }
///     .map(seed: 2) { try augment($0, using: &$1) }
///     .batched(32)
/// for try await batch in try batches.loaded(epoch: 3) { … }
/// ```
///
/// An epoch counts how often a data set has been gone through: what depends on chance, such as the order of `shuffled` and
/// the random numbers of `map(seed:)`, is different in each.
public struct Dataset<Element: Sendable>: Sendable, CustomStringConvertible {
    /// How many elements an epoch has; nil when the data set is endless.
    public var count: Int? { isEndless ? nil : extent }

    let isEndless: Bool
    /// Elements have the numbers `0..<extent`. An endless data set has as many as can be counted, so that no number that is
    /// made from a valid one overflows.
    let extent: Int
    /// Whether an element may be in another place in another epoch.
    let reorders: Bool
    /// What each operation has done, in their order.
    let stages: [Stage]
    /// The element at a place that exists.
    let compute: @Sendable (Place) throws -> Element
    /// The same in pieces; nil when it is one piece.
    let pieces: Pieces?
    /// Where examples are copied from, if they are in memory as they are.
    let rows: ExampleRows?
    /// Some of the parts that a batch falls into, computed without the others; nil where a batch is computed as a whole.
    let parts: Parts?

    typealias Pieces = @Sendable (Place) -> Work<Element>
    typealias Parts =
        @Sendable (_ batch: Place, _ range: Range<Int>, _ count: Int) -> Work<BatchParts<Element>>

    init(
        extent: Int, isEndless: Bool = false, reorders: Bool = false, stages: [Stage],
        rows: ExampleRows? = nil, parts: Parts? = nil, pieces: Pieces? = nil,
        compute: @escaping @Sendable (Place) throws -> Element
    ) {
        self.extent = extent
        self.isEndless = isEndless
        self.reorders = reorders
        self.stages = stages
        self.rows = rows
        self.parts = parts
        self.pieces = pieces
        self.compute = compute
    }

    /// Elements that a function computes.
    ///
    /// - Parameters:
    ///   - count: how many; not negative.
    ///   - name: what the elements are, for messages and to tell this data set from others when training is resumed.
    ///   - element: the element with a number in `0..<count`, which may be another one in each epoch. It must depend on
    ///     nothing else, and is called on several threads at once.
    /// - Throws: `DatasetError` for a negative count.
    public init(
        count: Int, named name: String = "elements",
        element: @escaping @Sendable (_ index: Int, _ epoch: Int) throws -> Element
    ) throws(DatasetError) {
        guard count >= 0 else {
            throw DatasetError(.invalidArgument, "a data set of \(count) elements; it must be 0 or more")
        }
        self.init(extent: count, stages: ["\(count) \(name)"]) { try element($0.index, $0.epoch) }
    }

    /// The elements of an array, the same in each epoch.
    ///
    /// - Parameter name: what the elements are, as for the other initializer.
    public init(_ elements: [Element], named name: String = "elements") {
        self.init(extent: elements.count, stages: ["\(elements.count) \(name)"]) { elements[$0.index] }
    }

    /// What was done to make this data set, with counts and seeds: equal for data sets that are made in the same way.
    public var description: String { stages.map(\.text).joined(separator: ", ") }

    /// What is known of the data that this data set is made from, in whatever way; computed when it is asked for.
    package var fingerprints: [DataFingerprint] { stages.flatMap(\.sources).map { $0() } }

    /// Computes one element.
    ///
    /// - Parameters:
    ///   - index: in `0..<count`, or any that is not negative when the data set is endless.
    ///   - epoch: not negative.
    /// - Throws: `DatasetError` for numbers out of these ranges; what the functions throw that the data set is made of.
    public func element(at index: Int, epoch: Int = 0) throws -> Element {
        guard index >= 0, index < extent else {
            throw DatasetError(
                .invalidArgument,
                "there is no element \(index); "
                    + (count.map { available($0, "elements") }
                        ?? "elements of an endless data set are 0 and above"))
        }
        guard epoch >= 0 else {
            throw DatasetError(.invalidArgument, "there is no epoch \(epoch); epochs are 0 and above")
        }
        do { return try compute(Place(index: index, epoch: epoch)) } catch let leftOut as LeftOut {
            throw leftOut.explained
        }
    }

    /// The element at a place that exists, as work.
    func work(at place: Place) -> Work<Element> {
        pieces?(place) ?? Work { [compute] in try compute(place) }
    }

    /// Elements of this data set in other places.
    ///
    /// - Parameters:
    ///   - reorders: whether that differs between epochs.
    ///   - place: where the element is that comes to a place of the new data set.
    func moved(
        extent: Int, isEndless: Bool = false, reorders: Bool = false, stage: String,
        _ place: @escaping @Sendable (Place) -> Place
    ) -> Dataset {
        let compute = compute
        var movedPieces: Pieces?
        if let pieces { movedPieces = { pieces(place($0)) } }
        var movedParts: Parts?
        if let parts { movedParts = { parts(place($0), $1, $2) } }
        var movedRows: ExampleRows?
        if let rows { movedRows = ExampleRows(examples: rows.examples) { rows.index(place($0)) } }
        return Dataset(
            extent: extent, isEndless: isEndless, reorders: self.reorders || reorders,
            stages: stages + [Stage(stage)], rows: movedRows, parts: movedParts, pieces: movedPieces
        ) { try compute(place($0)) }
    }
}

/// What one operation has done.
struct Stage: Sendable, ExpressibleByStringInterpolation {
    let text: String
    /// What is known of data that it brought in.
    let sources: [@Sendable () -> DataFingerprint]

    init(_ text: String, sources: [@Sendable () -> DataFingerprint] = []) {
        self.text = text
        self.sources = sources
    }

    init(stringLiteral text: String) { self.init(text) }
}

/// Which element is meant.
struct Place: Hashable, Sendable {
    let index: Int
    let epoch: Int
}

/// Examples in memory and which of them is at a place, so that batches are copied from there at once.
struct ExampleRows: Sendable {
    let examples: Examples
    let index: @Sendable (Place) -> Int
}

extension Dataset where Element == Example {
    /// Examples in memory, one by one. Batches of them are copied row by row as long as nothing but their order was changed.
    public init(_ examples: Examples) {
        self.init(
            extent: examples.count,
            stages: [Stage("\(examples.count) examples", sources: [{ DataFingerprint(examples) }])],
            rows: ExampleRows(examples: examples) { $0.index }
        ) { examples.example(at: $0.index) }
    }
}
