import FoveaGraph
import Testing

@testable import FoveaDatasets

@Suite struct BatchMixingTests {
    @Test func mixUp() throws {
        let images = try TensorValue(shape: [2, 1, 2, 1], [1, 2, 5, 10])
        let targets = TensorValue([Int32(2), 0])
        let mixed = try BatchMixing.mixed(
            images: images, targets: targets, classCount: 3, .init(partners: [1, 0], share: 0.75))
        #expect(mixed.images == (try TensorValue(shape: [2, 1, 2, 1], [2, 4, 4, 8])))
        #expect(mixed.targets == (try TensorValue(shape: [2, 3], [0.25, 0, 0.75, 0.75, 0, 0.25])))
        let alone = try BatchMixing.mixed(
            images: images, targets: mixed.targets, .init(partners: [1, 0], share: 1))
        #expect(alone.images == images && alone.targets == mixed.targets)
    }

    @Test func cutMix() throws {
        let bytes: [UInt8] = [0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255]
        let mixed = try BatchMixing.mixed(
            images: TensorValue(shape: [2, 2, 3, 1], storage: .uint8(bytes)),
            targets: TensorValue(shape: [2, 2], [1, 0, 0, 1]),
            .init(
                partners: [1, 1], share: 2.0 / 3, region: .init(top: 0, left: 1, height: 2, width: 1)))
        #expect(mixed.images.floats == [0, 1, 0, 0, 1, 0, 1, 1, 1, 1, 1, 1])
        #expect(zip(mixed.targets.floats, [2.0 / 3, 1 / 3.0, 0, 1]).allSatisfy { abs($0 - $1) < 1e-6 })
    }

    @Test(arguments: [BatchMixing.mixUp(), .cutMix(), .mixUp(alpha: 0.001), .cutMix(alpha: 8)])
    func drawnParameters(mixing: BatchMixing) throws {
        for batch in 0..<300 {
            let drawn = try mixing.parameters(for: batch, seed: 3, count: 5, height: 7, width: 4)
            #expect(drawn.partners.sorted() == Array(0..<5))
            #expect((0...1).contains(drawn.share))
            if let region = drawn.region {
                #expect(region.top >= 0 && region.top + region.height <= 7)
                #expect(region.left >= 0 && region.left + region.width <= 4)
                // The share is that of the rectangle as it was cut off at the border.
                #expect(abs(1 - drawn.share - Double(region.height * region.width) / 28) < 1e-12)
            }
            #expect(
                try drawn == mixing.parameters(for: batch, seed: 3, count: 5, height: 7, width: 4))
            #expect(
                try drawn != mixing.parameters(for: batch, seed: 4, count: 5, height: 7, width: 4)
                    || drawn.share == 1 || drawn.share == 0)
        }
    }

    /// Mean ½ and variance 1 / (4 (2 α + 1)).
    @Test(arguments: [0.2, 1, 4]) func sharesAreOfTheBetaDistribution(alpha: Double) throws {
        let shares = try (0..<20_000).map {
            try BatchMixing.mixUp(alpha: alpha).parameters(for: $0, seed: 1, count: 1, height: 1, width: 1)
                .share
        }
        let mean = shares.reduce(0, +) / 20_000
        let variance = shares.reduce(0) { $0 + ($1 - 0.5) * ($1 - 0.5) } / 20_000
        let expected = 1 / (4 * (2 * alpha + 1))
        // Six standard deviations of the mean; those of the variance are smaller.
        let tolerance = 6 * (expected / 20_000).squareRoot()
        #expect(abs(mean - 0.5) < tolerance)
        #expect(abs(variance - expected) < tolerance)
    }

    private func batches(count: Int = 7, hasWeights: Bool = false) throws -> Dataset<Examples> {
        // Each image has one value, and each class as well.
        let images = try TensorValue(
            shape: [count, 3, 5, 1],
            storage: .uint8((0..<count).flatMap { [UInt8](repeating: UInt8(10 * $0), count: 15) }))
        return try Dataset(
            Examples(
                inputs: images, targets: TensorValue((0..<count).map { Int32($0) }),
                weights: hasWeights ? TensorValue((0..<count).map { Float($0) }) : nil)
        ).shuffled(seed: 4).batched(3)
    }

    @Test(arguments: [BatchMixing.mixUp(alpha: 2), .cutMix()])
    func batchesOfADataSet(mixing: BatchMixing) throws {
        let plain = try batches(hasWeights: true)
        let mixed = try plain.mixed(mixing, classCount: 7, seed: 5)
        #expect(mixed.count == 3)
        var shares: Set<Float> = []
        for place in 0..<9 {
            let (batch, before) = (
                try mixed.element(at: place % 3, epoch: place / 3),
                try plain.element(at: place % 3, epoch: place / 3)
            )
            #expect(
                batch.inputs[0].shape == before.inputs[0].shape && batch.targets[0].shape == [batch.count, 7])
            for row in 0..<batch.count {
                let answer = Array(batch.targets[0].floats[(7 * row)..<(7 * row + 7)])
                #expect(abs(answer.reduce(0, +) - 1) < 1e-6)
                // The mean of an image is as much mixed as its answer and its weight.
                let value = zip(answer, 0..<7).reduce(0) { $0 + $1.0 * Float($1.1) }
                let mean = batch.inputs[0].floats[(15 * row)..<(15 * row + 15)].reduce(0, +) / 15 * 25.5
                #expect(abs(mean - value) < 1e-4)
                #expect(abs((batch.weights?.floats[row] ?? -1) - value) < 1e-5)
                shares.insert(answer[Int(before.targets[0].floats[row])])
            }
        }
        // Not the same one in all batches.
        #expect(shares.count > 2)
    }

    /// Wherever training goes on, on any number of threads.
    @Test func mixingDependsOnSeedEpochAndBatchOnly() async throws {
        let mixed = try batches().mixed(.mixUp(), classCount: 7, seed: 5)
        let epochs = try (0..<3).map { try mixed.elements(epoch: $0) }
        #expect(epochs[0] != epochs[1])
        let steps = try mixed.repeated().take(9)
        for start in 0..<9 {
            for threads in [0, 1, 3] {
                let rest = try await steps.loadedElements(threads: threads, from: start)
                #expect(rest == Array(epochs.joined().dropFirst(start)))
            }
        }
        let others = try [
            mixed, batches().mixed(.mixUp(), classCount: 7, seed: 6),
            batches().mixed(.mixUp(alpha: 0.3), classCount: 7, seed: 5),
            batches().mixed(.cutMix(alpha: 0.2), classCount: 7, seed: 5),
            batches().mixed(.mixUp(), classCount: 8, seed: 5),
        ]
        #expect(Set(others.map(\.description)).count == 5)
        #expect(try Set(others.map { try $0.elements().flatMap { $0.targets[0].floats } }).count == 5)
    }

    @Test func batchesThatCannotBeMixed() throws {
        #expect(throws: DatasetError.self) { try batches().mixed(.mixUp(alpha: 0), classCount: 7, seed: 5) }
        for classCount in [nil, 6, -1] {
            let mixed = try batches().mixed(.mixUp(), classCount: classCount, seed: 5)
            #expect(throws: DatasetError.self) { _ = try mixed.elements() }
        }
        let twoInputs: Dataset<Examples> = try Dataset(numbered(4)).batched(2)
        #expect(throws: DatasetError.self) {
            try twoInputs.mixed(.cutMix(), classCount: 4, seed: 5).element(at: 0)
        }
    }

    @Test func refusals() throws {
        for alpha in [0, -1, .nan, .infinity, 1e9] {
            #expect(throws: DatasetError.self) {
                try BatchMixing.mixUp(alpha: alpha).parameters(
                    for: 0, seed: 0, count: 2, height: 2, width: 2)
            }
        }
        #expect(throws: DatasetError.self) {
            try BatchMixing.cutMix().parameters(for: 0, seed: 0, count: 0, height: 2, width: 2)
        }
        for (count, height, width) in [
            (2, 1 << 33, 1 << 33), (2, Int.max, 1), (2, 1, Int.max), (Int.max, 1, 1), (2, Int.min, -1),
        ] {
            for mixing in [BatchMixing.mixUp(), .cutMix()] {
                #expect(throws: DatasetError.self) {
                    try mixing.parameters(for: 0, seed: 0, count: count, height: height, width: width)
                }
            }
        }
        let large = try BatchMixing.cutMix().parameters(
            for: 0, seed: 0, count: 1, height: 1 << 24, width: 1 << 24)
        #expect((0...1).contains(large.share))
        let images = try TensorValue(shape: [2, 1, 2, 1], [1, 2, 5, 10])
        let labels = TensorValue([Int32(2), 0])
        func refuse(
            _ images: TensorValue, _ targets: TensorValue, _ classCount: Int?,
            _ parameters: BatchMixing.Parameters
        ) {
            #expect(throws: DatasetError.self) {
                try BatchMixing.mixed(
                    images: images, targets: targets, classCount: classCount, parameters)
            }
        }
        let fine = BatchMixing.Parameters(partners: [1, 0], share: 0.5)
        refuse(images, labels, nil, fine)
        refuse(images, labels, 2, fine)
        for classCount in [.max, 1 << 27 + 1, 0, .min] { refuse(images, labels, classCount, fine) }
        refuse(images, TensorValue([Float(0), 1]), 3, fine)
        refuse(TensorValue([Float(0), 1]), labels, 3, fine)
        refuse(try TensorValue(shape: [2, 1, 1, 1], storage: .int32([1, 2])), labels, 3, fine)
        for (partners, share) in [
            ([0], 0.5), ([0, 2], 0.5), ([-1, 0], 0.5), ([1, 0], 1.5), ([1, 0], .nan),
        ] {
            refuse(images, labels, 3, .init(partners: partners, share: share))
        }
        for region in [
            Augmentation.Region(top: 0, left: 1, height: 1, width: 2),
            .init(top: -1, left: 0, height: 1, width: 1), .init(top: 0, left: .max, height: 1, width: 1),
            .init(top: 0, left: 0, height: -1, width: 1), .init(top: 0, left: 0, height: .max, width: 1),
        ] {
            refuse(images, labels, 3, .init(partners: [1, 0], share: 0.5, region: region))
        }
    }
}
