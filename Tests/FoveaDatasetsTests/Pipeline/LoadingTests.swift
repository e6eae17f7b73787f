import Dispatch
import Foundation
import FoveaGraph
import Synchronization
import Testing

@testable import FoveaDatasets

/// How many threads of data sets this process has.
private func loadingThreads() throws -> Int {
    let folder = "/proc/self/task"
    return try FileManager.default.contentsOfDirectory(atPath: folder).count { number in
        // A thread may end in between.
        (try? String(contentsOfFile: "\(folder)/\(number)/comm", encoding: .utf8)) == "fovea-dataset\n"
    }
}

private func expectThreads(_ count: Int, sourceLocation: SourceLocation = #_sourceLocation) async throws {
    for _ in 0..<500 {
        if try loadingThreads() == count { return }
        try await Task.sleep(for: .milliseconds(20))
    }
    Issue.record("\(try loadingThreads()) threads, not \(count), after 10 s", sourceLocation: sourceLocation)
}

@Suite struct LoadingTests {
    /// No more elements are begun than may be, however long the consumer takes.
    @Test(arguments: [1, 2, 7], [1, 2, 5]) func loadingKeepsWithinItsBounds(threads: Int, ahead: Int)
        async throws
    {
        let begun = Counter()
        let data = try Dataset(count: 60) { index, _ in
            begun.add()
            return index
        }.batched(3)
        var iterator = try data.loaded(threads: threads, ahead: ahead).makeAsyncIterator()
        for asked in 0..<10 {
            let expected = 3 * min(asked + ahead, 20)
            for _ in 0..<500 where begun.count < expected { try await Task.sleep(for: .milliseconds(10)) }
            // Time to go too far.
            try await Task.sleep(for: .milliseconds(3))
            #expect(begun.count == expected)
            #expect(try await iterator.next() == [3 * asked, 3 * asked + 1, 3 * asked + 2])
        }
    }

    @Test func withoutThreadsNothingIsAhead() async throws {
        let begun = Counter()
        let data = try Dataset(count: 6) { index, _ in
            begun.add()
            return index
        }
        var iterator = try data.loaded(threads: 0, ahead: 4).makeAsyncIterator()
        for asked in 0..<6 {
            #expect(begun.count == asked)
            #expect(try iterator.nextBlocking() == asked)
        }
        #expect(try iterator.nextBlocking() == nil)
        #expect(try await iterator.next() == nil)
    }

    /// Elements of one batch are computed at the same time: each waits until all are under way.
    @Test func aBatchIsTheWorkOfAllThreads() async throws {
        let under = Counter()
        let data = try Dataset(count: 4) { index, _ in
            under.add()
            for _ in 0..<1000 where under.count < 4 { usleep(10_000) }
            return under.count == 4 ? index : -1
        }.batched(4).map { $0.map { 10 * $0 } }.zipped(with: Dataset(["a"])).repeated(1).take(1)
        var iterator = try data.loaded(threads: 4, ahead: 1).makeAsyncIterator()
        let element = try await iterator.next()
        #expect(element?.0 == [0, 10, 20, 30] && element?.1 == "a")
    }

    @Test(arguments: [0, 1, 2, 7], [1, 4]) func errorsComeInTheirTurn(threads: Int, ahead: Int) async throws {
        let data = try Dataset(count: 40) { index, _ in
            // The later one fails first.
            if index == 22 { usleep(20_000) }
            if index == 22 || index == 23 || index == 31 { throw Broken(index: index) }
            return index
        }
        for (dataset, before) in [(data.map { [$0] }, 22), (try data.batched(5), 4)] {
            var iterator = try dataset.loaded(threads: threads, ahead: ahead).makeAsyncIterator()
            for place in 0..<before { #expect(try await iterator.next() == dataset.element(at: place)) }
            await #expect(throws: Broken(index: 22)) { try await iterator.next() }
            #expect(try await iterator.next() == nil)
            #expect(try iterator.nextBlocking() == nil)
        }
    }

    @Test(arguments: [0, 1, 2, 7]) func failedElementsAreLeftOut(threads: Int) async throws {
        let failed = FailedElements()
        let broken: Set<Int> = [0, 7, 8, 19]
        let data = try Dataset(count: 20) { index, _ in
            if broken.contains(index) { throw Broken(index: index) }
            return index
        }
        let batches = try data.batched(3, onError: .skip(failed))
        let expected = (0..<7).map { batch in
            ((3 * batch)..<min(3 * batch + 3, 20)).filter { !broken.contains($0) }
        }
        #expect(try await batches.loadedElements(threads: threads) == expected)
        #expect(failed.count == 4)
        #expect(failed.descriptions == broken.map { "\(Broken(index: $0))" }.sorted())
        // Nothing moves for what comes later.
        for start in 0..<7 {
            let rest = try await batches.loadedElements(threads: threads, from: start)
            #expect(rest == Array(expected[start...]))
        }
        #expect(failed.batchCount == 0)
    }

    /// They are passed over, whatever comes of them; all others stay where they are.
    @Test(arguments: [0, 1, 2, 7]) func batchesOfNothingAreLeftOut(threads: Int) async throws {
        let failed = FailedElements()
        let broken: Set<Int> = [0, 3, 4, 5, 9, 10]
        let data = try Dataset(count: 11) { index, _ in
            if broken.contains(index) { throw Broken(index: index) }
            return index
        }
        let single = try data.batched(1, onError: .skip(failed))
        let whole = (0..<11).filter { !broken.contains($0) }
        #expect(single.count == 11)
        #expect(try await single.loadedElements(threads: threads) == whole.map { [$0] })
        #expect(failed.count == 6 && failed.batchCount == 6)
        for start in 0...11 {
            let rest = try await single.loadedElements(threads: threads, from: start)
            #expect(rest == whole.filter { $0 >= start }.map { [$0] })
        }
        let named = try data.batched(3, onError: .skip(failed)).map { $0.reduce(0, +) }
            .zipped(with: Dataset(["a", "b", "c", "d"])).repeated(2)
        let names = try await named.loadedElements(threads: threads).map(\.1)
        #expect(names == ["a", "c", "a", "c"])
        // Asked for by its number, there is nothing to go on with.
        let error = #expect(throws: DatasetError.self) { try single.element(at: 3) }
        #expect(error?.message.contains("every element of a batch failed") == true)
        #expect(error?.message.contains("element 3 is broken") == true)
        #expect(try single.element(at: 1) == [1])

        var iterator = try single.loaded(threads: threads).makeAsyncIterator()
        var turns: [[Int]?] = []
        while let turn = try iterator.nextBlockingTurn() { turns.append(try? turn.get()) }
        #expect(turns == (0..<11).map { broken.contains($0) ? nil : [$0] })
        var passing = try single.loaded(threads: threads).makeAsyncIterator()
        var elements: [[Int]] = []
        while let element = try passing.nextBlocking() { elements.append(element) }
        #expect(elements == whole.map { [$0] })
    }

    /// Batches in batches: what is left out of one is not an error of the other.
    @Test func batchesOfBatchesOfNothing() async throws {
        let data = try Dataset(count: 8) { index, _ in
            if index > 2 { throw Broken(index: index) }
            return index
        }
        let failed = FailedElements()
        let batches = try data.batched(2, onError: .skip(failed)).batched(2)
        #expect(try await batches.loadedElements(threads: 2) == [[[0, 1], [2]]])
        #expect(try await batches.loadedElements(threads: 0, from: 1).isEmpty)
        #expect(failed.batchCount == 4 && failed.count == 9)
    }

    /// Copies of an iterator, of which one gets an error while the others wait for elements behind it.
    @Test(arguments: [1, 3], [1, 4]) func nobodyWaitsForEver(threads: Int, ahead: Int) async throws {
        for round in 0..<20 {
            let data = try Dataset(count: 60) { index, _ in
                usleep(UInt32(500 * (round % 3)))
                if index == 3 { throw Broken(index: index) }
                return index
            }.batched(3)
            let iterator = try data.loaded(threads: threads, ahead: ahead).makeAsyncIterator()
            let (ended, errors) = (Counter(), Counter())
            for _ in 0..<8 {
                Task.detached {
                    var copy = iterator
                    do { while try await copy.next() != nil {} } catch is Broken { errors.add() } catch {}
                    ended.add()
                }
            }
            for _ in 0..<1000 where ended.count < 8 { try await Task.sleep(for: .milliseconds(10)) }
            try #require(ended.count == 8)
            #expect(errors.count == 1)
        }
    }

    /// In a process of its own, where no other test's threads run.
    @Test func noThreadIsLeftBehind() async throws {
        await #expect(processExitsWith: .success) {
            let slow = try Dataset(count: 1000) { index, _ in
                usleep(1000)
                return index
            }
            // To the end; the last batches are asked for when the threads have ended.
            var iterator: LoadedDataset<[Int]>.Iterator? = try slow.take(30).batched(10)
                .loaded(threads: 3, ahead: 5).makeAsyncIterator()
            try await expectThreads(0)
            for _ in 0..<3 { #expect(try await iterator?.next() != nil) }
            #expect(try await iterator?.next() == nil)

            // Dropped at once, after some elements, and in the middle of a loop.
            _ = try slow.loaded(threads: 7).makeAsyncIterator()
            try await expectThreads(0)
            iterator = try slow.repeated().batched(10).loaded(threads: 3).makeAsyncIterator()
            for _ in 0..<3 { #expect(try iterator?.nextBlocking() != nil) }
            try await expectThreads(3)
            iterator = nil
            try await expectThreads(0)
            for try await number in try slow.loaded(threads: 4) where number == 20 { break }
            try await expectThreads(0)

            // An error, with the iterator kept.
            let broken = slow.map { number in
                if number == 40 { throw Broken(index: number) }
                return number
            }
            iterator = try broken.batched(7).loaded(threads: 3).makeAsyncIterator()
            for _ in 0..<5 { #expect(try await iterator?.next() != nil) }
            await #expect(throws: Broken(index: 40)) { try await iterator?.next() }
            try await expectThreads(0)

            // Nobody waits for an element that takes long.
            let endlessWait = DispatchSemaphore(value: 0)
            let waits = Counter()
            let waiting = try Dataset(count: 9) { index, _ in
                if index == 2 {
                    waits.add()
                    endlessWait.wait()
                }
                return index
            }
            var last: LoadedDataset<Int>.Iterator? = try waiting.loaded(threads: 2, ahead: 4)
                .makeAsyncIterator()
            #expect(try await last?.next() == 0)
            while waits.count == 0 { try await Task.sleep(for: .milliseconds(1)) }
            last = nil
            try await expectThreads(1)
            endlessWait.signal()
            try await expectThreads(0)
            _ = iterator
        }
    }

    /// Many loaders at once, with more threads than there are processors, dropped at any moment.
    @Test func manyLoaders() async throws {
        let data = try Dataset(count: 200) { index, epoch in index + epoch }.shuffled(seed: 1).batched(3)
        let expected = try data.elements(epoch: 2)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<40 {
                group.addTask {
                    var iterator = try data.loaded(threads: 1 + task % 5, ahead: 1 + task % 3, epoch: 2)
                        .makeAsyncIterator()
                    for place in 0..<min(2 * task, expected.count) {
                        #expect(try await iterator.next() == expected[place])
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
