import Fovea
import Testing

/// The calls in the guides' tables that get, change and batch data.
@Suite struct DataCalls {
    /// Compiled, not run: the data sets would be downloaded.
    static func downloads() async throws -> [NamedDataset] {
        [try await DatasetLibrary().load(.fashionMNIST), try await DatasetLibrary().load(.mnist)]
    }

    @Test func examples() throws {
        let images = TensorValue(repeating: 0.5, shape: [10, 8, 8, 3])
        let labels = try TensorValue(numbers, .int32)
        let examples = try Examples(inputs: images, targets: labels)
        #expect(try examples[7].label == 7)
        #expect(try examples[7].image.height == 8)
        #expect(try examples.oneHot(classCount: 10).targets[0].shape == [10, 10])
        #expect(try Dataset(Examples(inputs: images, targets: labels)).count == 10)
    }

    @Test func weights() throws {
        let labels = [0, 0, 1]
        #expect(try ClassWeights(balancing: labels).weights[1] == 1.5)
        #expect(try ClassWeights([0: 1, 1: 5]).weights[1] == 5)
    }

    @Test func pictures() async throws {
        try await GuideData.withFolder { root in
            let (path, folder) = ("\(root)/picture.png", "\(root)/pets")
            let picture = try Picture.decode(contentsOf: path)
            #expect(picture.height == 50)
            #expect(try Picture.decode(contentsOf: path).resized(height: 150, width: 150).width == 150)
            #expect(TensorValue(picture).shape == [50, 40, 3])
            #expect(try Dataset(ImageFolder(folder), size: 150, classMode: .binary).count == 8)
            #expect(try Dataset(ImageFolder(folder), size: 224).count == 8)
            try ImageFolder(folder).writeShards(to: "\(folder)-shards", byteCount: 3000)
            do {
                let folder = "\(folder)-shards"
                #expect(
                    try Dataset(ImageFolder("\(folder)/shard-{000..001}.tar"), size: 224)
                        .shuffled(buffer: 1000, seed: 1).count ?? 0 > 1)
            }
            let augmentation = try Augmentation(rotationRange: 40)
            #expect(try augmentation.flowFromDirectory(folder, targetSize: 150).count == 1)
        }
    }

    @Test func operations() async throws {
        let dataset = Dataset(try shapes)
        let other = dataset
        @Sendable func change(_ example: Example) -> Example { example }
        #expect(try dataset.shuffled(seed: 1).count == 10)
        #expect(try dataset.shuffled(buffer: 1000, seed: 1).count == 10)
        #expect(dataset.map(change).count == 10)
        #expect(try dataset.batched(32, dropsRemainder: true).count == 0)
        #expect(try dataset.shuffled(seed: 1).batched(32, dropsRemainder: true).count == 0)
        #expect(try dataset.cached(byteLimit: 1 << 30).count == 10)
        #expect(try dataset.take(5).count == 5)
        #expect(try dataset.skip(5).count == 5)
        #expect(try dataset.repeated().count == nil)
        #expect(try dataset.split(last: 0.2, seed: 1).1.count == 2)
        #expect(try dataset.subset([3, 1, 4]).count == 3)
        #expect(try dataset.concatenated(with: other).count == 20)
        #expect(try dataset.balanced(by: numbers, .oversampling, seed: 1).count == 10)
        let example = try dataset.element(at: 0)
        #expect(try Dataset(count: 100) { index, epoch in example }.count == 100)
        try await GuideData.withFolder { folder in
            let file = "\(folder)/cache"
            let cached = try dataset.cached(in: file, fingerprint: "v1")
            #expect(cached.count == 10)
        }
    }

    @Test func batches() async throws {
        let batches = try Dataset(try shapes).batched(4)
        var count = 0
        for try await batch in try batches.loaded(threads: 4, ahead: 2) { count += batch.count }
        #expect(count == 10)
        #expect(
            try batches.mixed(.mixUp(), classCount: 5, seed: 1).element(at: 0).targets[0].shape == [4, 5])
        #expect(try batches.mixed(.cutMix(), classCount: 5, seed: 1).element(at: 0).count == 4)
    }

    @Test func augmentation() throws {
        let examples = try shapes
        let augmentations = [
            try Augmentation(rotationRange: 40), try Augmentation(rotationRange: 40, horizontalFlip: true),
            try Augmentation(brightnessRange: 0.2, contrastRange: 0.2),
            try Augmentation(erasing: Augmentation.Erasing()),
            try Augmentation(crop: .random(size: 32, padding: 4)),
            try Augmentation(crop: .resized(size: 224)),
        ]
        for augmentation in augmentations { #expect(try augmentation.flow(examples).count == 1) }
    }

    private var numbers: [Int] { Array(0..<10) }

    private var shapes: Examples {
        get throws { try ShapesDataset.draw(trainCount: 10, testCount: 1).train }
    }
}
