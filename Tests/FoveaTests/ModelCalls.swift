import Fovea
import Testing

/// The calls in the guides' tables that make, look into, save and load models.
@Suite struct ModelCalls {
    @Test func models() throws {
        let x = LayerOutput.input("images", [32, 32, 3])
        #expect(try x.shape == [32, 32, 3])
        #expect(try LayerOutput.input("images", [nil, nil, 3]).shape == [nil, nil, 3])
        let model = try Model(
            inputs: [x], outputs: [Flatten()(Conv2D(filters: 2, kernelSize: 3, name: "conv")(x))])
        #expect(model.summary().contains("conv"))
        #expect(model.layers.count == 2 && model.parameters.count == 2)
        #expect(try model.output(of: "conv").shape == [30, 30, 2])
        let (layer, parameter) = (model.layers[0], model.parameters[0].parameter)
        #expect(model.parameterCount == 56 && model.trainableParameterCount == 56)
        layer.isTrainable = false
        parameter.isTrainable = false
        #expect(model.trainableParameters.isEmpty && model.trainableParameterCount == 0)
        let architecture = try model.architecture
        #expect(try makeModel(architecture).parameters.count == 2)
        let base = try NamedNetwork.vgg16.model(input: [150, 150, 3], includeTop: false)
        #expect(try base.outputShape == [4, 4, 512])
        #expect(try NamedNetwork.resNet18.model(input: [64, 64, 3], classes: 5).outputShape == [5])
    }

    @Test func files() async throws {
        struct Doubling: Metric {
            static let name = "doubling"
            func sums(_ batch: MetricInputs) throws -> Tensor { try batch.mean(batch.predictions * 2) }
        }
        try await GuideData.withFolder { folder in
            let (file, names) = ("\(folder)/model.safetensors", GuideData.classNames)
            let model = try GuideData.model()
            try await SavedModel(model, classNames: names).write(to: file)
            #expect(try await SavedModel(contentsOf: file).classNames == names)
            #if ProtocolBuffers
                let onnxFile = "\(folder)/model.onnx"
                try await SavedModel(model).write(to: onnxFile)
                #expect(try await SavedModel(contentsOf: onnxFile).model.outputShape == model.outputShape)
            #endif
            let types = CustomTypes(metrics: [Doubling.self])
            #expect(try await SavedModel(contentsOf: file, customTypes: types).classNames == names)
            #expect(try await SavedModel(contentsOf: file, inputShape: [28, 28, 1]).warnings.isEmpty)
            try await model.saveWeights(to: file)
            try await model.loadWeights(from: file)
            #expect(try await model.loadWeights(from: file, byName: true, skipMismatch: true).isEmpty)
            let parameter = model.parameters[0].parameter
            let value = try #require(await parameter.variable?.value())
            try await parameter.variable?.assign(value)
            #expect(value.shape == [49, 5])
        }
    }

    @Test func devices() throws {
        let devices = [
            Device.cpu(precision: .mixedBFloat16), Device.cpu(precision: .float32), .reference,
            .cpu(precision: .strict),
        ]
        #expect(devices.map(\.description) == ["cpu", "cpu", "reference", "cpu"])
        #expect(try Device.cpu.backend.threadCount >= 1)
    }
}
