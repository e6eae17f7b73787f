import FoveaGraph
import Synchronization

@testable import FoveaDatasets

/// What a data set should be: all elements of each epoch.
struct DatasetModel<Element: Sendable>: Sendable {
    let epoch: @Sendable (Int) -> [Element]
}

extension Dataset {
    /// All elements of an epoch, each asked for by itself.
    func elements(epoch: Int = 0) throws -> [Element] {
        try (0..<(count ?? 0)).map { try element(at: $0, epoch: epoch) }
    }

    /// All elements of an epoch, loaded.
    func loadedElements(
        threads: Int, ahead: Int = 2, epoch: Int = 0, from start: Int = 0
    ) async throws -> [Element] {
        var elements: [Element] = []
        for try await element in try loaded(threads: threads, ahead: ahead, epoch: epoch, from: start) {
            elements.append(element)
        }
        return elements
    }
}

/// A data set after some random operations, and what it should be, made in plainer ways.
struct RandomChain {
    var generator: PhiloxGenerator

    init(seed: UInt64) { generator = PhiloxGenerator(seed: seed, stream: 1, step: 0) }

    mutating func number(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + generator.index(below: range.count)
    }

    /// - Parameter change: makes other elements, from an element and a number.
    mutating func extend<Element>(
        _ dataset: Dataset<Element>, _ model: DatasetModel<Element>, operations: Int,
        change: @escaping @Sendable (Element, Int) -> Element
    ) throws -> (Dataset<Element>, DatasetModel<Element>) {
        var (dataset, model) = (dataset, model)
        for _ in 0..<operations {
            let seed = UInt64(number(0...3))
            let before = model
            switch number(0...10) {
            case 0:
                dataset = dataset.map { change($0, 1) }
                model = .init { before.epoch($0).map { change($0, 1) } }
            case 1:
                dataset = dataset.map(seed: seed) { change($0, Int($1.nextWord())) }
                model = .init { epoch in
                    before.epoch(epoch).enumerated().map { index, element in
                        var generator = PhiloxGenerator(seed: seed, epoch: epoch, index: index)
                        return change(element, Int(generator.nextWord()))
                    }
                }
            case 2:
                dataset = try dataset.shuffled(seed: seed)
                model = .init { epoch in
                    let all = before.epoch(epoch)
                    return shuffledOrder(count: all.count, seed: seed, epoch: epoch).map { all[$0] }
                }
            case 3:
                let count = number(0...12)
                dataset = try dataset.take(count)
                model = .init { Array(before.epoch($0).prefix(count)) }
            case 4:
                let count = number(0...3)
                dataset = try dataset.skip(count)
                model = .init { Array(before.epoch($0).dropFirst(count)) }
            case 5:
                let times = number(0...3)
                dataset = try dataset.repeated(times)
                model = .init { epoch in
                    (0..<times).flatMap { before.epoch(epoch * times + $0) }
                }
            case 6:
                let other = (dataset.map { change($0, 5) }, before)
                dataset = try dataset.concatenated(with: other.0)
                model = .init { before.epoch($0) + before.epoch($0).map { change($0, 5) } }
            case 7:
                guard let count = dataset.count, count > 0 else { continue }
                let indices = (0..<number(0...9)).map { _ in generator.index(below: count) }
                dataset = try dataset.subset(indices)
                model = .init { epoch in
                    let all = before.epoch(epoch)
                    return indices.map { all[$0] }
                }
            case 8:
                dataset = try dataset.zipped(with: dataset.skip(2)).map { change($0.0, $0.1 as? Int ?? 8) }
                model = .init { epoch in
                    let all = before.epoch(epoch)
                    return zip(all, all.dropFirst(2)).map { change($0, $1 as? Int ?? 8) }
                }
            case 9:
                dataset = try dataset.cached(byteLimit: number(0...10)) { _ in 1 }
                model = .init { _ in before.epoch(0) }
            default:
                let buffer = number(1...6)
                dataset = try dataset.shuffled(buffer: buffer, seed: seed)
                model = .init { epoch in
                    leaving(buffer, before.epoch(epoch), seed: seed, epoch: epoch)
                }
            }
        }
        return (dataset, model)
    }
}

/// A buffer of elements that leave it at random, one step after the other.
private func leaving<Element>(_ buffer: Int, _ elements: [Element], seed: UInt64, epoch: Int) -> [Element] {
    var generator = PhiloxGenerator(seed: seed, stream: 0x6275_6666, step: UInt64(epoch))
    var inside: [Element] = []
    var outside: [Element] = []
    func leave() {
        let place = generator.index(below: inside.count)
        outside.append(inside[place])
        inside[place] = inside[inside.count - 1]
        inside.removeLast()
    }
    for element in elements {
        if inside.count == buffer {
            // What enters takes the place of what leaves.
            let place = generator.index(below: buffer)
            outside.append(inside[place])
            inside[place] = element
        } else {
            inside.append(element)
        }
    }
    while !inside.isEmpty { leave() }
    return outside
}

/// Counts, on any thread.
final class Counter: Sendable {
    private let value = Mutex(0)

    var count: Int { value.withLock { $0 } }
    @discardableResult func add() -> Int {
        value.withLock {
            $0 += 1
            return $0
        }
    }
}

/// Cannot be computed.
struct Broken: Error, Equatable, CustomStringConvertible {
    let index: Int
    var description: String { "element \(index) is broken" }
}
