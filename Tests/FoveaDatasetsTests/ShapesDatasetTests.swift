import FoveaGraph
import TestSupport
import Testing

@testable import FoveaDatasets

@Suite struct ShapesDatasetTests {
    @Test func shapesAndBalance() throws {
        let data = try ShapesDataset.draw(trainCount: 52, testCount: 13, height: 14, width: 19, seed: 1)
        #expect(data.name == .shapes && data.classNames == ShapesDataset.classNames)
        #expect(data.train.inputs[0].shape == [52, 14, 19, 1] && data.train.inputs[0].dtype == .uint8)
        #expect(data.test.targets[0].shape == [13] && data.test.targets[0].dtype == .int32)
        for (part, counts) in [(data.train, [11, 11, 10, 10, 10]), (data.test, [3, 3, 3, 2, 2])] {
            let labels = part.targets[0].integers
            #expect((0..<5).map { label in labels.count { $0 == label } } == counts)
            #expect(labels != labels.indices.map { Int32($0 % 5) })
        }
    }

    @Test func theSeedDecides() throws {
        func draw(_ seed: UInt64) throws -> NamedDataset {
            try ShapesDataset.draw(trainCount: 10, testCount: 10, seed: seed)
        }
        #expect(try draw(4) == draw(4))
        #expect(try draw(4).train.inputs[0] != draw(5).train.inputs[0])
        #expect(try draw(4).train.inputs[0] != draw(4).test.inputs[0])
    }

    @Test func bytesDoNotChange() throws {
        let directory = try TemporaryDirectory()
        let data = try ShapesDataset.draw(trainCount: 20, testCount: 1)
        let path = try directory.write(data.train.inputs[0].withUnsafeBytes { Array($0) }, to: "pixels")
        #expect(
            try unpackedSHA256(of: path, limit: 1 << 20)
                == .sha256("27ce81fdfce0ccb89b602986052f283ff4a837e74b10396bbfd218ea6e2d1bb0"))
    }

    @Test func imagesOfAllKindsAreVisible() throws {
        let examples = try ShapesDataset.draw(trainCount: 60, testCount: 1).train
        for index in 0..<60 {
            let pixels = try examples[index..<(index + 1)].inputs[0].floats
            let mean = pixels.reduce(0, +) / 784
            let spread = (pixels.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 784).squareRoot()
            #expect(spread > 8, "image \(index)")
            #expect(Set(pixels).count > 20, "image \(index) has noise")
        }
    }

    /// The distance to an edge changes by at most the distance walked, and is 0 on the corners.
    @Test func distancesAreDistances() {
        for outline in ShapeOutline.all {
            #expect(outline.distance(to: [0, 0]) < 0)
            #expect(outline.distance(to: [1.5, 1.5]) > 0)
            var last = outline.distance(to: [-1.2, 0.1])
            for step in 1...240 {
                let next = outline.distance(to: [-1.2 + 0.01 * Double(step), 0.1])
                #expect(abs(next - last) <= 0.01 + 1e-12)
                last = next
            }
            if case .polygon(let corners) = outline {
                for corner in corners {
                    #expect(abs(outline.distance(to: corner)) < 1e-12)
                    #expect((corner * corner).sum() <= 1.0002)
                }
            }
        }
    }

    @Test(arguments: [(0, 1, 28, 28), (1, 0, 28, 28), (1, 1, 11, 28), (1, 1, 28, -1), (-4, 1, 28, 28)])
    func impossibleSizes(train: Int, test: Int, height: Int, width: Int) {
        #expect(throws: DatasetError.self) {
            try ShapesDataset.draw(trainCount: train, testCount: test, height: height, width: width)
        }
    }

    @Test(arguments: [(Int.max, 28, 28), (1, Int.max, 28), (1, Int.max, Int.max), (1 << 30, 12, 12)])
    func gigabytesAreRefused(count: Int, height: Int, width: Int) throws {
        let error = try #require(throws: DatasetError.self) {
            try ShapesDataset.draw(trainCount: count, testCount: 1, height: height, width: width)
        }
        #expect(error.kind == .tooLarge)
    }
}
