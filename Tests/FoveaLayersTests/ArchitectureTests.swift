import Foundation
import FoveaGraph
import FoveaLayers
import FoveaOneDNN
import FoveaRuntime
import Testing

@testable import FoveaModels

/// What the networks known by name give for images of any size, and what can be made of them.
@Suite struct ArchitectureTests {
    // MARK: Shapes

    /// The features of images of the size that a network was made for, and of images of other sizes.
    @Test(arguments: [
        (NamedNetwork.leNet5, [28, 28, 1], [5, 5, 16]), (.leNet5, [33, 40, 3], [5, 7, 16]),
        (.alexNet, [227, 227, 3], [6, 6, 256]), (.alexNet, [97, 131, 1], [1, 3, 256]),
        (.alexNet2014, [224, 224, 3], [6, 6, 256]), (.alexNet2014, [97, 131, 4], [2, 3, 256]),
        (.vgg16, [224, 224, 3], [7, 7, 512]), (.vgg16, [97, 131, 1], [3, 4, 512]),
        (.vgg19, [32, 63, 3], [1, 1, 512]), (.googLeNet, [224, 224, 3], [7, 7, 1024]),
        (.googLeNet, [97, 131, 1], [4, 5, 1024]), (.resNet18, [224, 224, 3], [7, 7, 512]),
        (.resNet18, [97, 131, 1], [4, 5, 512]), (.resNet34, [32, 32, 3], [1, 1, 512]),
        (.resNet50, [224, 224, 3], [7, 7, 2048]), (.resNet50, [97, 131, 1], [4, 5, 2048]),
        (.cifarResNet20, [32, 32, 3], [8, 8, 64]), (.cifarResNet56, [33, 40, 1], [9, 10, 64]),
        (.resNet50Torch, [97, 131, 1], [4, 5, 2048]), (.googLeNetTorch, [224, 224, 3], [7, 7, 1024]),
        (.googLeNetTorch, [97, 131, 1], [3, 4, 1024]), (.denseNet121, [97, 131, 1], [3, 4, 1024]),
        (.squeezeNet, [224, 224, 3], [13, 13, 512]), (.squeezeNet, [97, 131, 1], [6, 8, 512]),
        (.mobileNetV2, [97, 131, 1], [4, 5, 1280]), (.mobileNetV2Torch, [97, 131, 1], [4, 5, 1280]),
        (.efficientNetLite0, [224, 224, 3], [7, 7, 1280]), (.efficientNetLite3, [97, 131, 1], [4, 5, 1280]),
    ])
    func features(network: NamedNetwork, input: [Int], output: [Int]) throws {
        let shape = Shape(input)
        let base = try network.model(input: shape, includeTop: false)
        #expect(try base.outputShape == Shape(output))
        for pooling in [FeaturePooling.average, .max] {
            let pooled = try network.model(input: shape, includeTop: false, pooling: pooling)
            #expect(try pooled.outputShape == [output[2]])
            #expect(type(of: pooled.layers.last ?? pooled).typeName.hasPrefix("Global"))
        }
        let whole = try network.model(input: shape, classes: 7)
        #expect(try whole.outputShape == [7])
        // With top, it begins with the same layers.
        #expect(whole.namedLayers.map(\.name).starts(with: base.namedLayers.map(\.name)))
    }

    @Test(arguments: NamedNetwork.allCases)
    func smallestImages(network: NamedNetwork) throws {
        let size = network.smallestImage
        let model = try network.model(input: [size, size + 3, 2])
        #expect(model.modelInputs[0].shape == [size, size + 3, 2])
        let error = #expect(throws: ShapeError.self) { try network.model(input: [size + 5, size - 1, 2]) }
        if size > 1 {
            #expect(error?.description.contains("are \(size)×\(size); make them larger") == true)
            #expect(error?.shapes == [[size + 5, size - 1, 2]])
        }
    }

    /// One pixel less would leave nothing for some layer: the least sizes are not larger than they need be.
    @Test(arguments: NamedNetwork.allCases.filter { $0.smallestImage > 1 })
    func smallestImagesAreTheLeast(network: NamedNetwork) throws {
        let size = network.smallestImage - 1
        let design = Design(name: "small", input: [size, size, 2], ending: .classes(2), seed: 0)
        #expect(throws: ShapeError.self) { try network.row.build(design) }
    }

    @Test(arguments: NamedNetwork.allCases)
    func argumentsThatMakeNoSense(network: NamedNetwork) throws {
        for input: Shape in [[], [64], [64, 64], [64, 64, 0], [0, 64, 3], [-1, 64, 3], [1, 64, 64, 3]] {
            let error = #expect(throws: ShapeError.self) { try network.model(input: input) }
            #expect(error?.shapes == [input])
        }
        for input: Shape in [[1 << 40, 1 << 40, 3], [64, 64, .max], [Int.max, Int.max, Int.max]] {
            #expect(throws: ShapeError.self) { try network.model(input: input) }
        }
        for classes in [0, -1, .min, .max, 1 << 40] {
            #expect(throws: ShapeError.self) { try network.model(classes: classes) }
        }
        if network == .catsDogsCNN {
            let error = #expect(throws: ShapeError.self) { try network.model(classes: 10) }
            #expect(error?.message.contains("two classes apart, not 10") == true)
        }
    }

    // MARK: Parts

    @Test func freezing() throws {
        let model = try NamedNetwork.vgg16.model(input: [32, 32, 3], includeTop: false)
        #expect(try model.setTrainable(from: "block5_conv1") == 7_079_424)
        #expect(model.trainableParameters.allSatisfy { $0.path.hasPrefix("block5_") })
        try model.layer(named: "block5_conv2").isTrainable = false
        #expect(
            model.trainableParameters.map(\.path) == [
                "block5_conv1/kernel", "block5_conv1/bias", "block5_conv3/kernel", "block5_conv3/bias",
            ])
        let error = #expect(throws: ShapeError.self) { try model.setTrainable(from: "block5_conv4") }
        #expect(error?.message.contains("did you mean 'block5_conv") == true)
    }

    @Test func aPartGivesWhatTheWholeHasInside() async throws {
        let model = try NamedNetwork.vgg16.model(input: [40, 32, 3], includeTop: false)
        try await setTiledValues(of: model)
        let part = try Model(inputs: model.inputs, outputs: [model.output(of: "block3_pool")])
        #expect(try part.outputShape == [5, 4, 256])
        #expect(part.layers.count == 10)
        let images = Tensor.input("images", [40, 32, 3])
        var inside = images
        for (name, layer) in model.namedLayers {
            inside = try layer(inside)
            if name == "block3_pool" { break }
        }
        let tensors = try [part(images), inside]
        let x = try hashed(1, [2, 40, 32, 3])
        let results = try await Compute.run {
            try OneDNNBackend(precision: .strict).compile(outputs: tensors, mode: .inference, batch: 2)
                .run(["images": x])
        }
        #expect(results[0] == results[1])
        #expect(Set(results[0].floats).count > 1000)
    }

    @Test func roundTripOfResNet18() async throws {
        let model = try NamedNetwork.resNet18.model(input: [40, 24, 3], classes: 4, seed: 3)
        try model.layer(named: "conv1_conv").isTrainable = false
        let data = try JSONEncoder().encode(model.architecture)
        let copy = try makeModel(JSONDecoder().decode(Configuration.self, from: data), seed: 3)
        #expect(try copy.architecture == model.architecture)
        #expect(copy.parameters.map(\.path) == model.parameters.map(\.path))
        #expect(
            copy.parameters.map(\.parameter.variable?.type)
                == model.parameters.map(\.parameter.variable?.type))
        #expect(copy.trainableParameters.map(\.path) == model.trainableParameters.map(\.path))
        #expect(
            copy.calls.map(\.inputNames) == model.calls.map(\.inputNames)
                && copy.calls.map(\.outputShapes) == model.calls.map(\.outputShapes))
        let path = "conv2_block1_1_conv/kernel"
        let kernels = [model, copy].compactMap { made in
            made.parameters.first { $0.path == path }?.parameter.variable
        }
        let values = try await Compute.run { try kernels.map { try $0.value() } }
        #expect(values.count == 2 && values[0] == values[1])
    }

    // MARK: Results

    /// Small images through the real kernels: probabilities that depend on the image.
    @Test(arguments: [
        (NamedNetwork.leNet5, 28), (.googLeNetAuxiliary, 65), (.resNet18, 33), (.cifarResNet20, 20),
    ])
    func probabilities(network: NamedNetwork, size: Int) async throws {
        let model = try network.model(input: [size, size + 4, 3], classes: 6)
        try await setTiledValues(of: model)
        let images = Tensor.input("images", [size, size + 4, 3])
        let tensors = try model.outputs(for: [images])
        #expect(tensors.count == (network == .googLeNetAuxiliary ? 3 : 1))
        let x = try hashed(1, [2, size, size + 4, 3])
        let results = try await Compute.run {
            try OneDNNBackend().compile(outputs: tensors, mode: .inference, batch: 2).run(["images": x])
        }
        for result in results {
            #expect(result.shape == [2, 6])
            let (first, second) = (result.floats.prefix(6), result.floats.suffix(6))
            #expect(abs(first.reduce(0, +) - 1) < 1e-5 && result.floats.allSatisfy { $0 >= 0 })
            #expect(first != second)
        }
    }

    /// Groups and local response normalization through the real kernels.
    @Test func alexNetsFeatures() async throws {
        let model = try NamedNetwork.alexNet.model(input: [67, 99, 3], includeTop: false)
        try await setTiledValues(of: model)
        let images = Tensor.input("images", [67, 99, 3])
        let features = try model(images)
        let x = try hashed(1, [2, 67, 99, 3])
        let result = try await Compute.run {
            try OneDNNBackend().compile(outputs: [features], mode: .inference, batch: 2).run(["images": x])[0]
        }
        #expect(result.shape == [2, 1, 2, 256])
        #expect(result.floats.allSatisfy { $0.isFinite && $0 >= 0 } && Set(result.floats).count > 100)
    }
}
