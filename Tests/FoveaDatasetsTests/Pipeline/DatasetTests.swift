import FoveaGraph
import Testing

@testable import FoveaDatasets

@Suite struct DatasetTests {
    private func numbers(_ count: Int) throws -> Dataset<Int> {
        try Dataset(count: count) { index, epoch in index &+ 1000 &* epoch }
    }

    /// Any operations give what they would give on arrays, whatever computes them, and wherever one begins.
    @Test(arguments: 0..<60 as Range<UInt64>)
    func operationsDoWhatTheyDoToArrays(seed: UInt64) async throws {
        var chain = RandomChain(seed: seed)
        let size = chain.number(1...9)
        let (dataset, model) = try chain.extend(
            numbers(size), .init { epoch in (0..<size).map { $0 + 1000 * epoch } },
            operations: chain.number(0...5)
        ) { ($0 &* 31 &+ $1) % 1_000_003 }

        let batchSize = chain.number(1...5)
        let drops = chain.number(0...1) == 1
        let (batches, batchModel) = try chain.extend(
            dataset.batched(batchSize, dropsRemainder: drops),
            .init { epoch in
                let all = model.epoch(epoch)
                return stride(from: 0, to: all.count, by: batchSize)
                    .map { Array(all[$0...].prefix(batchSize)) }
                    .filter { !drops || $0.count == batchSize }
            }, operations: chain.number(0...4)
        ) { batch, number in batch.map { $0 ^ number } + [number] }

        for epoch in [0, 1, 4] {
            #expect(dataset.count == model.epoch(epoch).count)
            #expect(try dataset.elements(epoch: epoch) == model.epoch(epoch), "\(dataset)")
            let expected = batchModel.epoch(epoch)
            #expect(try batches.elements(epoch: epoch) == expected, "\(batches)")
            for threads in [0, 1, 2, 7] {
                let start = chain.number(0...(expected.count + 1))
                let loaded = try await batches.loadedElements(
                    threads: threads, ahead: chain.number(1...4), epoch: epoch, from: start)
                #expect(loaded == Array(expected.dropFirst(start)), "\(batches), \(threads) threads")
            }
        }

        // Without end.
        guard dataset.count != 0 else { return }
        let endless = try dataset.repeated().skip(2).batched(3)
        #expect(endless.count == nil)
        let plain = (0..<9).flatMap(model.epoch)
        let all = Array((0..<40).flatMap { _ in plain }.dropFirst(2).prefix(30))
        guard plain.count >= 32 else { return }
        let loaded = try await endless.take(10).loadedElements(threads: 2)
        #expect(loaded == stride(from: 0, to: 30, by: 3).map { Array(all[$0..<($0 + 3)]) })
    }

    @Test func eachRepetitionIsAnotherEpoch() throws {
        let data = try numbers(3).shuffled(seed: 2)
        let all = try (0..<6).flatMap { try data.elements(epoch: $0) }
        #expect(try data.repeated(3).elements(epoch: 1) == Array(all[9...]))
        #expect(try data.repeated(2).repeated(3).elements() == all)
        let endless = try data.repeated()
        #expect(try (0..<18).map { try endless.element(at: $0) } == all)
        #expect(try endless.repeated().element(at: 17) == all[17])
        #expect(try endless.skip(4).take(5).elements() == Array(all[4..<9]))
        #expect(try Dataset([1, 2]).shuffled(seed: 2).repeated().element(at: Int.max - 1) > 0)
        #expect(try endless.batched(7).skip(3).batched(2).element(at: 1).flatMap { $0 }.count == 14)
        let far = (Int.max - 10) / 14
        #expect(try endless.batched(7).batched(2).element(at: far).flatMap { $0 }.count == 14)
    }

    @Test func ordersOfEpochsDiffer() throws {
        let data = Dataset(Array(0..<50))
        for shuffled in [try data.shuffled(seed: 3), try data.shuffled(buffer: 10, seed: 3)] {
            let orders = try (0..<5).map { try shuffled.elements(epoch: $0) }
            #expect(Set(orders).count == 5)
            #expect(orders.allSatisfy { $0.sorted() == Array(0..<50) })
        }
        #expect(
            try data.shuffled(seed: 3).elements(epoch: 6) == shuffledOrder(count: 50, seed: 3, epoch: 6))
        #expect(try data.shuffled(buffer: 1, seed: 3).elements() == Array(0..<50))
        let buffered = try data.shuffled(buffer: 10, seed: 3).elements()
        #expect(buffered.enumerated().allSatisfy { $1 < $0 + 10 })
        #expect(buffered.enumerated().contains { $1 > $0 + 5 })
        #expect(try data.shuffled(buffer: Int.max, seed: 3).elements().sorted() == Array(0..<50))
    }

    /// Epochs that are mixed do not make their orders again and again, and large orders do not fill the memory.
    @Test(arguments: [(5, 1000, 1), (1 << 22, 2, 1), (1 << 22, 3, 9)])
    func ordersAreKept(count: Int, epochs: Int, rounds: Int) {
        let computed = Counter()
        let orders = EpochOrders { epoch in
            computed.add()
            return [UInt32](repeating: UInt32(epoch), count: count)
        }
        for _ in 0..<9 {
            for epoch in 0..<epochs {
                #expect(orders.index(at: Place(index: count - 1, epoch: epoch)) == epoch)
            }
        }
        #expect(computed.count == rounds * epochs)
    }

    /// Random numbers belong to the element, so they do not change with what comes after the map.
    @Test func randomNumbersOfElements() throws {
        let drawn = try numbers(20).map(seed: 5) { element, random in [UInt64(element), random.next()] }
        let all = try (0..<3).map { try drawn.elements(epoch: $0) }
        #expect(Set(all.joined().map { $0[1] }).count == 60)
        for epoch in 0..<3 {
            let shuffled = try drawn.shuffled(seed: 1).elements(epoch: epoch)
            #expect(Set(shuffled) == Set(all[epoch]) && shuffled != all[epoch])
        }
        let other = try numbers(20).map(seed: 6) { element, random in [UInt64(element), random.next()] }
        #expect(try Set(other.elements()).isDisjoint(with: all[0]))
    }

    @Test(arguments: [nil, 4] as [UInt64?]) func splitting(seed: UInt64?) throws {
        let (training, validation) = try numbers(25).split(last: 0.3, seed: seed)
        for epoch in 0..<2 {
            let (first, last) = (try training.elements(epoch: epoch), try validation.elements(epoch: epoch))
            #expect(first.count == 17 && first == first.sorted() && last == last.sorted())
            #expect((first + last).sorted() == Array((1000 * epoch)..<(1000 * epoch + 25)))
            #expect((last[0] == 17 + 1000 * epoch) == (seed == nil))
        }
        for fraction in [-0.1, 1, 2, .nan, .infinity, 0, 1e-17] {
            #expect(throws: DatasetError.self) { try numbers(25).split(last: fraction, seed: seed) }
        }
        #expect(throws: DatasetError.self) { try numbers(0).split(last: 0.5, seed: seed) }
    }

    /// Whatever lies between: behind a shuffle, examples for validation would come into training in the next epoch.
    @Test func shuffledDataAreNotDivided() throws {
        let data = try numbers(8)
        let shuffled = try data.shuffled(seed: 1)
        let others = try [
            shuffled, data.shuffled(buffer: 3, seed: 1), shuffled.map { $0 }, shuffled.take(6),
            shuffled.skip(1),
            shuffled.subset([1, 2]), shuffled.repeated(2), shuffled.repeated().take(9),
            data.concatenated(with: shuffled), shuffled.concatenated(with: data),
            data.zipped(with: shuffled).map { $0.1 }, shuffled.zipped(with: data).map { $0.1 },
            data.balanced(by: Array(0..<8), .oversampling, seed: 1), shuffled.batched(1).map { $0[0] },
        ]
        for dataset in others {
            let error = #expect(throws: DatasetError.self) { try dataset.split(last: 0.5, seed: 3) }
            #expect(error?.message.contains("before it is shuffled") == true, "\(dataset)")
            #expect(throws: DatasetError.self) {
                try dataset.balanced(by: Array(0..<(dataset.count ?? 0)), .oversampling, seed: 2)
            }
        }
        let rows = try Dataset(numbered(6)).shuffled(seed: 1).batched(2) as Dataset<Examples>
        #expect(throws: DatasetError.self) { try rows.split(last: 0.5) }
        // A cache keeps the order of the first epoch.
        let (training, validation) = try shuffled.cached(byteLimit: 0) { _ in 1 }.split(last: 0.5)
        for epoch in 0..<3 {
            #expect(
                try Set(training.elements(epoch: epoch) + validation.elements(epoch: epoch)) == Set(0..<8))
        }
        #expect(try data.map { $0 }.batched(1).split(last: 0.5).training.shuffled(seed: 1).count == 4)
    }

    // MARK: Classes

    @Test(arguments: ClassBalancing.allCases) func balancing(method: ClassBalancing) throws {
        let labels = (0..<30).map { [7, 7, -1, 7, 2, 7][$0 % 6] } + [9]
        let counts = [7: 20, -1: 5, 2: 5, 9: 1]
        let data = Dataset(Array(labels.enumerated().map { [$0.offset, $0.element] }))
        let balanced = try data.balanced(by: labels, method, seed: 3)
        let perClass = method == .oversampling ? 20 : 1
        var seen: Set<[[Int]]> = []
        for epoch in 0..<3 {
            let all = try balanced.elements(epoch: epoch)
            seen.insert(all)
            #expect(all.map { $0[1] } == (0..<perClass).flatMap { _ in [-1, 2, 7, 9] })
            for (label, count) in counts {
                // Each as often as any other, to within one.
                let ofClass = Dictionary(grouping: all.filter { $0[1] == label }, by: { $0[0] }).map(
                    \.value.count)
                #expect(ofClass.count == min(count, perClass))
                #expect(ofClass.allSatisfy { $0 >= perClass / count && $0 <= perClass / count + 1 })
            }
        }
        #expect(seen.count == 3)
        #expect(throws: DatasetError.self) { try data.balanced(by: labels.dropLast(), method, seed: 3) }
        #expect(try Dataset<Int>([]).balanced(by: [], method, seed: 3).count == 0)
    }

    // MARK: Descriptions

    @Test func descriptionsTellDataSetsApart() throws {
        let data = Dataset(Array(0..<20), named: "pictures")
        let description = try data.shuffled(seed: 1).map(named: "resized") { $0 }.map(seed: 2) {
            $0 + Int($1.next() % 2)
        }
        .batched(4, dropsRemainder: true).description
        #expect(
            description
                == "20 pictures, shuffled with seed 1, resized, mapped with seed 2, batches of 4 without a smaller one"
        )
        let others = try [
            data, data.take(3), data.take(4), data.skip(3), data.shuffled(seed: 1), data.shuffled(seed: 2),
            data.shuffled(buffer: 3, seed: 1), data.repeated(2), data.repeated(), data.subset([1, 2]),
            data.subset([2, 1]), data.subset([1, 3]), data.split(last: 0.5).training,
            data.split(last: 0.5).validation, data.split(last: 0.5, seed: 1).training,
            data.concatenated(with: data), data.concatenated(with: data.take(1)),
            data.balanced(by: Array(0..<20), .oversampling, seed: 1),
            data.balanced(by: Array(1..<21), .oversampling, seed: 1),
            data.zipped(with: data).map { $0.0 }, data.cached(byteLimit: 1) { _ in 1 },
        ].map(\.description)
        #expect(Set(others).count == others.count)
    }

    // MARK: Arguments

    @Test func argumentsOutOfRange() throws {
        let data = try numbers(5)
        let endless = try data.repeated()
        #expect(throws: DatasetError.self) { try numbers(-1) }
        for bad in [-1, Int.min] {
            #expect(throws: DatasetError.self) { try data.take(bad) }
            #expect(throws: DatasetError.self) { try data.skip(bad) }
            #expect(throws: DatasetError.self) { try data.repeated(bad) }
            #expect(throws: DatasetError.self) { try data.element(at: bad) }
            #expect(throws: DatasetError.self) { try data.element(at: 0, epoch: bad) }
            #expect(throws: DatasetError.self) { try data.subset([0, bad]) }
            #expect(throws: DatasetError.self) { try data.loaded(threads: bad) }
            #expect(throws: DatasetError.self) { try data.loaded(ahead: bad) }
            #expect(throws: DatasetError.self) { try data.loaded(epoch: bad) }
            #expect(throws: DatasetError.self) { try data.loaded(from: bad) }
            #expect(throws: DatasetError.self) { try data.cached(byteLimit: bad) { _ in 1 } }
        }
        for bad in [0, -1, Int.min] {
            #expect(throws: DatasetError.self) { try data.batched(bad) }
            #expect(throws: DatasetError.self) { try data.shuffled(buffer: bad, seed: 0) }
        }
        for bad in [0, 65_537, Int.max] {
            #expect(throws: DatasetError.self) { try data.loaded(ahead: bad) }
            #expect(throws: DatasetError.self) { try endless.loaded(ahead: bad) }
        }
        #expect(throws: DatasetError.self) { try data.loaded(threads: 257) }
        #expect(throws: DatasetError.self) { try data.element(at: 5) }
        #expect(throws: DatasetError.self) { try data.subset([5]) }
        #expect(throws: DatasetError.self) { try data.repeated(Int.max) }
        #expect(throws: DatasetError.self) { try numbers(Int.max).shuffled(seed: 0) }
        #expect(throws: DatasetError.self) { try numbers(Int.max).split(last: 0.5) }
        #expect(throws: DatasetError.self) { try numbers(Int.max).concatenated(with: data) }
        #expect(throws: DatasetError.self) { try numbers(0).repeated() }
        #expect(throws: DatasetError.self) { try endless.shuffled(seed: 0) }
        #expect(throws: DatasetError.self) { try endless.shuffled(buffer: 2, seed: 0) }
        #expect(throws: DatasetError.self) { try endless.split(last: 0.5) }
        #expect(throws: DatasetError.self) { try endless.concatenated(with: data) }
        #expect(throws: DatasetError.self) { try endless.repeated(2) }
        #expect(throws: DatasetError.self) { try endless.cached(byteLimit: 1) { _ in 1 } }
        #expect(throws: DatasetError.self) { try endless.balanced(by: [1], .oversampling, seed: 0) }
    }

    @Test func largeArguments() throws {
        let data = try numbers(5)
        #expect(try data.batched(Int.max).elements() == [[0, 1, 2, 3, 4]])
        #expect(try data.take(Int.max).count == 5 && data.skip(Int.max).count == 0)
        #expect(try numbers(Int.max).skip(Int.max - 1).elements() == [Int.max - 1])
        #expect(try numbers(Int.max).batched(2).count == Int.max / 2 + 1)
        #expect(try numbers(Int.max).batched(2).element(at: Int.max / 2) == [Int.max - 1])
        // Nothing is made for elements that nobody asks for.
        let cached = try numbers(Int.max).cached(byteLimit: 1) { _ in 1 }
        #expect(try cached.element(at: Int.max - 1) == Int.max - 1)
        #expect(
            try data.repeated().take(4_000_000_000).cached(byteLimit: 1) { _ in 1 }.count == 4_000_000_000)
        var iterator = try data.loaded(threads: 1, ahead: 65_536).makeAsyncIterator()
        #expect(try iterator.nextBlocking() == 0)
        let endless = try data.concatenated(with: data.repeated())
        #expect(
            try endless.count == nil
                && endless.take(12).elements().prefix(10) == [0, 1, 2, 3, 4, 0, 1, 2, 3, 4])
        let plain = Dataset(Array(0..<5))
        #expect(try plain.repeated(3).repeated(Int.max / 20).element(at: 14, epoch: Int.max) == 4)
    }

    @Test func dataSetsWithoutElements() async throws {
        let empty = try numbers(0)
        let others = try [
            empty, empty.shuffled(seed: 1), empty.shuffled(buffer: 2, seed: 1), empty.repeated(4),
            empty.take(2),
            empty.skip(1), empty.subset([]), empty.concatenated(with: empty), numbers(3).repeated(0),
            empty.cached(byteLimit: 3) { _ in 1 },
        ]
        for dataset in others {
            #expect(dataset.count == 0)
            #expect(try dataset.batched(3).count == 0)
            for threads in [0, 2] {
                #expect(try await dataset.batched(3).loadedElements(threads: threads).isEmpty)
            }
            #expect(throws: DatasetError.self) { try dataset.element(at: 0) }
        }
    }
}
