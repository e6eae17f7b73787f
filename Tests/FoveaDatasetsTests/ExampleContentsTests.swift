import FoveaGraph
import FoveaPictures
import Testing

@testable import FoveaDatasets

@Suite struct ExampleContentsTests {
    private func numbered(_ count: Int, targets: TensorValue? = nil) throws -> Examples {
        let images = try TensorValue(
            shape: [count, 2, 2, 1], storage: .uint8((0..<(4 * count)).map { UInt8($0) }))
        return try Examples(
            inputs: [images], targets: [targets ?? TensorValue((0..<count).map(Int32.init))])
    }

    @Test func imagesAndLabels() throws {
        let examples = try numbered(10)
        #expect(try examples[7].image.pixels == [28, 29, 30, 31])
        #expect(try examples[7].image.channels == 1)
        #expect(try examples[7].label == 7)
        #expect(try examples.labels == Array(0..<10))
        #expect(try examples.images(3..<5).map(\.pixels) == [[12, 13, 14, 15], [16, 17, 18, 19]])
        #expect(try examples.images().count == 10)
        #expect(try Dataset(examples).images(3..<5) == examples.images(3..<5))
    }

    /// What took a closure that no compiler should be asked to make sense of.
    @Test func imagesInAnAsynchronousFunction() async throws {
        let shuffled = try Dataset(numbered(10)).shuffled(seed: 1)
        await Task.yield()
        let pictures = try shuffled.images(0..<10, epoch: 2)
        #expect(Set(pictures.map { $0.pixels[0] / 4 }) == Set(0..<10))
    }

    @Test func placesThatDoNotExist() throws {
        let examples = try numbered(64)
        for index in [64, -1, Int.max, Int.min] {
            let error = try #require(throws: DatasetError.self) { try examples[index] }
            #expect(error.message == "there is no example \(index); 64 examples are 0...63")
            let other = try #require(throws: DatasetError.self) { try Dataset(examples).element(at: index) }
            #expect(other.message == "there is no element \(index); 64 elements are 0...63")
        }
        let none = try #require(throws: DatasetError.self) { try examples[0..<0][0] }
        #expect(none.message.hasSuffix("there are no examples"))
        let endless = try #require(throws: DatasetError.self) {
            try Dataset(examples).repeated().element(at: -1)
        }
        #expect(endless.message.hasSuffix("0 and above"))
        let epoch = try #require(throws: DatasetError.self) {
            try Dataset(examples).element(at: 0, epoch: -1)
        }
        #expect(epoch.message.contains("no epoch -1"))
        #expect(throws: DatasetError.self) { try examples.images(60..<65) }
        #expect(throws: DatasetError.self) { try Dataset(examples).images(60..<65) }
    }

    @Test func labelsOfEveryForm() throws {
        let rows = try TensorValue([[0, 0, 1], [0.2, 0.7, 0.1]])
        #expect(try numbered(2, targets: rows).labels == [2, 1])
        #expect(try numbered(2, targets: rows)[1].label == 1)
        #expect(try numbered(2, targets: TensorValue([0, 1])).labels == [0, 1])
        #expect(try numbered(2, targets: TensorValue([[1], [0]])).labels == [1, 0])
        #expect(try numbered(2, targets: TensorValue([true, false])).labels == [1, 0])
        for targets in [
            TensorValue([0.5, 1]), TensorValue([-1, 0]), TensorValue([.nan, 0]), TensorValue([1e30, 0]),
            TensorValue(repeating: 0, shape: [2, 2, 2]), TensorValue(repeating: 0, shape: [2, 0]),
        ] {
            let examples = try numbered(2, targets: targets)
            #expect(throws: DatasetError.self) { try examples.labels }
            #expect(throws: DatasetError.self) { try examples[0].label }
            #expect(throws: DatasetError.self) { try examples.oneHot() }
        }
        let unlabelled = try Examples(inputs: numbered(2).inputs, targets: [])
        #expect(throws: DatasetError.self) { try unlabelled.labels }
        #expect(throws: DatasetError.self) { try unlabelled[0].label }
    }

    @Test func oneHot() throws {
        let weights = TensorValue([1, 2, 3])
        let examples = try Examples(
            inputs: numbered(3).inputs[0], targets: TensorValue([2, 0, 2] as [Int32]), weights: weights)
        let rows: [[Float]] = [[0, 0, 1], [1, 0, 0], [0, 0, 1]]
        #expect(try examples.oneHot().targets[0] == TensorValue(rows))
        #expect(try examples.oneHot().weights == weights && examples.oneHot().inputs == examples.inputs)
        #expect(try examples.oneHot(classCount: 5).targets[0].shape == [3, 5])
        #expect(try examples.oneHot(classCount: 5).oneHot().labels == [2, 0, 2])
        #expect(try examples[2].oneHot(classCount: 4) == examples.oneHot(classCount: 4)[2])
        for count in [2, 0, -1] {
            #expect(throws: DatasetError.self) { try examples.oneHot(classCount: count) }
            #expect(throws: DatasetError.self) { try examples[0].oneHot(classCount: count) }
        }
        #expect(try examples[0..<0].oneHot().targets[0].shape == [0, 0])
        let huge = try numbered(3, targets: TensorValue([0, 1, Int32.max]))
        let error = try #require(throws: DatasetError.self) { try huge.oneHot() }
        #expect(error.kind == .tooLarge)
        #expect(throws: DatasetError.self) { try examples[0].oneHot(classCount: .max) }
        let several = try Examples(
            inputs: examples.inputs, targets: [examples.targets[0], examples.targets[0]])
        #expect(throws: DatasetError.self) { try several.oneHot() }
        #expect(throws: DatasetError.self) { try several[0].oneHot(classCount: 3) }
    }

    @Test func whatIsNoPicture() throws {
        let examples = try Examples(inputs: TensorValue([1, 2]), targets: TensorValue([0, 1]))
        #expect(throws: PictureError.self) { try examples[0].image }
        #expect(throws: PictureError.self) { try examples.images() }
    }
}
