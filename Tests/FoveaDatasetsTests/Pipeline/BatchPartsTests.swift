import FoveaGraph
import Synchronization
import Testing

@testable import FoveaDatasets

struct BatchPartsTests {
    private static let examples = try! Examples(
        inputs: TensorValue(shape: [11, 2], (0..<22).map { Float($0) }),
        targets: TensorValue((0..<11).map { Int32($0) }))

    private static let all: [(name: String, batches: Dataset<Examples>)] = [
        ("copied", try! Dataset(examples).shuffled(seed: 1).batched(4)),
        ("computed", try! Dataset(examples).map { $0 }.batched(4)),
        ("changed", try! Dataset(examples).batched(4).map { $0 }),
        ("moved", try! Dataset(examples).batched(3).shuffled(seed: 2).skip(1).repeated(2)),
    ]

    /// However a batch is made and cut, its parts are the batch.
    @Test(arguments: all.indices, [1, 2, 4, 8])
    func partsAreTheBatch(_ number: Int, _ count: Int) throws {
        let (name, batches) = Self.all[number]
        for index in 0..<(batches.count ?? 0) {
            let whole = try batches.element(at: index, epoch: 1)
            var inputs: [Float] = []
            var targets: [Int32] = []
            for range in [0..<count / 2, count / 2..<count] {
                let parts = try batches.parts(range, of: count).element(at: index, epoch: 1).parts
                #expect(parts.count == range.count)
                for part in parts.compactMap(\.self) {
                    #expect(part.count > 0)
                    inputs += part.inputs[0].floats
                    targets += part.targets[0].integers
                }
            }
            #expect(inputs == whole.inputs[0].floats, "\(name)")
            #expect(targets == whole.targets[0].integers, "\(name)")
        }
    }

    @Test(arguments: [0, 1, 5, 8, 100], [1, 2, 7, 8])
    func partsHaveAboutTheSameSize(_ total: Int, _ count: Int) {
        let parts = (0..<count).map { partRange($0, of: count, in: total) }
        #expect(parts.flatMap(Array.init) == Array(0..<total))
        let sizes = parts.map(\.count)
        #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
    }

    /// What is not asked for is not computed, by however many threads.
    @Test(arguments: [0, 3])
    func otherPartsAreNotComputed(_ threads: Int) throws {
        let computed = Mutex<Set<Int>>([])
        let elements = Dataset(Self.examples).map { example in
            computed.withLock { _ = $0.insert(Int(example.targets[0].integers[0])) }
            return example
        }
        var iterator = try elements.batched(4).parts(1..<2, of: 2).loaded(threads: threads)
            .makeAsyncIterator()
        while try iterator.nextBlocking() != nil {}
        #expect(computed.withLock { $0 } == [2, 3, 6, 7, 9, 10])
    }

    /// An element that fails leaves the others where they are.
    @Test func failedElementsLeaveTheOthers() throws {
        struct Broken: Error {}
        let failed = FailedElements()
        let batches = try Dataset(Self.examples).map { example in
            if [0, 2, 3].contains(example.targets[0].integers[0]) { throw Broken() }
            return example
        }.batched(4, onError: .skip(failed))
        let first = try batches.parts(0..<2, of: 2).element(at: 0)
        #expect(first.parts.map { $0?.targets[0].integers } == [[1], nil])
        #expect(first.leftOutReason is Broken)
        #expect(failed.batchCount == 0)
    }
}
