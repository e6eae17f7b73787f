import FoveaGraph
import Testing

@testable import FoveaDatasets

@Suite struct CIFARTests {
    let directory: TemporaryDirectory
    init() throws { directory = try TemporaryDirectory() }

    /// A record whose value at each row, column and channel is known.
    private func record(_ label: UInt8, _ number: Int) -> [UInt8] {
        [label] + (0..<3).flatMap { channel in (0..<1024).map { self.value(number, $0, channel) } }
    }

    private func value(_ number: Int, _ pixel: Int, _ channel: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: number &* 31 &+ pixel &* 7 &+ channel &* 101)
    }

    @Test func channelsComeLast() throws {
        let first = try directory.write(record(3, 0) + record(0, 1), to: "a.bin")
        let second = try directory.write(gzip(record(9, 2)), to: "b.bin")
        let examples = try CIFAR.readExamples([first, second])
        #expect(examples.targets[0].integers == [3, 0, 9])
        #expect(examples.inputs[0].shape == [3, 32, 32, 3] && examples.inputs[0].dtype == .uint8)
        let expected = (0..<3).flatMap { number in
            (0..<1024).flatMap { pixel in (0..<3).map { Int32(value(number, pixel, $0)) } }
        }
        #expect(examples.inputs[0].integers == expected)
    }

    private func kind(_ bytes: [UInt8], limit: Int = 10) throws -> DatasetError.Kind? {
        let path = try directory.write(bytes, to: "file")
        do throws(DatasetError) {
            _ = try CIFAR.readExamples([path], limit: limit)
            return nil
        } catch {
            #expect(error.file == path)
            return error.kind
        }
    }

    @Test func badFiles() throws {
        #expect(try kind([]) == .truncated)
        #expect(try kind(Array(record(1, 0).dropLast())) == .truncated)
        #expect(try kind(record(1, 0) + [0]) == .truncated)
        #expect(try kind(record(1, 0) + record(10, 1)) == .labelOutOfRange)
        #expect(try kind(record(1, 0) + record(1, 1), limit: 1) == .tooLarge)
        #expect(try kind(record(1, 0) + record(1, 1), limit: 2) == nil)
        #expect(try kind(Array(gzip(record(1, 0)).dropLast(9))) == .truncated)
        let missing = #expect(throws: DatasetError.self) { try CIFAR.readExamples([directory.path + "/no"]) }
        #expect(missing?.kind == .missingFile)
    }
}

@Suite struct ExampleBatchesTests {
    private func numbered(_ count: Int) throws -> Examples {
        try Examples(
            inputs: [
                TensorValue(shape: [count, 2], (0..<(2 * count)).map(Float.init)),
                TensorValue(shape: [count, 1, 1], storage: .uint8((0..<count).map { UInt8($0) })),
            ], targets: [TensorValue((0..<count).map { Int32($0) })],
            weights: TensorValue((0..<count).map { Float($0) / 2 }))
    }

    @Test(arguments: [(7, 3), (6, 3), (5, 8), (1, 1)])
    func everyExampleOnce(count: Int, size: Int) throws {
        let examples = try numbered(count)
        for seed in [nil, 4] as [UInt64?] {
            let batches = try Array(examples.batches(of: size, shuffleSeed: seed, epoch: 2))
            #expect(batches.dropLast().allSatisfy { $0.count == size })
            let labels = batches.flatMap { $0.targets[0].integers.map(Int.init) }
            #expect(
                labels == seed.map { shuffledOrder(count: count, seed: $0, epoch: 2) } ?? Array(0..<count))
            for batch in batches {
                let places = batch.targets[0].floats
                #expect(batch.inputs[0].floats == places.flatMap { [2 * $0, 2 * $0 + 1] })
                #expect(batch.inputs[1].floats == places && batch.inputs[1].shape == [batch.count, 1, 1])
                #expect(batch.weights?.floats == places.map { $0 / 2 })
            }
        }
        #expect(throws: DatasetError.self) { try examples.batches(of: 0) }
    }

    @Test func partsMustFitTogether() throws {
        let two = TensorValue([1.0, 2] as [Float])
        let three = TensorValue([1.0, 2, 3] as [Float])
        #expect(throws: DatasetError.self) { try Examples(inputs: [two, three], targets: []) }
        #expect(throws: DatasetError.self) { try Examples(inputs: [two], targets: [two, three]) }
        #expect(throws: DatasetError.self) { try Examples(inputs: [], targets: [two]) }
        #expect(throws: DatasetError.self) { try Examples(inputs: two, targets: two, weights: three) }
        for bad in [-1, Float.nan, .infinity] {
            #expect(throws: DatasetError.self) {
                try Examples(inputs: two, targets: two, weights: TensorValue([1, bad]))
            }
        }
        let parts = try Examples(inputs: three, targets: three, weights: three).split(last: 0.4)
        #expect(parts.validation.weights?.floats == [2, 3])
    }
}
