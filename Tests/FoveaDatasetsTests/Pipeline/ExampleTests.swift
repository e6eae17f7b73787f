import FoveaGraph
import Testing

@testable import FoveaDatasets

func numbered(_ count: Int, hasWeights: Bool = true) throws -> Examples {
    try Examples(
        inputs: [
            TensorValue(shape: [count, 2], (0..<(2 * count)).map(Float.init)),
            TensorValue(shape: [count, 1, 1], storage: .uint8((0..<count).map { UInt8($0) })),
        ], targets: [TensorValue((0..<count).map { Int32($0) })],
        weights: hasWeights ? TensorValue((0..<count).map { Float($0) / 2 }) : nil)
}

@Suite struct ExampleTests {
    @Test(arguments: [(7, 3), (6, 3), (5, 8), (1, 1)])
    func batchesOfExamplesInMemory(count: Int, size: Int) async throws {
        let examples = try numbered(count)
        for seed in [nil, 4] as [UInt64?] {
            var data = Dataset(examples)
            if let seed { data = try data.shuffled(seed: seed) }
            let batches = try await data.batched(size).loadedElements(threads: 2, epoch: 2)
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
    }

    /// Rows that are copied at once are what examples are that are put together one by one.
    @Test(arguments: [true, false]) func rowsAreExamples(hasWeights: Bool) throws {
        let examples = try numbered(11, hasWeights: hasWeights)
        let data = try Dataset(examples).skip(1).shuffled(seed: 2).repeated(2).take(17).subset(
            [3, 3, 0, 16, 9, 1])
        #expect(data.rows != nil)
        let single = data.map { $0 }
        #expect(single.rows == nil)
        for epoch in 0..<2 {
            let batches: [Examples] = try data.batched(4).elements(epoch: epoch)
            #expect(try batches == single.batched(4).elements(epoch: epoch))
            #expect(batches.map(\.count) == [4, 2])
        }
        let example = try data.element(at: 2)
        #expect(example.inputs.map(\.shape) == [[2], [1, 1]] && example.targets[0].shape == .scalar)
        #expect((example.weight != nil) == hasWeights)
        #expect(
            try Examples(stacking: Dataset(examples).elements()) == examples)
    }

    @Test func allTypesArePutTogether() throws {
        let values: [TensorValue] = try [
            TensorValue(shape: [2], [1, -0]), TensorValue(shape: [1], storage: .bfloat16([0x3F80])),
            TensorValue(shape: [3], storage: .int32([1, 2, -3])),
            TensorValue(shape: [0, 4], storage: .uint8([])),
            TensorValue(shape: [], storage: .bool([true])),
        ]
        let example = Example(inputs: values, targets: [])
        let stacked = try Examples(stacking: [example, example, example])
        #expect(stacked.inputs.map(\.shape) == [[3, 2], [3, 1], [3, 3], [3, 0, 4], [3]])
        #expect(stacked.inputs.map(\.dtype) == [.float32, .bfloat16, .int32, .uint8, .bool])
        #expect((0..<3).allSatisfy { stacked.example(at: $0) == example })
    }

    @Test func examplesThatDoNotFitTogether() throws {
        func image(_ width: Int, _ dtype: DType = .uint8) -> TensorValue {
            TensorValue(shape: [2, width], dtype: dtype, doubles: [Double](repeating: 1, count: 2 * width))
        }
        let label = try TensorValue(shape: .scalar, storage: .int32([1]))
        let first = Example(inputs: [image(3)], targets: [label])
        let others = [
            Example(inputs: [image(4)], targets: [label]),
            Example(inputs: [image(3, .float32)], targets: [label]),
            Example(inputs: [image(3)], targets: []),
            Example(inputs: [image(3), image(3)], targets: [label]),
            Example(inputs: [image(3)], targets: [TensorValue(1)]),
            Example(inputs: [image(3)], targets: [label], weight: 1),
        ]
        for other in others {
            let error = #expect(throws: DatasetError.self) { try Examples(stacking: [first, first, other]) }
            #expect(error?.kind == .wrongShape && error?.message.contains("example 2 ") == true)
            let batches: Dataset<Examples> = try Dataset([first, other]).batched(2)
            #expect(throws: DatasetError.self) { try batches.element(at: 0) }
        }
        #expect(throws: DatasetError.self) { try Examples(stacking: []) }
        #expect(throws: DatasetError.self) {
            try Examples(stacking: [Example(inputs: [label], targets: [], weight: .nan)])
        }
        #expect(throws: DatasetError.self) { try Examples(stacking: [Example(inputs: [], targets: [label])]) }
    }

    @Test func labelsAsTargets() throws {
        let input = try TensorValue(shape: [1, 2], storage: .uint8([51, 255]))
        func targets(_ mode: ClassMode, _ label: Int, of count: Int) throws -> [TensorValue] {
            try Example(input, label: label, classCount: count, mode: mode).targets
        }
        #expect(try targets(.sparse, 2, of: 3) == [TensorValue(shape: .scalar, storage: .int32([2]))])
        #expect(try targets(.categorical, 2, of: 4) == [TensorValue([0, 0, 1, 0] as [Float])])
        #expect(try targets(.binary, 0, of: 2) == [TensorValue(0)])
        #expect(try targets(.binary, 1, of: 2) == [TensorValue(1)])
        #expect(try targets(.none, -5, of: 0) == [])
        #expect(try targets(.input, -5, of: 0) == [TensorValue(shape: [1, 2], [0.2, 1])])
        for mode in [ClassMode.sparse, .categorical, .binary] {
            for (label, count) in [(-1, 2), (2, 2), (0, 0), (Int.max, Int.max), (Int.min, 2)] {
                #expect(throws: DatasetError.self) { try targets(mode, label, of: count) }
            }
        }
        #expect(throws: DatasetError.self) { try targets(.binary, 1, of: 3) }
    }
}
