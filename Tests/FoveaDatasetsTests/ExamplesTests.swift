import FoveaGraph
import Testing

@testable import FoveaDatasets

@Suite struct ExamplesTests {
    /// `count` examples: float inputs of shape [2, 3] and int32 targets; example i holds 10 i … 10 i + 5 and i.
    func numbered(_ count: Int) throws -> Examples {
        let inputs = (0..<count).flatMap { row in (0..<6).map { Float(10 * row + $0) } }
        return try Examples(
            inputs: TensorValue(shape: [count, 2, 3], inputs),
            targets: TensorValue((0..<count).map(Int32.init)))
    }

    @Test func countsMustAgree() throws {
        let error = try #require(throws: DatasetError.self) {
            try Examples(
                inputs: TensorValue([Float](repeating: 0, count: 7)), targets: TensorValue([Int32(1)]))
        }
        #expect(error.kind == .mismatchedCounts)
        #expect(error.message.contains("7 examples in the first input but 1 in"))
    }

    @Test func scalarsAreNoExamples() {
        #expect(throws: DatasetError.self) {
            try Examples(inputs: TensorValue(1), targets: TensorValue([Float(1)]))
        }
        #expect(throws: DatasetError.self) {
            try Examples(inputs: TensorValue([Float(1)]), targets: TensorValue(1))
        }
    }

    @Test func slices() throws {
        let examples = try numbered(5)
        #expect(examples.count == 5)
        let middle = try examples[1..<3]
        #expect(middle.inputs[0].shape == [2, 2, 3])
        #expect(middle.inputs[0].floats == [10, 11, 12, 13, 14, 15, 20, 21, 22, 23, 24, 25])
        #expect(middle.targets[0].integers == [1, 2])
        #expect(try examples.prefix(2) == examples[0..<2])
        #expect(try examples.suffix(2) == examples[3..<5])
        #expect(try examples.prefix(9) == examples)
        #expect(try examples.suffix(9) == examples)
        #expect(try examples.prefix(-1).count == 0)
        #expect(try examples.suffix(0).inputs[0].shape == [0, 2, 3])
        #expect(try examples[5..<5].targets[0].shape == [0])
        #expect(throws: DatasetError.self) { try examples[3..<6] }
        #expect(throws: DatasetError.self) { try examples[(-1)..<2] }
    }

    @Test(arguments: DType.allCases)
    func slicesOfEveryType(dtype: DType) throws {
        let bytes = (0..<(4 * dtype.byteCount)).map { UInt8($0 % 2) }
        let values = try bytes.withUnsafeBytes { try TensorValue(shape: [4], dtype: dtype, bytes: $0) }
        let examples = try Examples(inputs: values, targets: values)
        let part = try examples[1..<3]
        #expect(part.inputs[0].dtype == dtype)
        #expect(
            part.inputs[0].withUnsafeBytes { Array($0) }
                == Array(bytes[dtype.byteCount..<(3 * dtype.byteCount)])
        )
    }

    @Test(arguments: [
        (10, 0.1, 9), (10, 0.25, 7), (3, 0.5, 1), (7, 0.99, 0), (60_000, 0.1, 54_000), (2, 0.4, 1),
    ])
    func splitKeepsTheLastPart(count: Int, fraction: Double, training: Int) throws {
        let labels = TensorValue((0..<count).map(Int32.init))
        let examples = try Examples(inputs: labels, targets: labels)
        guard training > 0 else {
            #expect(throws: DatasetError.self) { try examples.split(last: fraction) }
            return
        }
        let parts = try examples.split(last: fraction)
        #expect(parts.training.count == training)
        #expect(parts.training.targets[0].integers + parts.validation.targets[0].integers == labels.integers)
    }

    @Test(arguments: [0, 1, -0.1, 1.5, .nan, .infinity, 1e-17])
    func impossibleSplits(fraction: Double) throws {
        let examples = try numbered(10)
        let error = try #require(throws: DatasetError.self) { try examples.split(last: fraction) }
        #expect(error.kind == .invalidArgument)
    }

    @Test func rowsAreCopiedInTheOrderAsked() throws {
        let examples = try numbered(4)
        #expect(examples.inputs[0].rowByteCount == 24 && examples.targets[0].rowByteCount == 4)
        var inputs = [Float](repeating: -1, count: 18)
        var targets = [Int32](repeating: -1, count: 3)
        let order = [9, 3, 0, 3, 9]
        try inputs.withUnsafeMutableBytes { try examples.inputs[0].copyRows(at: order[1..<4], into: $0) }
        try targets.withUnsafeMutableBytes { try examples.targets[0].copyRows(at: [3, 0, 3], into: $0) }
        let third: [Float] = [30, 31, 32, 33, 34, 35]
        #expect(inputs == third + [0, 1, 2, 3, 4, 5] + third)
        #expect(targets == [3, 0, 3])
        try examples.inputs[0].copyRows(at: [], into: UnsafeMutableRawBufferPointer(start: nil, count: 0))
    }

    @Test(arguments: [([0, 4], 8), ([-1, 0], 8), ([0, 1], 7), ([0, 1], 12), ([0], 0)])
    func refusedCopiesWriteNothing(indices: [Int], byteCount: Int) throws {
        let examples = try numbered(4)
        var memory = [UInt8](repeating: 77, count: byteCount)
        let error = #expect(throws: DatasetError.self) {
            try memory.withUnsafeMutableBytes { try examples.targets[0].copyRows(at: indices[...], into: $0) }
        }
        #expect(error?.kind == .invalidArgument)
        #expect(memory.allSatisfy { $0 == 77 })
    }

    @Test(arguments: [0, 1, 2, 3, 10, 257])
    func shufflesArePermutations(count: Int) {
        for epoch in 0..<3 {
            #expect(shuffledOrder(count: count, seed: 5, epoch: epoch).sorted() == Array(0..<count))
        }
    }

    @Test func shufflesDependOnSeedAndEpochOnly() {
        let order = shuffledOrder(count: 100, seed: 1, epoch: 2)
        #expect(order == shuffledOrder(count: 100, seed: 1, epoch: 2))
        #expect(order != shuffledOrder(count: 100, seed: 2, epoch: 2))
        #expect(order != shuffledOrder(count: 100, seed: 1, epoch: 3))
        #expect(order != shuffledOrder(count: 100, seed: 1 + 1 << 32, epoch: 2))
        #expect(order != Array(0..<100))
        #expect(shuffledOrder(count: -3, seed: 0, epoch: 0).isEmpty)
    }

    @Test func everyOrderIsEquallyLikely() {
        var counts: [[Int]: Int] = [:]
        for epoch in 0..<6_000 { counts[shuffledOrder(count: 3, seed: 0, epoch: epoch), default: 0] += 1 }
        #expect(counts.count == 6)
        // Six standard deviations of a count with mean 1,000.
        #expect(counts.values.allSatisfy { abs($0 - 1_000) < 175 })
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
