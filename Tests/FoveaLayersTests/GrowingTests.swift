import FoveaGraph
import Testing

@testable import FoveaLayers

/// Models made of parts of others, and shapes while a model is being written.
@Suite struct GrowingTests {
    private func base() throws -> Sequential {
        try Sequential(input: [6, 6, 2], seed: 4) {
            Conv2D(filters: 3, kernelSize: 3, activation: .relu)
            Flatten()
            Dense(units: 5)
            Dense(units: 2)
        }
    }

    @Test func aSequentialOfTheLayersOfAnother() async throws {
        let base = try base()
        let before = try await values(of: base)
        let end: [any Layer] = [Dropout(rate: 0.5), Dense(units: 4)]
        let grown = try Sequential(input: base.inputShape, seed: 9) {
            base.layers.dropLast()
            Dense(units: 7)
            end
        }
        #expect(
            grown.namedLayers.map(\.name)
                == ["conv2d", "flatten", "dense", "dense_1", "dropout", "dense_2"])
        #expect(try grown.outputShape == [4])
        // What both have is one, and keeps what it learned.
        #expect(grown.layers[2] === base.layers[2])
        #expect(try await values(of: base) == before)
        #expect(try await Array(values(of: grown).prefix(4)) == Array(before.prefix(4)))
        let x = try hashed(1, [2, 6, 6, 2])
        let features = try Model(inputs: base.inputs, outputs: [base.output(of: "dense")])
        let same = try Sequential(input: base.inputShape) { base.layers.prefix(3) }
        #expect(try await outputs(of: same, for: x) == outputs(of: features, for: x))
    }

    @Test func theSameLayersForImagesOfAnotherSize() async throws {
        let small = try Sequential(input: [6, 6, 2], seed: 4) {
            Conv2D(filters: 3, kernelSize: 3)
            GlobalAveragePooling2D()
            Dense(units: 2)
        }
        let large = try Sequential(input: [9, 11, 2], seed: 5) { small.layers }
        #expect(try await values(of: large) == values(of: small))
        #expect(try large.outputShape == [2])
        let flat = try base()
        let error = #expect(throws: ShapeError.self) { try Sequential(input: [9, 11, 2]) { flat.layers } }
        #expect(error?.path.last == "dense")
    }

    /// What a model was built for stays so when others use it for images of another size.
    @Test func aBuiltModelKeepsItsShapesInsideAnother() async throws {
        let stacked = try Sequential(input: [6, 6, 2], seed: 4) {
            Conv2D(filters: 3, kernelSize: 3)
            MaxPooling2D()
        }
        let x = LayerOutput.input("x", [6, 6, 2])
        let graph = try Model(inputs: [x], outputs: [Conv2D(filters: 3, kernelSize: 3)(x)])
        let models: [any ModelProtocol] = [stacked, graph]
        for model in models {
            let (summary, output) = (model.summary(), try model.outputShape)
            let images = LayerOutput.input("images", [9, 11, 2])
            let larger = try Model(inputs: [images], outputs: [model(images)])
            #expect(try larger.outputShape != output)
            #expect(model.summary() == summary)
            #expect(try model.inputShape == [6, 6, 2] && model.outputShape == output)
            #expect(try model.outputs[0].shape == output)
            #expect(try await outputs(of: larger, for: hashed(1, [2, 9, 11, 2])).shape[1] > output[0])
        }
    }

    // MARK: Shapes

    @Test func shapesWhileBuilding() throws {
        let images = LayerOutput.input("images", [32, 20, 3])
        #expect(try images.shape == [32, 20, 3])
        var x = Conv2D(filters: 4, kernelSize: 3, padding: .same)(images)
        #expect(try x.shape == [32, 20, 4])
        while try x.shape[0] > 7 { x = MaxPooling2D()(x) }
        #expect(try x.shape == [4, 2, 4])
        x = Flatten()(x)
        #expect(try x.shape == [32])
        let model = try Model(inputs: [images], outputs: [Dense(units: 2)(x)])
        #expect(try model.outputShape == [2])
        #expect(try model.outputs[0].shape == [2])
        #expect(try Add()([Dense(units: 3)(model.outputs[0]), Dense(units: 3)(x)]).shape == [3])
    }

    /// Asking changes nothing: neither parameters nor the numbers that they begin with.
    @Test func askingLeavesNoTrace() async throws {
        func make(asking: Bool) throws -> Model {
            let x = LayerOutput.input("x", [5, 4])
            let inner = Sequential(name: "inner") {
                Dense(units: 3)
                BatchNormalization()
            }
            let nested = try Model(inputs: [x], outputs: [Dense(units: 2)(x)])
            let y = inner(x)
            let z = Concatenate()([y, nested(x), PReLU()(y)])
            if asking {
                #expect(try z.shape == [5, 8])
                #expect(inner.parameters.allSatisfy { $0.parameter.variable == nil })
                #expect(inner.inputs.isEmpty && inner.namedOutputs.isEmpty)
                let error = #expect(throws: ShapeError.self) { try inner(Tensor.input("x", [5, 4])) }
                #expect(error?.description.contains("build first") == true)
                // Another shape may be asked for before the layer has one.
                #expect(try inner(LayerOutput.input("other", [9])).shape == [3])
            }
            return try Model(inputs: [x], outputs: [z], seed: 3)
        }
        let (asked, silent) = (try make(asking: true), try make(asking: false))
        #expect(asked.parameters.map(\.path) == silent.parameters.map(\.path))
        #expect(
            asked.parameters.map { $0.parameter.variable?.name }
                == silent.parameters.map { $0.parameter.variable?.name })
        #expect(try await values(of: asked) == values(of: silent))
    }

    @Test func severalOutputsAndLongChains() throws {
        let x = LayerOutput.input("x", [4])
        let inner = try Model(inputs: [x], outputs: [Dense(units: 2)(x), Dense(units: 3)(x)])
        #expect(try inner.outputs(for: [x]).map { output in try output.shape } == [[2], [3]])
        var y = x
        for _ in 0..<20_000 { y = Identity()(y) }
        #expect(try y.shape == [4])
    }

    @Test func mistakesNameTheLayer() {
        let x = LayerOutput.input("x", [4, 4, 1])
        let bad = Conv2D(filters: 1, kernelSize: 9, name: "first")(x)
        for output in [bad, Flatten()(bad)] {
            let error = #expect(throws: ShapeError.self) { try output.shape }
            #expect(error?.path == ["first"])
            #expect(error?.description.contains("larger than the 4×4 image") == true)
        }
        let shared = Dense(units: 2, name: "shared")
        #expect(throws: Never.self) { try Sequential(input: [3]) { shared } }
        let error = #expect(throws: ShapeError.self) { try shared(x).shape }
        #expect(error?.path == ["shared"] && error?.message.contains("built for another shape") == true)
    }
}
