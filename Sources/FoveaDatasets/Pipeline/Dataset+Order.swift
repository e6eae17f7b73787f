import FoveaGraph
import Synchronization

/// Operations that choose and order elements without computing any.
extension Dataset {
    // MARK: Parts

    /// The first `count` elements, or all if there are fewer. Of shuffled data these are others in each epoch.
    ///
    /// - Throws: `DatasetError` for a negative number.
    public func take(_ count: Int) throws(DatasetError) -> Dataset {
        try check(count, isAtLeast: 0, "take")
        return moved(extent: min(count, extent), stage: "the first \(count)") { $0 }
    }

    /// All but the first `count` elements; none if there are no more. Of shuffled data these are others in each epoch, so
    /// `take` and `skip` do not divide them into data for training and validation; `split` before `shuffled` does.
    ///
    /// - Throws: `DatasetError` for a negative number.
    public func skip(_ count: Int) throws(DatasetError) -> Dataset {
        try check(count, isAtLeast: 0, "skip")
        return moved(
            extent: extent - min(count, extent), isEndless: isEndless, stage: "without the first \(count)"
        ) { Place(index: $0.index + count, epoch: $0.epoch) }
    }

    /// The elements with these numbers, in this order; one may come more than once. Of shuffled data these are others in
    /// each epoch, because elements then have other numbers.
    ///
    /// - Throws: `DatasetError` when there is no element with such a number.
    public func subset(_ indices: [Int]) throws(DatasetError) -> Dataset {
        if let outside = indices.first(where: { $0 < 0 || $0 >= extent }) {
            throw DatasetError(
                .invalidArgument, "a subset with element \(outside) of a data set of \(extent) elements")
        }
        return picking(indices, stage: "a subset of \(indices.count) (\(digest(indices)))")
    }

    /// The last `fraction` of the elements as validation data and those before it as training data, as with
    /// `Examples.split`: training gets `⌊count · (1 − fraction)⌋` elements.
    ///
    /// - Parameters:
    ///   - fraction: in `0..<1`.
    ///   - seed: when given, elements are put into random order first, the same in all epochs. Both parts are in the order
    ///     of this data set all the same.
    /// - Throws: `DatasetError` when `fraction` is outside its range, one part would be empty, or the data set is endless;
    ///   behind `shuffled` or `balanced`, where the parts would be others in each epoch.
    public func split(last fraction: Double, seed: UInt64? = nil) throws(DatasetError) -> (
        training: Dataset, validation: Dataset
    ) {
        try checkFinite("split")
        try checkOrderStays("split")
        try checkOrderable()
        let trainingCount = try countBefore(last: fraction, of: extent)
        let order = seed.map { shuffledOrder(count: extent, seed: $0, epoch: 0) } ?? Array(0..<extent)
        let method = "\(fraction) split off" + (seed.map { " with seed \($0)" } ?? "")
        return (
            picking(order.prefix(trainingCount).sorted(), stage: "what is left by the last \(method)"),
            picking(order.dropFirst(trainingCount).sorted(), stage: "the last \(method)")
        )
    }

    // MARK: Order

    /// The elements in random order, another one in each epoch: that of `shuffledOrder`.
    ///
    /// The order of an epoch is computed when its first element is asked for, with up to 20 bytes for each element. Orders of
    /// epochs before are kept, four bytes for each element, as long as all take at most 32 MiB; the last two in any case.
    ///
    /// - Throws: `DatasetError` when the data set is endless or has 2³² or more elements.
    public func shuffled(seed: UInt64) throws(DatasetError) -> Dataset {
        try checkFinite("shuffled")
        return try ordered(extent, stage: "shuffled with seed \(seed)") { [extent] epoch in
            shuffledOrder(count: extent, seed: seed, epoch: epoch).map { UInt32($0) }
        }
    }

    /// The elements in the order in which they leave a buffer: it is filled with the first `buffer` elements, and each that
    /// leaves it at random makes room for the next one. Neighbours stay near each other, which is good for files that are
    /// read from one end to the other.
    ///
    /// - Parameter buffer: at least 1, which changes nothing; any order is possible when it is not less than the count.
    /// - Throws: `DatasetError` for a buffer of no elements; as `shuffled(seed:)`.
    public func shuffled(buffer: Int, seed: UInt64) throws(DatasetError) -> Dataset {
        try check(buffer, isAtLeast: 1, "buffer")
        try checkFinite("shuffled")
        return try ordered(extent, stage: "shuffled with a buffer of \(buffer) and seed \(seed)") {
            [extent] epoch in bufferedOrder(count: extent, buffer: buffer, seed: seed, epoch: epoch)
        }
    }

    /// The data set several times over. Each time is an epoch of its own: epoch `e` has those from `times · e` on.
    ///
    /// - Throws: `DatasetError` for a negative number and for more elements than an `Int` can count.
    public func repeated(_ times: Int) throws(DatasetError) -> Dataset {
        try check(times, isAtLeast: 0, "times")
        try checkFinite("repeated")
        let (product, overflow) = extent.multipliedReportingOverflow(by: times)
        guard !overflow else { throw tooMany() }
        return moved(extent: product, stage: "\(times) times") { [extent] in
            Place(
                index: $0.index % extent, epoch: ($0.epoch &* times &+ $0.index / extent) & Int.max)
        }
    }

    /// The data set again and again without end. Each time is an epoch of its own.
    ///
    /// - Throws: `DatasetError` when it has no elements.
    public func repeated() throws(DatasetError) -> Dataset {
        guard extent > 0 else {
            throw DatasetError(.invalidArgument, "a data set without elements cannot be repeated endlessly")
        }
        if isEndless { return self }
        return moved(extent: Int.max, isEndless: true, stage: "repeated endlessly") { [extent] in
            Place(index: $0.index % extent, epoch: ($0.epoch &+ $0.index / extent) & Int.max)
        }
    }

    // MARK: Classes

    /// As many elements of each class, in turn: one of each class, then another one of each, and so on.
    ///
    /// Which elements of a class come, or come once more than others, depends on chance and differs between epochs.
    ///
    /// - Parameters:
    ///   - labels: the class of each element.
    ///   - method: whether elements of small classes come several times, or those of large classes are left out.
    /// - Throws: `DatasetError` when there is not one label for each element, or more elements than an `Int` can count;
    ///   behind `shuffled` or another `balanced`, where labels belong to other elements in each epoch.
    public func balanced(
        by labels: [Int], _ method: ClassBalancing, seed: UInt64
    ) throws(DatasetError) -> Dataset {
        try checkFinite("balanced")
        try checkOrderStays("balanced")
        guard labels.count == extent else {
            throw DatasetError(
                .mismatchedCounts, "\(labels.count) labels for \(extent) elements; each needs one")
        }
        let classes = Dictionary(grouping: labels.indices, by: { labels[$0] }).sorted { $0.key < $1.key }
            .map(\.value)
        let counts = classes.map(\.count)
        let perClass = (method == .oversampling ? counts.max() : counts.min()) ?? 0
        let (total, overflow) = perClass.multipliedReportingOverflow(by: classes.count)
        guard !overflow else { throw tooMany() }
        return try ordered(
            total, stage: "balanced by \(method.rawValue) with seed \(seed) (\(digest(labels)))"
        ) { epoch in
            var order = [UInt32](repeating: 0, count: total)
            for (number, members) in classes.enumerated() {
                var generator = PhiloxGenerator(seed: seed, epoch: epoch, index: number)
                let chosen = randomOrder(Array(members.indices), &generator)
                for turn in 0..<perClass {
                    order[turn * classes.count + number] = UInt32(members[chosen[turn % chosen.count]])
                }
            }
            return order
        }
    }

    // MARK: Details

    private func picking(_ indices: [Int], stage: String) -> Dataset {
        moved(extent: indices.count, stage: stage) { Place(index: indices[$0.index], epoch: $0.epoch) }
    }

    /// Elements in an order that is computed once for each epoch.
    private func ordered(
        _ count: Int, stage: String, _ order: @escaping @Sendable (_ epoch: Int) -> [UInt32]
    ) throws(DatasetError) -> Dataset {
        try checkOrderable()
        guard count < UInt32.max else { throw tooMany() }
        let orders = EpochOrders(order)
        return moved(extent: count, reorders: true, stage: stage) {
            Place(index: orders.index(at: $0), epoch: $0.epoch)
        }
    }

    private func checkOrderStays(_ action: String) throws(DatasetError) {
        guard !reorders else {
            throw DatasetError(
                .invalidArgument,
                "the elements of this data set are in another order in each epoch, so it cannot be \(action); do this "
                    + "before it is shuffled or balanced")
        }
    }

    private func checkOrderable() throws(DatasetError) {
        guard extent < UInt32.max else {
            throw DatasetError(
                .tooLarge, "\(extent) elements are too many for a random order, which takes memory for each")
        }
    }

    private func check(_ value: Int, isAtLeast least: Int, _ name: String) throws(DatasetError) {
        guard value >= least else {
            throw DatasetError(.invalidArgument, "\(name) is \(value); it must be \(least) or more")
        }
    }
}

/// How classes come to have as many elements as each other.
public enum ClassBalancing: String, CaseIterable, Sendable {
    /// Each gets as many as the largest has, by coming several times.
    case oversampling
    /// Each gets as many as the smallest has; others are left out.
    case undersampling
}

/// The orders of the last epochs that were asked for. Several are kept because threads that work ahead may be in the next
/// epoch, and because epochs of this data set are mixed where it is repeated and then shuffled.
final class EpochOrders: Sendable {
    private struct State {
        var orders: [Int: [UInt32]] = [:]
        /// Those that have an order, in the order in which they were computed.
        var epochs: [Int] = []
    }

    /// For all orders, in numbers of 4 bytes.
    private static let limit = 1 << 23
    private let state = Mutex(State())
    private let make: @Sendable (Int) -> [UInt32]

    init(_ make: @escaping @Sendable (Int) -> [UInt32]) { self.make = make }

    func index(at place: Place) -> Int {
        state.withLock { state in
            if let order = state.orders[place.epoch] { return Int(order[place.index]) }
            let order = make(place.epoch)
            if state.epochs.count >= max(2, Self.limit / max(1, order.count)) {
                state.orders[state.epochs.removeFirst()] = nil
            }
            state.orders[place.epoch] = order
            state.epochs.append(place.epoch)
            return Int(order[place.index])
        }
    }
}

/// The order in which `0..<count` leave a buffer of random exits.
private func bufferedOrder(count: Int, buffer: Int, seed: UInt64, epoch: Int) -> [UInt32] {
    var generator = PhiloxGenerator(
        seed: seed, stream: bufferStream, step: UInt64(bitPattern: Int64(epoch)))
    var waiting = (0..<UInt32(min(buffer, count))).map { $0 }
    var order: [UInt32] = []
    order.reserveCapacity(count)
    while !waiting.isEmpty {
        let place = generator.index(below: waiting.count)
        order.append(waiting[place])
        let next = order.count + waiting.count - 1
        waiting[place] = next < count ? UInt32(next) : waiting[waiting.count - 1]
        if next >= count { waiting.removeLast() }
    }
    return order
}

/// Random numbers for shuffling with a buffer come from this stream ("buff" in ASCII).
private let bufferStream: UInt32 = 0x6275_6666

/// Tells long lists apart, in few letters: the hash of Fowler, Noll and Vo.
struct FNV1a {
    private var hash: UInt64 = 0xCBF2_9CE4_8422_2325

    /// Takes in the bytes of a number.
    mutating func add<Number: FixedWidthInteger>(_ number: Number) {
        for shift in stride(from: 0, to: Number.bitWidth, by: 8) {
            hash = (hash ^ UInt64(truncatingIfNeeded: number >> shift) & 0xFF) &* 0x100_0000_01B3
        }
    }

    var text: String { String(hash, radix: 16) }
}

/// The digest of the bytes of numbers.
func digest<Number: FixedWidthInteger>(_ numbers: [Number]) -> String {
    var digest = FNV1a()
    for number in numbers { digest.add(number) }
    return digest.text
}
