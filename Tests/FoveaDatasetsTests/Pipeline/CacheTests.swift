import Foundation
import FoveaGraph
import FoveaPictures
import TestSupport
import Testing

@testable import FoveaDatasets

@Suite struct CacheTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    // MARK: Memory

    @Test func eachElementIsComputedOnce() async throws {
        let computed = Counter()
        let data = try Dataset(count: 50) { index, epoch in
            computed.add()
            usleep(200)
            return index + 1000 * epoch
        }.cached(byteLimit: 50) { _ in 1 }
        // Every element many times, at the same time.
        let often = try data.repeated(8).shuffled(seed: 1).batched(20)
        let expected = try (0..<3).map { epoch in
            try Dataset(Array(0..<50)).repeated(8).shuffled(seed: 1).batched(20).elements(epoch: epoch)
        }
        for epoch in 0..<3 {
            #expect(try await often.loadedElements(threads: 7, ahead: 5, epoch: epoch) == expected[epoch])
            #expect(computed.count == 50)
        }
    }

    @Test func onlySoManyBytesAreKept() throws {
        let computed = Counter()
        let data = try Dataset(count: 10) { index, _ in
            computed.add()
            return index
        }.cached(byteLimit: 7) { $0 == 1 ? 100 : 2 }
        // 0, 2 and 3 are kept.
        for _ in 0..<4 { #expect(try data.elements() == Array(0..<10)) }
        #expect(computed.count == 3 + 4 * 7)
    }

    @Test func errorsAreNotKept() throws {
        let computed = Counter()
        let data = try Dataset(count: 1) { index, _ in
            if computed.add() == 1 { throw Broken(index: index) }
            return index
        }.cached(byteLimit: 8) { _ in 8 }
        #expect(throws: Broken.self) { try data.element(at: 0) }
        for _ in 0..<3 { #expect(try data.element(at: 0) == 0) }
        #expect(computed.count == 2)
    }

    @Test func bytesOfExamples() throws {
        let computed = Counter()
        let data = try Dataset(numbered(4)).map { example in
            computed.add()
            return example
        }.cached(byteLimit: 3 * (8 + 1 + 4))
        for _ in 0..<2 { _ = try data.elements() }
        #expect(computed.count == 5)
    }

    // MARK: Files

    private var path: String { directory.path + "/cache" }

    private func varied(_ count: Int, computed: Counter = Counter()) throws -> Dataset<Example> {
        try Dataset(count: count, named: "pictures") { index, epoch in
            computed.add()
            // Odd sizes, all types, and something that is different in another epoch.
            let image = try TensorValue(
                shape: [index % 3, 2, 1],
                storage: .uint8((0..<(index % 3 * 2)).map { UInt8($0 * 50 + index + epoch) }))
            let others: [TensorValue] = try [
                TensorValue([Float(index), .nan]), TensorValue(shape: [1], storage: .bfloat16([0x7FC0])),
                TensorValue(shape: .scalar, storage: .int32([-7])),
                TensorValue(shape: [2], storage: .bool([true, false])),
            ]
            return Example(
                inputs: [image] + others.prefix(index % 5), targets: Array(others.suffix(index % 4)),
                weight: index % 2 == 0 ? nil : -0)
        }
    }

    @Test(arguments: [0, 1, 13], [0, 2]) func examplesComeBackFromAFile(count: Int, threads: Int) async throws
    {
        let computed = Counter()
        let data = try varied(count, computed: computed)
        let expected = try varied(count).elements()
        for _ in 0..<2 {
            let cached = try data.cached(in: path, fingerprint: "1", threads: threads)
            #expect(try cached.elements(epoch: 3) == expected)
            let loaded = try await cached.shuffled(seed: 1).loadedElements(threads: 3, epoch: 1)
            #expect(loaded == shuffledOrder(count: count, seed: 1, epoch: 1).map { expected[$0] })
            #expect(computed.count == count)
        }
        #expect(try directory.names() == ["cache"])
    }

    @Test func filesOfOtherDataAreRefused() throws {
        let data = try varied(4)
        _ = try data.cached(in: path, fingerprint: "1")
        let before = try directory.bytes(of: "cache")
        func expectRefused(_ other: Dataset<Example>, _ fingerprint: String) throws {
            let error = #expect(throws: DatasetError.self) {
                try other.cached(in: path, fingerprint: fingerprint)
            }
            #expect(error?.kind == .wrongFormat && error?.file == path)
            #expect(try directory.bytes(of: "cache") == before)
        }
        try expectRefused(data, "2")
        try expectRefused(data, "")
        try expectRefused(data.take(3), "1")
        try expectRefused(varied(5), "1")
        try expectRefused(data.shuffled(seed: 1), "1")
        try expectRefused(data.map(named: "1") { $0 }, "")

        let foreign = Array("what somebody wrote in the last ten years, and has no copy of ........".utf8)
        for bytes in [[], foreign] {
            let path = try directory.write(bytes, to: "foreign")
            #expect(throws: DatasetError.self) { try data.cached(in: path, fingerprint: "1") }
            #expect(try directory.bytes(of: "foreign") == bytes)
        }
        for bad in [directory.path, "/dev/null", directory.path + "/no/cache", "a\0b", ""] {
            #expect(throws: DatasetError.self) { try data.cached(in: bad, fingerprint: "1") }
        }
        #expect(try directory.names() == ["cache", "foreign"])
        #expect(throws: DatasetError.self) { try data.repeated().cached(in: path + "2", fingerprint: "1") }
    }

    @Test func aFileIsWrittenWholeOrNotAtAll() throws {
        let data = try varied(20).map { example in
            if example.inputs[0].shape[0] == 2, example.inputs.count == 4 { throw Broken(index: 8) }
            return example
        }
        #expect(throws: Broken.self) { try data.cached(in: path, fingerprint: "1", threads: 2) }
        #expect(try directory.names() == [])
    }

    @Test(arguments: [0, 2]) func examplesThatCannotBeComputedAreKeptAsErrors(threads: Int) throws {
        let computed = Counter()
        let data = try Dataset(numbered(10)).map { example in
            computed.add()
            let index = Int(example.targets[0].integers[0])
            if index % 4 == 1 {
                throw PictureError(.corrupt, file: "\(index).png", "is broken — ganz und gar")
            }
            return example
        }
        for _ in 0..<2 {
            let cached = try data.cached(in: path, fingerprint: "1", keepsErrors: true, threads: threads)
            for index in 0..<10 where index % 4 != 1 {
                #expect(try cached.element(at: index) == Dataset(numbered(10)).element(at: index))
            }
            let error = #expect(throws: DatasetError.self) { try cached.element(at: 5) }
            #expect(error?.message == "5.png: is broken — ganz und gar")
            let failed = FailedElements()
            let batches: [Examples] = try cached.batched(4, onError: .skip(failed)).elements()
            #expect(batches.map(\.count) == [3, 3, 1] && failed.count == 3)
        }
        #expect(computed.count == 10)
        // Not unless asked, and not of nothing but errors.
        let other = path + "2"
        #expect(throws: PictureError.self) { try data.cached(in: other, fingerprint: "1", threads: threads) }
        #expect(throws: PictureError.self) {
            try data.subset([5, 1]).cached(
                in: other, fingerprint: "1", keepsErrors: true, threads: threads)
        }
        #expect(try directory.names() == ["cache"])
    }

    /// What a process leaves that was killed does not stay.
    @Test func aKilledProcessLeavesNothingForEver() async throws {
        for _ in 0..<2 {
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
                let data = try Dataset(numbered(20)).map { example in
                    if example.targets[0].integers == [15] { kill(getpid(), SIGKILL) }
                    return example
                }
                _ = try data.cached(in: path, fingerprint: "1", threads: 1)
            }
            #expect(try directory.names() == ["cache.partial"])
        }
        let data = Dataset(try numbered(3))
        #expect(try data.cached(in: path, fingerprint: "1").elements() == data.elements())
        #expect(try directory.names() == ["cache"])
    }

    @Test func aFileIsMadeOnceByAllWhoNeedIt() async throws {
        let computed = Counter()
        let data = try varied(13, computed: computed).map { example in
            usleep(3000)
            return example
        }
        let expected = try varied(13).elements()
        let path = path
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<6 {
                group.addTask {
                    let cached = try data.cached(in: path, fingerprint: "1", threads: 1)
                    #expect(try cached.elements() == expected)
                }
            }
            try await group.waitForAll()
        }
        #expect(computed.count == 13)
        #expect(try directory.names() == ["cache"])
    }

    @Test func foreignFilesInTheWayStay() throws {
        let data = Dataset(try numbered(3))
        for bytes in [Array("my own words".utf8), [0], Array("FOVEA".utf8) + [0]] {
            try directory.write(bytes, to: "cache.partial")
            let error = #expect(throws: DatasetError.self) { try data.cached(in: path, fingerprint: "1") }
            #expect(error?.file == path + ".partial")
            #expect(try directory.bytes(of: "cache.partial") == bytes)
        }
        #expect(try directory.names() == ["cache.partial"])
    }

    /// Whatever happens to the file: what is read from it is right, or an error.
    @Test func damagedFiles() throws {
        let data = try varied(4)
        let expected = try data.elements()
        _ = try data.cached(in: path, fingerprint: "1")
        let bytes = try directory.bytes(of: "cache")

        func outcome(_ bytes: [UInt8]) throws -> (isWhole: Bool, errors: Int) {
            try directory.write(bytes, to: "cache")
            do {
                let cached = try data.cached(in: path, fingerprint: "1")
                var errors = 0
                for index in 0..<4 {
                    do {
                        let example = try cached.element(at: index)
                        #expect(example == expected[index])
                    } catch let error as DatasetError {
                        #expect(error.file == path)
                        errors += 1
                    }
                }
                return (true, errors)
            } catch let error as DatasetError {
                #expect(error.file == path)
                return (false, 0)
            }
        }
        #expect(try outcome(bytes) == (true, 0))
        for length in 0..<bytes.count { #expect(try outcome(Array(bytes[..<length])) == (false, 0)) }
        #expect(try outcome(bytes + [0]) == (false, 0))
        let table = bytes.count - (5 * 8 + 4 * 4)
        for place in bytes.indices {
            var flipped = bytes
            flipped[place] ^= 1 << (place % 8)
            #expect(
                try outcome(flipped) == ((64..<table).contains(place) ? (true, 1) : (false, 0)), "\(place)")
        }
    }

    @Test func aFileThatShrinksWhileItIsInUse() throws {
        let cached = try varied(4).cached(in: path, fingerprint: "1")
        try FileHandle(forUpdating: URL(fileURLWithPath: path)).truncate(atOffset: 70)
        let error = #expect(throws: DatasetError.self) { try cached.element(at: 3) }
        #expect(error?.kind == .truncated)
        // A name that is gone does no harm.
        let other = try varied(4).cached(in: path + "2", fingerprint: "1")
        try FileManager.default.removeItem(atPath: path + "2")
        #expect(try other.elements() == varied(4).elements())
    }

    /// Bytes that have the right checksum and still make no sense.
    @Test func codesOfExamples() throws {
        let example = try varied(8).element(at: 7)
        let bytes = ExampleCoding.bytes(example)
        #expect(ExampleCoding.example(bytes) == example)
        for length in bytes.indices { #expect(ExampleCoding.example(Array(bytes[..<length])) == nil) }
        #expect(ExampleCoding.example(bytes + [0]) == nil)
        var generator = PhiloxGenerator(seed: 3, stream: 0, step: 0)
        for place in bytes.indices {
            for value in [0, 1, 0x7F, 0x80, 0xFF, UInt8(truncatingIfNeeded: generator.nextWord())] {
                var other = bytes
                other[place] = value
                // Any example, or none.
                if let example = ExampleCoding.example(other) {
                    #expect(ExampleCoding.bytes(example).count == other.count)
                }
            }
        }
    }
}
