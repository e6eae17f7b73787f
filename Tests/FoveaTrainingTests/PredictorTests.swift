import FoveaDatasets
import FoveaGraph
import FoveaLayers
import FoveaOneDNN
import FoveaPictures
import FoveaRuntime
import Testing

@testable import FoveaTraining

/// What a model says, against what its trainer says and what was worked out by hand.
struct PredictorTests {
    private static let size = (height: 6, width: 5)

    private func network(units: Int, activation: ActivationFunction, channels: Int = 3) throws -> Sequential {
        try Sequential(input: [Self.size.height, Self.size.width, channels], seed: 3) {
            Conv2D(filters: 4, kernelSize: 3, activation: .relu)
            Flatten()
            Dense(units: units, activation: activation)
        }
    }

    /// Pictures that differ, `[count, height, width, channels]`.
    private func images(_ count: Int, channels: Int = 3) throws -> TensorValue {
        let shape: Shape = [count, Self.size.height, Self.size.width, channels]
        return try TensorValue(
            shape: shape, storage: .uint8((0..<shape.elementCount).map { UInt8($0 * 7919 % 251) }))
    }

    @Test(arguments: [Device.cpu, .reference], [1, 3, 7, 50])
    func outputsAreThoseOfTheTrainer(device: Device, batchSize: Int) async throws {
        let model = try network(units: 4, activation: .softmax)
        let predictor = try Predictor(model, device: device)
        let images = try images(7)
        let trainer = try model.compile(
            optimizer: .sgd(), loss: .sparseCategoricalCrossentropy(), device: device)
        let expected = try await trainer.predict(inputs: images, batchSize: batchSize)
        let outputs = try await predictor.outputs(for: [images], batchSize: batchSize)
        #expect(outputs == [expected])
        let rows = try Examples(inputs: images, targets: TensorValue([Int32](repeating: 0, count: 7)))
        #expect(try await trainer.predict(rows, batchSize: batchSize) == [expected])
        let batches = try Dataset(rows).batched(batchSize)
        #expect(try await predictor.outputs(for: batches) == [expected])
        #expect(try await model.predict(images, batchSize: batchSize, device: device) == expected)
    }

    @Test func classesAreRanked() async throws {
        let names = ["ant", "bee", "cow", "dog"]
        let predictor = try Predictor(network(units: 4, activation: .softmax), classNames: names)
        #expect(!predictor.givesLogits)
        let images = try images(5)
        let outputs = try await predictor.outputs(for: [images])[0].floats
        let answers = try await predictor.classes(of: images, top: 9)
        #expect(answers.count == 5)
        for (place, answer) in answers.enumerated() {
            let row = outputs[place * 4..<place * 4 + 4].map(Double.init)
            #expect(answer.map(\.probability) == row.sorted(by: >))
            #expect(answer.allSatisfy { $0.name == names[$0.index] && $0.probability == row[$0.index] })
        }
        #expect(try await predictor.classes(of: images, top: 1).map(\.count) == [1, 1, 1, 1, 1])
        #expect(ClassProbability(index: 2, name: nil, probability: 0.12345).description == "class 2 12.3 %")
        #expect(ClassProbability(index: 2, name: "cow", probability: 1).description == "cow 100.0 %")
        #expect(
            ClassProbability(index: 2, name: "c\u{1B}[2J", probability: .infinity).description.contains("inf")
        )
        #expect(
            !ClassProbability(index: 0, name: "\u{1B}[2J", probability: 1e300).description.contains("\u{1B}"))
    }

    /// Whether the softmax or sigmoid is in the model makes no difference.
    @Test(arguments: [3, 1]) func logitsBecomeProbabilities(units: Int) async throws {
        let inside = try network(units: units, activation: units == 1 ? .sigmoid : .softmax)
        let outside = try network(units: units, activation: .linear)
        let images = try images(4)
        let (first, second) = (try Predictor(inside), try Predictor(outside))
        #expect(!first.givesLogits && second.givesLogits)
        let (answers, others) = (
            try await first.classes(of: images), try await second.classes(of: images)
        )
        for (answer, other) in zip(answers, others) {
            #expect(answer.count == max(2, units))
            #expect(answer.map(\.index) == other.map(\.index))
            #expect(zip(answer, other).allSatisfy { abs($0.probability - $1.probability) < 1e-6 })
            #expect(abs(answer.reduce(0) { $0 + $1.probability } - 1) < 1e-6)
        }
        // What was said counts more than what is found.
        #expect(try Predictor(outside, fromLogits: false).givesLogits == false)
    }

    @Test(arguments: [1, 3]) func picturesOfAnySizeAreTaken(channels: Int) async throws {
        let predictor = try Predictor(network(units: 4, activation: .softmax, channels: channels))
        let form = try predictor.pictureForm
        #expect(form == PictureForm(size: Size2D(6, 5), channels: channels))
        let pictures = try [(6, 5, 3), (11, 20, 3), (3, 2, 1), (6, 5, 1)].map { height, width, channels in
            let count = height * width * channels
            return try Picture(
                height: height, width: width, channels: channels,
                pixels: (0..<count).map { UInt8($0 * 31 % 256) })
        }
        let together = try await predictor.classes(of: pictures, batchSize: 3)
        for (place, picture) in pictures.enumerated() {
            let value = try form.value(picture)
            #expect(value.shape == [6, 5, channels])
            let batch = try value.reshaped(to: Shape([1] + value.shape.dimensions))
            let expected = try await predictor.classes(of: batch)[0]
            #expect(try await predictor.classes(of: picture) == expected)
            #expect(together[place].map(\.index) == expected.map(\.index))
        }
        #expect(try await predictor.classes(of: [Picture]()).isEmpty)
    }

    @Test func onePictureAfterTheOtherIsCompiledOnce() async throws {
        let predictor = try Predictor(network(units: 4, activation: .softmax))
        let all = try images(100)
        let expected = try await predictor.classes(of: all, batchSize: 100)
        let before = await predictor.compiledCount
        for place in 0..<100 {
            let one = try TensorValue(
                shape: [1, 6, 5, 3],
                storage: .uint8((0..<90).map { UInt8((place * 90 + $0) * 7919 % 251) }))
            #expect(try await predictor.classes(of: one)[0].map(\.index) == expected[place].map(\.index))
        }
        #expect(await predictor.compiledCount == before + 1)
    }

    @Test func manyTasksMayAsk() async throws {
        let predictor = try Predictor(network(units: 4, activation: .softmax))
        let all = try images(20)
        var expected: [[TensorValue]] = []
        for count in 1...20 {
            expected.append(try await predictor.outputs(for: [try first(count, of: all)]))
        }
        let alone = expected
        try await withThrowingTaskGroup(of: (Int, [TensorValue]).self) { group in
            for turn in 0..<60 {
                let some = try first(turn % 20 + 1, of: all)
                group.addTask {
                    (turn % 20, try await predictor.outputs(for: [some], batchSize: turn % 5 + 20))
                }
            }
            for try await (place, outputs) in group { #expect(outputs == alone[place]) }
        }
    }

    private func first(_ count: Int, of images: TensorValue) throws -> TensorValue {
        guard case .uint8(let bytes) = images.storage else { return images }
        let shape = Shape([count] + images.shape.dimensions.dropFirst())
        return try TensorValue(shape: shape, storage: .uint8(Array(bytes.prefix(shape.elementCount))))
    }

    @Test func whatDoesNotFitIsSaid() async throws {
        let predictor = try Predictor(network(units: 4, activation: .softmax))
        let small = try TensorValue(shape: [2, 6, 4, 3], [Float](repeating: 0, count: 144))
        await #expect(throws: TrainingError.self) { try await predictor.classes(of: small) }
        await #expect(throws: TrainingError.self) {
            try await predictor.outputs(for: [try images(2)], batchSize: 0)
        }
        let rows = try Predictor(Sequential(input: [7], seed: 1) { Dense(units: 2) })
        let error = await #expect(throws: PredictorError.self) {
            try await rows.classes(of: Picture(height: 2, width: 2, color: .black))
        }
        #expect(error?.description.contains("[7]") == true)
    }

    @Test func notANumberIsNoClass() async throws {
        let model = try network(units: 3, activation: .softmax)
        let weights = try #require(model.parameters.last?.parameter.variable)
        try await weights.assign(TensorValue([0, .nan, 0]))
        #expect(try await Predictor(model).classes(of: images(2)) == [[], []])
    }
}
