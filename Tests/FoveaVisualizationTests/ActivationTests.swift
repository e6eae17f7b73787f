import FoveaGraph
import FoveaLayers
import FoveaOneDNN
import FoveaRuntime
import Testing

@testable import FoveaVisualization

/// A block with layers inside, written as a program's own layer.
final class ResidualBlock: UnaryLayer {
    let name: String?
    private let first: Conv2D
    private let second: Conv2D

    init(filters: Int, name: String? = nil) {
        self.name = name
        first = Conv2D(filters: filters, kernelSize: 3, padding: .same, activation: .relu)
        second = Conv2D(filters: filters, kernelSize: 3, padding: .same)
    }

    var namedLayers: [(name: String, layer: any Layer)] { [("first", first), ("second", second)] }

    func call(_ x: Tensor) throws(ShapeError) -> Tensor { try (x + second(first(x))).relu() }
}

/// A model inside a model, with a block and a head.
func nestedModel(units: Int = 3) throws -> Sequential {
    let base = try Sequential(name: "base", input: [8, 8, 2], seed: 1) {
        Conv2D(filters: 4, kernelSize: 3, padding: .same, activation: .relu, name: "conv")
        ResidualBlock(filters: 4, name: "block")
    }
    return try Sequential(name: "nested", input: [8, 8, 2], seed: 2) {
        base
        MaxPooling2D()
        Flatten()
        Dense(units: units, activation: .softmax, name: "head")
    }
}

@Suite struct ActivationTests {
    @Test func pathsAreInTheOrderOfComputation() throws {
        #expect(
            try nestedModel().layerPaths == [
                "base/conv", "base/block/first", "base/block/second", "base/block", "base", "max_pooling2d",
                "flatten", "head",
            ])
    }

    @Test(arguments: [Device.cpu, .reference], [1, 2, 32])
    func layersInsideModelsAndBlocks(device: Device, batchSize: Int) async throws {
        let model = try nestedModel()
        try await disturbBiases(of: model)
        let images = try picture([3, 8, 8, 2])
        let activations = try await model.activations(
            of: ["base/conv", "base/block", "base", "flatten", "head"], for: images, batchSize: batchSize,
            device: device)
        let conv = try #require(activations["base/conv"])
        #expect(conv.shape == [3, 8, 8, 4])
        let head = try await model.predict(images, device: device)
        expectNear(activations["head"]?.floats ?? [], head.floats, "head", tolerance: 1e-5)
        #expect(activations["base"] == activations["base/block"])
        #expect(activations["flatten"]?.shape == [3, 64])
        // A part of the model by itself.
        let base = try #require(model.layer(named: "base") as? Sequential)
        let part = try Model(inputs: base.inputs, outputs: [base.output(of: "conv")])
        let expected = try await part.predict(images, device: device)
        expectNear(conv.floats, expected.floats, "conv", tolerance: 1e-5)
    }

    @Test func featureMapsHaveTheirChannelsLast() async throws {
        let model = try Sequential(input: [2, 6, 5]) {
            Conv2D(filters: 4, kernelSize: 3, dataFormat: .channelsFirst, name: "conv")
            Flatten(name: "flat")
            Dense(units: 2)
        }
        let images = try picture([3, 2, 6, 5])
        let own = try #require(try await model.activations(of: ["conv"], for: images)["conv"])
        let maps = try #require(try await model.featureMaps(of: ["conv"], for: [images])["conv"])
        #expect(own.shape == [3, 4, 4, 3] && maps.shape == [3, 4, 3, 4])
        #expect(maps[2, 3, 1, 0] == own[2, 0, 3, 1] && maps[1, 0, 2, 3] == own[1, 3, 0, 2])
        await #expect(throws: InsightError.notSpatial(layer: "flat", shape: [Shape.batch, 48])) {
            try await model.featureMaps(of: ["flat"], for: [images])
        }
    }

    @Test func unknownLayersAreNamed() async throws {
        let model = try nestedModel()
        let images = try picture([1, 8, 8, 2])
        func message(_ path: String) async -> String {
            do {
                _ = try await model.activations(of: [path], for: images)
                return ""
            } catch { return "\(error)" }
        }
        #expect(await message("base/cnov").contains("did you mean 'base/conv'?"))
        #expect(await message("conv").contains("did you mean 'base/conv'?"))
        #expect(await message("zzzzzz").contains("among its 8 layers are base, base/conv, base/block,"))
        // Of many those that begin alike.
        #expect(
            await message("head of something quite different").contains("among its 8 layers are head, base,"))
        #expect(await message("base/block/third").contains("'nested' has no layer 'base/block/third'"))
        #expect(await message("").contains("no layer ''"))
        #expect(await message("head/").contains("no layer 'head/'"))
    }

    @Test func inputsThatDoNotFitAreNamed() async throws {
        let model = try nestedModel()
        await #expect(throws: InsightError.self) {
            try await model.activations(of: ["head"], for: picture([1, 8, 9, 2]))
        }
        await #expect(throws: InsightError.self) {
            try await model.activations(of: ["head"], for: [TensorValue]())
        }
        await #expect(throws: InsightError.self) {
            try await model.activations(of: ["head"], for: TensorValue([Int32](repeating: 1, count: 4)))
        }
        await #expect(throws: InsightError.self) {
            try await model.activations(of: ["head"], for: picture([1, 8, 8, 2]), batchSize: 0)
        }
        #expect(try await model.activations(of: [], for: picture([1, 8, 8, 2])).isEmpty)
    }

    @Test func bytesStandForNumbersUpToOne() async throws {
        let model = try nestedModel()
        let bytes = (0..<128).map { UInt8($0 * 37 % 256) }
        let asBytes = try TensorValue(shape: [1, 8, 8, 2], storage: .uint8(bytes))
        let asFloats = try TensorValue(shape: [1, 8, 8, 2], bytes.map { Float($0) / 255 })
        let paths = ["base/conv", "head"]
        #expect(
            try await model.activations(of: paths, for: asBytes)
                == model.activations(of: paths, for: asFloats))
    }

    @Test func partsNeedOnlyTheirOwnInputs() async throws {
        let left = LayerOutput.input("left", [4, 4, 1])
        let right = LayerOutput.input("right", [3])
        let conv = Conv2D(filters: 2, kernelSize: 3, name: "conv")(left)
        let joined = Concatenate()([Flatten()(conv), Dense(units: 2, name: "dense")(right)])
        let model = try Model(
            inputs: [left, right], outputs: [Dense(units: 2)(joined)], name: "two")
        let activations = try await model.activations(
            of: ["conv"], for: [picture([2, 4, 4, 1]), picture([2, 3])])
        #expect(activations["conv"]?.shape == [2, 2, 2, 2])
    }
}
