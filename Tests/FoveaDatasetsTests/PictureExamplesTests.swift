import Foundation
import FoveaGraph
import FoveaPictures
import TestSupport
import Testing

@testable import FoveaDatasets

/// Folders of pictures as examples.
@Suite struct PictureExamplesTests {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    /// A picture whose left half is darker, as PPM.
    private func write(_ name: String, height: Int, width: Int, level: UInt8) throws {
        let pixels = (0..<height * width).flatMap { place -> [UInt8] in
            let value = place % width < width / 2 ? level : level + 40
            return [value, value / 2, 255 - value]
        }
        try directory.write(Array("P6 \(width) \(height) 255\n".utf8) + pixels, to: name)
    }

    private func folder(classes: [String] = ["a", "b"]) throws -> ImageFolder {
        for (label, name) in classes.enumerated() {
            for number in 0..<3 {
                try write(
                    "\(name)/\(number).ppm", height: 6 + number, width: 8 + label,
                    level: UInt8(20 * label + number))
            }
        }
        return try ImageFolder(directory.path)
    }

    @Test func picturesComeInOneSizeWithTheirLabels() throws {
        let examples = try Dataset(folder(), size: Size2D(4, 5))
        #expect(examples.count == 6)
        for index in 0..<6 {
            let example = try examples.element(at: index)
            #expect(example.inputs[0].shape == [4, 5, 3] && example.inputs[0].dtype == .uint8)
            #expect(example.targets[0].integers == [Int32(index / 3)] && example.targets[0].shape == .scalar)
            let file = "\(directory.path)/\(index < 3 ? "a" : "b")/\(index % 3).ppm"
            let picture = try Picture.decode(contentsOf: URL(fileURLWithPath: file))
            #expect(try TensorValue(picture.resized(height: 4, width: 5)) == example.inputs[0])
        }
        let grey = try Dataset(folder(), size: 5, channels: 1, classMode: .binary).element(at: 4)
        #expect(grey.inputs[0].shape == [5, 5, 1] && grey.targets == [TensorValue(Float(1))])
    }

    @Test func argumentsThatMakeNoSense() throws {
        let folder = try folder(classes: ["a", "b", "c"])
        for (size, channels, mode) in [
            (Size2D(0, 5), 3, ClassMode.sparse), (Size2D(1 << 20, 1 << 20), 3, .sparse), (5, 2, .sparse),
            (5, 3, .binary),
        ] {
            #expect(throws: DatasetError.self) {
                try Dataset(folder, size: size, channels: channels, classMode: mode)
            }
        }
    }

    @Test func aPictureThatCannotBeReadIsNamed() throws {
        let folder = try folder()
        try directory.write(Array("P6 9 9 255\nshort".utf8), to: "b/1.ppm")
        let error = #expect(throws: PictureError.self) { try Dataset(folder, size: 4).element(at: 4) }
        #expect(error?.description.contains("b/1.ppm") == true)
    }

    @Test func theFirstOfABatchThatCannotBeReadIsNamed() throws {
        let folder = try folder()
        for number in 1...2 { try directory.write(Array("P6 9 9 255\nshort".utf8), to: "b/\(number).ppm") }
        let batches: Dataset<Examples> = try Dataset(folder, size: 4).skip(4).batched(
            2, onError: .skip(FailedElements()))
        let error = #expect(throws: PictureError.self) { try batches.element(at: 0) }
        #expect(error?.kind == .truncated && error?.file == "\(directory.path)/b/1.ppm")
        #expect(error?.message.contains("every element of a batch") == true)
    }

    @Test func augmentationDependsOnEpochAndSeedOnly() throws {
        let examples = try Dataset(folder(), size: 9)
        let augmentation = try Augmentation(rotationRange: 60, horizontalFlip: true)
        let augmented = examples.augmented(augmentation, seed: 3)
        let first = try augmented.element(at: 2, epoch: 1)
        #expect(first.inputs[0].dtype == .uint8 && first.inputs[0].shape == [9, 9, 3])
        #expect(try augmented.element(at: 2, epoch: 1) == first)
        #expect(try augmented.element(at: 2, epoch: 2) != first)
        #expect(try examples.augmented(augmentation, seed: 4).element(at: 2, epoch: 1) != first)
        #expect(try augmented.element(at: 2, epoch: 1).targets == examples.element(at: 2).targets)
        let same = try examples.augmented(Augmentation(), seed: 3).element(at: 5)
        #expect(try same == examples.element(at: 5))
        let scaled = try examples.augmented(Augmentation(rescale: 0.5), seed: 3).element(at: 5).inputs[0]
        #expect(try scaled.floats == examples.element(at: 5).inputs[0].integers.map { Float($0) / 2 })
    }

    /// Also from a cache, which keeps images before they are augmented.
    @Test func anAutoencoderSeesWhatItHasToGive() throws {
        let pictures = try Dataset(folder(), size: 5, classMode: .input)
        let path = directory.path + "/cache"
        let augmentation = try Augmentation(rotationRange: 60, brightnessRange: 0.5)
        for examples in try [
            pictures, pictures.cached(byteLimit: 1 << 20), pictures.cached(in: path, fingerprint: ""),
        ] {
            let before = try examples.element(at: 3)
            let example = try examples.augmented(augmentation, seed: 1).augmented(augmentation, seed: 2)
                .element(at: 3, epoch: 1)
            #expect(example.inputs[0].dtype == .uint8 && example.inputs[0] != before.inputs[0])
            #expect(
                example.targets == [
                    try TensorValue(shape: [5, 5, 3], example.inputs[0].floats.map { $0 / 255 })
                ])
            let standardized = try examples.augmented(
                Augmentation(rotationRange: 60, rescale: 0.25, samplewiseCenter: true), seed: 1
            ).element(at: 3)
            #expect(standardized.targets == standardized.inputs && standardized.targets != before.targets)
        }
    }

    /// The same image in three scales.
    @Test func floatImagesOfAnyScale() throws {
        let bytes = (0..<60).map { UInt8(4 * $0 + 10) }
        let augmentation = try Augmentation(
            rotationRange: 20, brightnessRange: 0.5, contrastRange: 0.5, saturationRange: 0.5, hueRange: 0.2)
        func flowed(_ storage: TensorValue.Storage, white: Float = 1) throws -> [Float] {
            let images = try TensorValue(shape: [1, 4, 5, 3], storage: storage)
            let examples = try Examples(inputs: images, targets: TensorValue([Int32(0)]))
            return try augmentation.flow(examples, shuffle: false, seed: 7, white: white).element(at: 0)
                .inputs[0].floats
        }
        let expected = try flowed(.uint8(bytes))
        #expect(Set(expected).count > 20)
        let scales: [(Float, Float)] = [(1 / 255, 1), (1, 255), (0.25, 63.75)]
        for (scale, white) in scales {
            let floats = try flowed(.float32(bytes.map { Float($0) * scale }), white: white)
            // Bytes are rounded.
            for (float, byte) in zip(floats, expected) { #expect(abs(float / scale - byte) <= 0.51) }
        }
        #expect(throws: DatasetError.self) {
            try flowed(.float32([Float](repeating: 1, count: 60)), white: 0)
        }
        let plain = Dataset(try numbered(1))
        #expect(
            plain.augmented(augmentation, seed: 1).description
                != plain.augmented(augmentation, seed: 1, white: 255).description)
    }

    /// Resuming and cache files compare descriptions, and statistics change what comes.
    @Test func statisticsTellDataSetsApart() throws {
        let data = Dataset(try numbered(3))
        func description(_ value: Float?, _ augmentation: Augmentation) throws -> String {
            var augmentation = augmentation
            if let value {
                try augmentation.fit(on: TensorValue(shape: [2, 1, 2, 1], [0, 1, value, 2]))
            }
            return data.augmented(augmentation, seed: 1).description
        }
        for augmentation in try [
            Augmentation(featurewiseCenter: true), Augmentation(zcaWhitening: true),
            Augmentation(featurewiseStdNormalization: true),
        ] {
            let all = try [nil, 3, 4, 4.0000005].map { try description($0, augmentation) }
            #expect(Set(all).count == 4)
            #expect(try description(3, augmentation) == all[1])
        }
        // Where they change nothing.
        let plain = try Augmentation(samplewiseCenter: true)
        #expect(try description(nil, plain) == description(3, plain))
    }

    @Test func flows() throws {
        _ = try folder()
        let batches = try Augmentation(horizontalFlip: true).flowFromDirectory(
            directory.path, targetSize: 7, batchSize: 4, seed: 2)
        #expect(batches.count == 2)
        let epochs = try (0..<2).map { epoch in
            try (0..<2).map { try batches.element(at: $0, epoch: epoch) }
        }
        #expect(epochs[0].map(\.count) == [4, 2] && epochs[0] != epochs[1])
        let targets = epochs[0].flatMap { $0.targets[0].floats }
        #expect(epochs[0][0].targets[0].shape == [4, 2] && targets.reduce(0, +) == 6)

        let images = try TensorValue(shape: [3, 2, 2, 1], storage: .uint8((0..<12).map { UInt8($0) }))
        let examples = try Examples(inputs: images, targets: TensorValue([0, 1, 2] as [Int32]))
        let flow = try Augmentation().flow(examples, batchSize: 3, shuffle: false)
        #expect(try flow.element(at: 0) == examples)
    }

    /// As Keras's generators do: no batch mixes two passes, each pass has its own order and its own augmentation, and a batch
    /// is the same however one gets there.
    @Test func flowsWithoutEnd() async throws {
        let images = try TensorValue(shape: [5, 3, 3, 1], storage: .uint8((0..<45).map { UInt8($0) }))
        let examples = try Examples(inputs: images, targets: TensorValue([0, 1, 2, 3, 4] as [Int32]))
        let once = try Augmentation(rotationRange: 180).flow(examples, batchSize: 2, seed: 7)
        let endless = try once.repeated()
        #expect(once.count == 3 && endless.count == nil)
        var passes: [[Examples]] = []
        var batches = try endless.loaded(epoch: 0).makeAsyncIterator()
        for _ in 0..<4 {
            var pass: [Examples] = []
            for _ in 0..<3 { pass.append(try #require(try await batches.next())) }
            passes.append(pass)
        }
        for (number, pass) in passes.enumerated() {
            #expect(pass.map(\.count) == [2, 2, 1])
            #expect(Set(pass.flatMap { $0.targets[0].integers }) == [0, 1, 2, 3, 4])
            for (place, batch) in pass.enumerated() {
                #expect(try once.element(at: place, epoch: number) == batch)
                #expect(try endless.element(at: 3 * number + place) == batch)
            }
        }
        #expect(Set(passes.map { $0.flatMap { $0.targets[0].integers } }).count > 1)
        let firsts = passes.map { pass in
            pass.lazy.compactMap { batch in
                batch.targets[0].integers.firstIndex(of: 3).map { batch.inputs[0][$0] }
            }.first
        }
        #expect(Set(firsts).count == 4)
    }
}
