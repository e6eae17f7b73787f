import FoveaFiles
import FoveaGraph
import FoveaLayers
import FoveaModels
import FoveaOneDNN
import FoveaTraining
import TestSupport
import Testing

@testable import FoveaSaving

@Suite struct TorchWeightsTests {
    /// The network of `make_pytorch.py`, with its layers' names where `names` says so.
    static func network(torchNames: Bool = true, spatial: Bool = true) throws -> Model {
        func name(_ torch: String, _ other: String) -> String { torchNames ? torch : other }
        let images = LayerOutput.input("images", [8, 7, 3])
        var x = Conv2D(
            filters: 8, kernelSize: 3, padding: .same, useBias: false, name: name("stem.0", "first"))(images)
        x = BatchNormalization(epsilon: 1e-5, name: name("stem.1", "first_bn"))(x)
        x = Activation(.relu)(x)
        x = Conv2D(filters: 8, kernelSize: [3, 1], groups: 2, name: name("grouped", "second"))(x)
        x = DepthwiseConv2D(kernelSize: 3, depthMultiplier: 2, name: name("depthwise", "third"))(x)
        x = Conv2DTranspose(filters: 6, kernelSize: [2, 3], strides: 2, name: name("up", "fourth"))(x)
        x = PReLU(sharedAxes: [1, 2], name: name("act", "fifth"))(x)
        x = GroupNormalization(groups: 2, epsilon: 1e-5, name: name("norm", "sixth"))(x)
        x = Dropout(rate: 0.3)(Flatten()(x))
        x = Dense(units: 7, activation: .relu, name: name("classifier.1", "head_1"))(x)
        x = Dense(units: 5, name: name("classifier.3", "head_2"))(x)
        return try Model(inputs: [images], outputs: [x], seed: 5)
    }

    static let mapping: WeightMapping = [
        "stem.0": "first", "stem.1": "first_bn", "grouped": "second", "depthwise": "third", "up": "fourth",
        "act": "fifth",
        "norm": "sixth", "classifier.1": "head_1", "classifier.3": "head_2",
    ]

    private func inFolder(
        _ name: String, _ body: @Sendable (_ path: String, _ folder: String) async throws -> Void
    ) async throws {
        let bytes = try PyTorchFileTests.fixture(name)
        try await inTemporaryFolder { folder in
            try AtomicFile.write(bytes, to: folder + "/" + name)
            try await body(folder + "/" + name, folder)
        }
    }

    private func expectOutputs(_ model: Model) async throws {
        let golden = try Safetensors(
            parsing: PyTorchFileTests.fixture("network_outputs.safetensors"), file: "g")
        let values = Dictionary(uniqueKeysWithValues: golden.tensors.map { ($0.name, $0.value) })
        let output = try await model.predict(#require(values["image"]))
        let expected = try #require(values["output"])
        #expect(output.shape == expected.shape)
        let scale = expected.floats.map(abs).max() ?? 1
        for (a, b) in zip(output.floats, expected.floats) { #expect(abs(a - b) < 1e-5 * scale) }
    }

    /// Convolutions of all kinds, normalizations and a dense layer behind flattened images give PyTorch's outputs.
    @Test(arguments: ["network.pt", "network.safetensors", "wrapped.pth"]) func outputsAreThoseOfPyTorch(
        name: String
    ) async throws {
        try await inFolder(name) { path, _ in
            let model = try Self.network()
            try await model.loadWeights(from: path)
            try await self.expectOutputs(model)
            let renamed = try Self.network(torchNames: false)
            try await renamed.loadWeights(from: path, mapping: Self.mapping)
            try await self.expectOutputs(renamed)
        }
    }

    @Test(arguments: ["again.pt", "again.safetensors"]) func writtenInPyTorchsOrder(name: String) async throws
    {
        try await inFolder("network.pt") { path, folder in
            let model = try Self.network(torchNames: false)
            try await model.loadWeights(from: path, mapping: Self.mapping)
            try await model.saveWeights(to: folder + "/" + name, mapping: Self.mapping)
            let bytes = try AtomicFile.read(folder + "/" + name)
            let written =
                name.hasSuffix(".pt")
                ? try PyTorchFile(parsing: bytes, file: name).tensors
                : try StoredSafetensors(parsing: bytes, file: name).tensors
            let original = try PyTorchFile(contentsOf: path).tensors.filter {
                !$0.name.hasSuffix("num_batches_tracked")
            }
            #expect(Set(written.map(\.name)) == Set(original.map(\.name)))
            for tensor in written {
                let other = try #require(original.first { $0.name == tensor.name })
                #expect(
                    tensor.shape == other.shape && Array(tensor.bytes) == Array(other.bytes), "\(tensor.name)"
                )
            }
        }
    }

    @Test func everyMismatchIsSaid() async throws {
        try await inFolder("network.pt") { path, _ in
            let images = LayerOutput.input("images", [8, 7, 3])
            var x = Conv2D(filters: 9, kernelSize: 3, padding: .same, name: "stem.0")(images)
            x = Flatten()(x)
            let model = try Model(inputs: [images], outputs: [Dense(units: 5, name: "classifier.3")(x)])
            let before = try await model.weights().map(\.value)
            let error = await #expect(throws: ModelFileError.self) { try await model.loadWeights(from: path) }
            let text = try #require(error?.problem)
            #expect(
                text.contains(
                    "\"stem.0.weight\" is [8, 3, 3, 3], for \"stem.0/kernel\" it should be [9, 3, 3, 3]"))
            #expect(text.contains("\"classifier.3.weight\" is [5, 7], for"))
            #expect(text.contains("\"stem.1.weight\" [8] belongs to no layer"))
            #expect(text.contains("more"))
            #expect(try await model.weights().map(\.value) == before)

            let other = try Sequential(input: [4]) { Dense(units: 2, name: "out") }
            let names = await #expect(throws: ModelFileError.self) { try await other.loadWeights(from: path) }
            #expect(names?.problem.contains("None of the names is known") == true)
            #expect(names?.problem.contains("WeightMapping") == true)
        }
    }

    /// Every layer with weights, also of sequences: what is written is read again, and nothing is left as it was.
    @Test func everyLayerComesBack() async throws {
        func model(seed: UInt64) throws -> Model {
            let images = LayerOutput.input("images", [9, 8, 4])
            let sequences = LayerOutput.input("sequences", [12, 4])
            var x = SeparableConv2D(filters: 6, kernelSize: 3, depthMultiplier: 2)(images)
            x = DepthwiseConv2D(kernelSize: [2, 1], useBias: false)(x)
            x = LayerNormalization()(PReLU(sharedAxes: [1, 2])(x))
            x = Dense(units: 3)(Flatten()(RMSNormalization()(x)))
            var y = Conv1D(filters: 6, kernelSize: 3, groups: 2)(sequences)
            y = Conv1DTranspose(filters: 5, kernelSize: 2, strides: 2)(y)
            y = DepthwiseConv1D(kernelSize: 3, depthMultiplier: 2)(
                SeparableConv1D(filters: 4, kernelSize: 2)(y))
            y = Dense(units: 3)(BatchNormalization()(Flatten()(y)))
            return try Model(inputs: [images, sequences], outputs: [Add()([x, y])], seed: seed)
        }
        try await inTemporaryFolder { folder in
            let first = try model(seed: 1)
            for (_, parameter) in first.parameters {
                guard let variable = parameter.variable else { continue }
                try await variable.assign(
                    TensorValue(shape: variable.shape, (0..<variable.shape.elementCount).map { Float($0) }))
            }
            try await first.saveWeights(to: folder + "/all.pt", mapping: [:])
            let second = try model(seed: 2)
            try await second.loadWeights(from: folder + "/all.pt")
            let (a, b) = (try await first.weights(), try await second.weights())
            #expect(a.count == 25)
            for (a, b) in zip(a, b) { #expect(a.name == b.name && a.value == b.value, "\(a.name)") }
        }
    }

    // MARK: - The order of features

    private func orders(_ model: any ModelProtocol) -> [String: TorchLayout] {
        Dictionary(uniqueKeysWithValues: model.torchParameters().map { ($0.path, $0.layout) })
    }

    @Test func flattenedFeaturesAreFound() throws {
        let base = try Sequential(input: [6, 4, 3]) {
            Conv2D(filters: 2, kernelSize: 3)
            Flatten()
        }
        let nested = try Sequential(input: [6, 4, 3]) {
            base
            BatchNormalization(name: "bn")
            Dense(units: 3, name: "dense")
            Dense(units: 16, name: "last")
        }
        let layouts = orders(nested)
        // [units, channels, height, width] → [height, width, channels, units]
        #expect(layouts["dense/kernel"]?.view == [3, 2, 4, 2])
        #expect(layouts["dense/kernel"]?.axes == [2, 3, 1, 0])
        #expect(layouts["bn/gamma"]?.view == [2, 4, 2])
        #expect(layouts["bn/gamma"]?.axes == [1, 2, 0])
        #expect(layouts["dense/bias"]?.axes == [0])
        #expect(layouts["last/kernel"]?.axes == [1, 0])

        let sequences = try Sequential(input: [5, 3]) {
            Reshape(targetShape: [15])
            Dense(units: 2, name: "dense")
        }
        #expect(orders(sequences)["dense/kernel"]?.view == [2, 3, 5])
        let pixels = try Sequential(input: [1, 1, 3]) {
            Flatten()
            Dense(units: 2, name: "dense")
        }
        #expect(orders(pixels)["dense/kernel"]?.axes == [1, 0])
        let channelsFirst = try Sequential(input: [3, 6, 4]) {
            Conv2D(filters: 2, kernelSize: 3, dataFormat: .channelsFirst)
            ReLU()
            Flatten()
            Dense(units: 2, name: "dense")
        }
        #expect(orders(channelsFirst)["dense/kernel"]?.axes == [1, 0])
        let moved = try Sequential(input: [3, 6, 4]) {
            Conv2D(filters: 2, kernelSize: 3, dataFormat: .channelsFirst)
            Flatten(dataFormat: .channelsFirst)
            Dense(units: 2, name: "dense")
        }
        #expect(orders(moved)["dense/kernel"]?.view == [2, 2, 4, 2])
        let permuted = try Sequential(input: [6, 4, 3]) {
            Permute(dims: [3, 1, 2])
            Flatten()
            Dense(units: 2, name: "dense")
        }
        #expect(orders(permuted)["dense/kernel"]?.axes == [1, 0])
    }

    @Test func whatCannotBeToldIsRefused() async throws {
        let images = LayerOutput.input("images", [4, 4, 3])
        let rows = [Flatten()(images), Flatten()(MaxPooling2D()(images))]
        let joined = Concatenate(name: "joined")(rows)
        let model = try Model(inputs: [images], outputs: [Dense(units: 2, name: "dense")(joined)])
        #expect(model.torchParameters().map(\.orderUnknownBehind) == ["joined", nil])
        try await inTemporaryFolder { folder in
            let error = await #expect(throws: ModelFileError.self) {
                try await model.saveWeights(to: folder + "/m.pt", mapping: [:])
            }
            #expect(error?.problem.contains("\"dense/kernel\" cannot be told behind \"joined\"") == true)
        }
    }

    /// Loaded into the base of a network, a whole network's classifier is left out.
    @Test func theTopIsLeftOut() async throws {
        try await inTemporaryFolder { folder in
            let whole = try NamedNetwork.resNet18.model(input: [32, 32, 3], classes: 7, seed: 3)
            let mapping = try #require(NamedNetwork.resNet18.torchMapping)
            try await whole.saveWeights(to: folder + "/w.safetensors", mapping: mapping)
            let base = try NamedNetwork.resNet18.model(input: [32, 32, 3], includeTop: false, seed: 4)
            try await base.loadWeights(from: folder + "/w.safetensors")
            let expected = Dictionary(
                uniqueKeysWithValues: try await whole.weights().map { ($0.name, $0.value) })
            for (name, value) in try await base.weights() { #expect(value == expected[name], "\(name)") }
        }
    }

    @Test func namesOfNetworks() throws {
        for network in NamedNetwork.allCases {
            guard let mapping = network.torchMapping else { continue }
            let layers = Set(try network.model().torchParameters().map(\.layerPath))
            var modules: Set<String> = []
            for layer in layers {
                let module = try #require(mapping.module(forLayer: layer), "\(network) \(layer)")
                #expect(modules.insert(module).inserted)
                #expect(mapping.layer(forModule: module) == layer)
            }
        }
        let resNet = try #require(NamedNetwork.resNet34.torchMapping)
        #expect(resNet.layer(forModule: "layer3.10.downsample.1") == "conv4_block11_0_bn")
        #expect(resNet.layer(forModule: "layer3.010.conv1") == nil)
        #expect(resNet.module(forLayer: "conv3_block1_0_conv") == "layer2.0.downsample.0")
        #expect(resNet.module(forLayer: "conv3_block1_0_bn") == "layer2.0.downsample.1")
        #expect(NamedNetwork.vgg19.torchMapping?.layer(forModule: "features.34") == "block5_conv4")
    }

    @Test func rules() {
        let mapping: WeightMapping = [
            "blocks.{i}.{j}.conv": "stage{i+1}/unit{j-1}", "twice.{n}.{n}": "same{n}",
            "backbone.{rest...}": "{rest...}",
        ]
        #expect(mapping.layer(forModule: "blocks.0.1.conv") == "stage1/unit0")
        #expect(mapping.layer(forModule: "blocks.0.0.conv") == nil)
        #expect(mapping.module(forLayer: "stage12/unit4") == "blocks.11.5.conv")
        #expect(mapping.layer(forModule: "twice.4.4") == "same4")
        #expect(mapping.layer(forModule: "twice.4.5") == nil)
        #expect(mapping.layer(forModule: "backbone.a.b") == "a.b")
        #expect(mapping.layer(forModule: "blocks.99999999999999999999.1.conv") == nil)
        let odd: WeightMapping = ["{": "}", "{}": "{}", "a{n+99999999999999999999}": "b{n}"]
        #expect(odd.layer(forModule: "{") == "}")
        #expect(odd.layer(forModule: "a3") == nil)
    }
}
